"""What a function reaches: the modules that are loaded, the values that it reads, definitions."""
