"""One report as JSON and HTML."""
