"""Measures of how releases escape, how services recover and how changes arrive; never of people or teams."""
