"""Operators: parameters in, the client or the harvest called, log lines and small results out."""
