"""`python -m connector` is the console script `connector`."""

from __future__ import annotations

from connector.cli import main

main(prog_name="connector")
