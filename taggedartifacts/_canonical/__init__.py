"""A value becomes bytes: the canonical form from which config hashes are computed."""
