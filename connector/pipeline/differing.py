"""Tells which readings say anything that we do not know yet, without learning it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from connector.domain.facts import AccountId, Fact, RecordKey
from connector.pipeline.drain import load_scene
from connector.pipeline.inbound import take_in
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.stored import Arrival

# A CRM's webhooks and its histories may date one change a moment apart.
MOMENT = timedelta(seconds=1)


def differing(
    services: Services, account_id: AccountId, arrivals: Sequence[Arrival], now: datetime
) -> list[Arrival]:
    """Return the readings with a fact or a tie that we did not have."""
    if not arrivals:
        return []
    with services.store.reading() as unit:
        scene = load_scene(services, unit, account_id, arrivals, now)
    take_in(scene, arrivals)
    return [arrival for arrival in arrivals if _is_news(scene, arrival)]


def _is_news(scene: Scene, arrival: Arrival) -> bool:
    key = arrival.record
    if key not in scene.crowd.records or key in scene.refused:
        return True
    about = {key, *_others(arrival)}
    facts = [fact for fact in scene.changes.facts if fact.record in about]
    ties = (link for link in scene.changes.links if key in (link.start, link.goal))
    return any(True for _ in ties) or any(_is_new(scene, fact) for fact in facts)


def _others(arrival: Arrival) -> Iterable[RecordKey]:
    """Return the records that became the one that was read."""
    data = arrival.event.data
    merged = data.get("merged")
    ids = [data.get("asked_id"), *(merged if isinstance(merged, list) else [])]
    return [arrival.record._replace(record_id=str(one)) for one in ids]


def _is_new(scene: Scene, fact: Fact) -> bool:
    """Say whether a fact is new to us: told by nobody, or no longer overruled by what was."""
    known = [one for one in scene.crowd.facts.get(fact.record, ()) if one.field == fact.field]
    told = any(one.value == fact.value and abs(one.when - fact.when) <= MOMENT for one in known)
    return not told or _last(known) != _last(scene.known(fact.record), fact.field)


def _last(facts: Collection[Fact], field: str = "") -> str:
    own = [one for one in facts if not field or one.field == field]
    return max(own, key=lambda one: one.stamp).value if own else ""
