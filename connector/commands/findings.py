"""What `connector doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look showed; `advice` says what to do where it is not fine."""

    name: str
    fine: bool
    text: str
    advice: str = ""
