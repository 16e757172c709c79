"""A HubSpot portal in memory that behaves like the real one, over real HTTP."""
