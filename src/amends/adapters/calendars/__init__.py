"""Calendars turned into intervals before they reach a gate."""
