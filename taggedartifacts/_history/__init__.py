"""Questions about artifacts that are there: which, since when, what differs, what to remove."""
