"""What a function reaches: the files that imports lead to, the modules that are loaded, the values that it reads."""
