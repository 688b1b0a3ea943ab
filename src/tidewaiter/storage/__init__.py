"""Records in SQLite or PostgreSQL; bulk material by digest in files or S3."""
