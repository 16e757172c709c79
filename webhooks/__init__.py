"""HTTP in: verify, keep, wake."""
