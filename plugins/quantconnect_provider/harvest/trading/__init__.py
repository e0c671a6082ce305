"""The harvest of what deployments traded: orders, fills, closed trades, positions."""
