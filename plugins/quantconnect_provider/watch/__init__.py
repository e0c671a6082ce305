"""Watches live deployments: what one cycle sees, what is wrong with it, and how people hear of it."""
