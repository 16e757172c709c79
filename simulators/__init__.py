"""Twins of the systems we talk to: stateful, over real HTTP, sharing no code with the product."""
