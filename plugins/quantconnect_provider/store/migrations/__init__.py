"""Alembic scripts that make and upgrade the store's tables."""
