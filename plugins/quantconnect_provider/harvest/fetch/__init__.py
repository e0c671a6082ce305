"""Reads the pages of a deployment: in order, several at a time, checked against each other."""
