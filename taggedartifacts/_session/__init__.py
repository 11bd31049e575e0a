"""Notebooks and prompts, where code is no file of a commit."""
