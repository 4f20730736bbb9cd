"""The Dashboard: facts per file, daily statistics kept for ever, and (later) their pages."""
