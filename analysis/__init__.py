"""Turns records into estimates, figures and the report: one module a question, each a command of its own."""
