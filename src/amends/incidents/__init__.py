"""Incidents: their timeline, milestones, escape matrix and measures of recovery."""
