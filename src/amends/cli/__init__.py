"""Commands. They parse and show; they decide nothing."""
