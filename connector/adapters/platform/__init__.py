"""Bread & Butter itself: visitors' journeys come in, moves are told back."""
