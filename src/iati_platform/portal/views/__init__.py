"""What the pages show, as plain values: assembled here from the rooms' services, drawn by the templates, tested without HTML."""
