"""The blameless post-incident review: its draft and its revisions."""
