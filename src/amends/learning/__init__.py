"""What others can learn from incidents: similar past ones, search, thanks, and a digest."""
