"""What a customer adds to what can be learned: rows now, and more once time has passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.domain.facts import AccountId
from connector.pipeline.services import Services
from connector.stored import Profile

_EVER = -(10**6)  # days from 1970
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Added:
    """How many rows a customer adds now, how many later, and when the last of them is ripe.

    `usable` says whether anything is known of the time before; without it there are no rows.
    """

    usable: bool
    rows_now: int = 0
    rows_later: int = 0
    ripe_at: datetime | None = None


def added(services: Services, account_id: AccountId, profile: Profile) -> Added:
    """Return what a customer adds to the training."""
    from connector.pipeline.rating import read_log  # noqa: PLC0415 - numpy, for whoever asks
    from scorer.landmarks import ripening  # noqa: PLC0415

    if profile.success_at is None:
        return Added(usable=False)
    with services.store.reading() as unit:
        log = read_log(unit.scores.tail(account_id, [profile.id], _EVER))
        serving = unit.models.serving(account_id)
    now = max(services.now(), profile.success_at + _TICK)
    customers = {"profile_id": [profile.id], "customer_at": [profile.success_at]}
    horizon = serving.report["horizon_days"] if serving else None
    found = ripening(log, customers, now, horizon).get(profile.id)
    if found is None:
        return Added(usable=False)
    return Added(True, found.rows_now, found.rows_later, found.ripe_at)
