"""Records that we had a CRM make for people who had none there."""

from __future__ import annotations

from typing import NamedTuple

from connector.domain.facts import ProfileId


class Made(NamedTuple):
    """Whose record it is, as long as nobody has read it; `ours` unless it was there before."""

    profile_id: ProfileId
    ours: bool
