"""REST out, described by OpenAPI."""
