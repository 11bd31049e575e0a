"""The code state: which commit, and which uncommitted changes, the code that runs is."""
