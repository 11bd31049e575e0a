"""One call, from its arguments to its artifact."""
