"""What the page reads from the store: SQLAlchemy Core only, bounded by indexes, every name from a list."""
