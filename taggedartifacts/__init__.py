"""Put the git commit and a hash of the configuration into the names of the files that your functions write."""
