"""Triggers: how tasks wait without a worker. They look, and never change anything at QuantConnect."""
