"""Couriers: the ways by which notices leave, one module for each."""
