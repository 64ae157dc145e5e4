"""What a run found: in the terminal, as JSON, as a page."""
