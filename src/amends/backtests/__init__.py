"""What a policy would have done over the log's past, and its price."""
