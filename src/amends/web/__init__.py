"""Pages, the REST API and event intake. They parse and show; they decide nothing."""
