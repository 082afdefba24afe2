"""What in a review's wording accuses, judges with hindsight or stops at one cause; and how to say it instead.

Rules on words, no model: the text goes through ``passages`` (what the Markdown says is prose), ``sentences``
(words with their places), ``agents`` (who does the verb) and one module for each label.
"""
