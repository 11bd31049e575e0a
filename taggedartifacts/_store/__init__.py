"""Artifacts on the disk: their folder, lock, staging, record and publication."""
