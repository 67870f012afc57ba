"""Turns a search space into records: cells × seeds → trials, each trained once and recorded once."""
