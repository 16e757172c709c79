"""Escalation rules: what they are, and whether they move somebody. Standard library only."""
