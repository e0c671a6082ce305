"""Deploying: built, sent at most once, found again after an unclear answer, redeployed."""
