"""Triggers: how tasks wait without a worker. They only read from QuantConnect."""
