"""Incidents: their lifecycle, milestones and timeline, and how what escaped got past each gate."""
