"""Links an account to the platform: nothing is called there, its webhooks come by secret or token.

The secrets of a connection: `secret` and `token`, and while they take over `old_secret`,
`old_token` and `old_until`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from connector.domain.facts import AccountId, ConnectionId
from connector.domain.systems import PLATFORM
from connector.stored import Connection

if TYPE_CHECKING:
    from connector.pipeline.services import Services

# A sender has this long to take a new secret over.
OVERLAP = timedelta(hours=24)
_SIGNATURE = "standard"


class Keys(NamedTuple):
    """What proves a delivery: a secret to sign with, or a token for those who can't sign."""

    secret: str
    token: str


def hook(
    services: Services, account_id: AccountId, fresh: Keys, *, rotate: bool
) -> tuple[Connection, Keys]:
    """Connect an account to the platform; again: the same connection, with its keys as they are.

    With `rotate` the fresh keys take over, and the ones before are good for another day.
    """
    draft = _draft(ConnectionId(services.new_id("con")), account_id)
    now = services.now()
    with services.store.writing() as unit:
        unit.account(account_id)
        known = unit.by_portal(draft.system, draft.app, draft.portal)
        if known is None:
            return unit.connect(draft, fresh._asdict(), None, now), fresh
        kept = unit.secrets(known.id)
        if rotate:
            kept = {**fresh._asdict(), **_retired(kept, now)}
            unit.set_secrets(known.id, kept, None)
        return known, Keys(kept["secret"], kept["token"])


def _draft(made: ConnectionId, account_id: AccountId) -> Connection:
    """Return a connection; an account has one, named for it."""
    return Connection(
        made, account_id, PLATFORM, account_id, "", "", _SIGNATURE, "active", "", version=0
    )


def _retired(kept: Mapping[str, str], now: datetime) -> dict[str, str]:
    until = (now + OVERLAP).isoformat()
    return {"old_secret": kept["secret"], "old_token": kept["token"], "old_until": until}


def proofs(kept: Mapping[str, str], now: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the secrets and the tokens that count now, the newest first."""
    until = kept.get("old_until", "")
    names = ("", "old_") if until and now < datetime.fromisoformat(until) else ("",)
    secrets, tokens = (
        tuple(kept[name + word] for name in names if kept.get(name + word))
        for word in ("secret", "token")
    )
    return secrets, tokens
