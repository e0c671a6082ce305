"""Sensors: waiting for what happens at QuantConnect."""
