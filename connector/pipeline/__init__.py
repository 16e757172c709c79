"""Applies events and plans writes, over ports."""
