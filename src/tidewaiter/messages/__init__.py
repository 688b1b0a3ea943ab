"""Message catalogues: the words a user reads, by language."""
