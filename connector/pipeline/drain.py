"""Works an account's events off: batch by batch, under the account's lease, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from connector import figures
from connector.domain.errors import ConnectorError
from connector.domain.facts import AccountId, ConnectionId, ProfileId, RecordKey
from connector.mapping.table import Meaning
from connector.pipeline import journeys, scoring
from connector.pipeline.connected import reach_sql
from connector.pipeline.erasure import erase, owner
from connector.pipeline.escalating import on_field
from connector.pipeline.halving import work_off
from connector.pipeline.inbound import reading_ties, take_in
from connector.pipeline.opening import open_scene
from connector.pipeline.people import Sayings
from connector.pipeline.refold import settle
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.pipeline.turns import conclude
from connector.ports import Data, Happening
from connector.stored import Arrival, Lookups

if TYPE_CHECKING:
    from connector.store.leases import Fence
    from connector.store.unit import Unit

log = structlog.get_logger(__name__)
# Small enough that a webhook does not wait long for the writer.
AT_ONCE = 100


def drain(services: Services, account_id: AccountId, turn: timedelta | None = None) -> int:
    """Work off whatever waits for an account; return how many events that was.

    After a `turn` what is left has to queue up again, behind other work. Where another process
    holds the account's lease, it does the work, and looks again before it gives the lease back.
    """
    total = 0
    end = services.now() + turn if turn else None
    while True:
        fence = services.store.take(f"account:{account_id}")
        if fence is None:
            return total
        done = _turn(services, account_id, fence)
        total += done
        if end and services.now() > end:
            services.wake("drain", account_id)
            return total
        if done == 0 and not _more(services, account_id):
            return total


def _more(services: Services, account_id: AccountId) -> bool:
    with services.store.reading() as unit:
        waits = unit.waiting_events(account_id, 1) or journeys.wait(services, unit, account_id)
        return bool(waits) or scoring.wait(services, unit, account_id)


def _turn(services: Services, account_id: AccountId, fence: Fence) -> int:
    """Work on some of what waits: what the CRMs say, then what visitors did."""
    try:
        with services.store.reading() as unit:
            arrivals = unit.waiting_events(account_id, AT_ONCE)
        work_off(
            arrivals,
            lambda some: _apply(services, account_id, fence, some),
            lambda one, error: _park(services, fence, one, error),
        )
        done = len(arrivals) + journeys.turn(services, account_id, fence)
        return done + scoring.turn(services, account_id, fence)
    finally:
        services.store.drop(fence)


def _park(services: Services, fence: Fence, arrival: Arrival, error: Exception) -> None:
    reason = str(error) if isinstance(error, ConnectorError) else type(error).__name__
    log.error(
        "event_parked", event_id=arrival.id, trace=arrival.trace, reason=reason, exc_info=error
    )
    figures.count("bb_events_total", outcome="quarantined")
    with services.store.writing(fence) as unit:
        unit.park_event(arrival.id, reason)


def _apply(
    services: Services, account_id: AccountId, fence: Fence, arrivals: Sequence[Arrival]
) -> None:
    now = services.now()
    with services.store.reading() as unit:
        scene = load_scene(services, unit, account_id, arrivals, now)
    take_in(scene, arrivals)
    if scene.refused:
        with services.store.reading() as unit:
            _refuse(scene, unit, account_id)
    with services.store.reading() as unit:
        retold = settle(scene, judge=partial(_judge, services, unit, scene))
        _erase(scene, unit, account_id)
    conclude(services, account_id, fence, scene, retold)
    figures.count("bb_events_total", len(arrivals), outcome="applied")


def _judge(services: Services, unit: Unit, scene: Scene, told: Sayings) -> set[ProfileId]:
    """Move whom a rep has connected with, then whom a rule does; return who that is."""
    connected = reach_sql(scene, told)
    return connected | on_field(services, unit, scene, told)


def load_scene(
    services: Services,
    unit: Unit,
    account_id: AccountId,
    arrivals: Sequence[Arrival],
    now: datetime,
) -> Scene:
    """Load all that events are about, with the graves of whom they must not bring back."""
    lookups = unit.lookups(account_id)
    emails = _emails(arrivals, lookups)
    keys = _keys(arrivals)
    sealed = {seal: email for email, seal in unit.seals(account_id, emails).items()}
    graves = unit.buried(account_id, ["/".join(key) for key in keys] + list(sealed))
    follow = _followed(arrivals, lookups)
    scene = open_scene(services, unit, account_id, keys, emails=emails, follow=follow, now=now)
    scene.graves = {sealed.get(key, key): when for key, when in graves.items()}
    return scene


def _followed(arrivals: Sequence[Arrival], lookups: Lookups) -> set[RecordKey]:
    """Return what moves the people who are tied to it: deals, companies where a row asks."""
    asks = any(lookup.uses_company for own in lookups.values() for lookup in own.values())
    kinds = {"deal", "company", "account"} if asks else {"deal"}
    return {arrival.record for arrival in arrivals if arrival.event.object in kinds}


def _keys(arrivals: Sequence[Arrival]) -> set[RecordKey]:
    keys: set[RecordKey] = set()
    for arrival in arrivals:
        data, owner_id = arrival.event.data, arrival.connection_id
        keys.add(arrival.record)
        keys |= set(reading_ties(arrival))
        if arrival.event.happening is Happening.LINKED:
            keys.add(RecordKey(owner_id, str(data["to_object"]), str(data["to_id"])))
        merged = data.get("merged")
        others = [*(merged if isinstance(merged, list) else []), data.get("into")]
        others.append(data.get("asked_id"))
        keys |= {RecordKey(owner_id, arrival.event.object, str(o)) for o in others if o}
    return keys


def _emails(arrivals: Sequence[Arrival], lookups: Lookups) -> set[str]:
    """Return the addresses that events name, to find who else holds them."""
    found = set()
    for arrival in arrivals:
        name = _email_name(lookups, arrival.connection_id, arrival.event.object)
        data = arrival.event.data
        fields = data.get("fields")
        value = data.get("value") if data.get("field") == name else None
        if isinstance(fields, dict):
            value = fields.get(name)
        if name:
            values = [value, *_past(data, name)]
            found |= {str(one).strip().lower() for one in values if one}
    return found


def _past(data: Data, name: str) -> list[object]:
    """Return what a field held, as a reading tells."""
    history = data.get("history")
    past = history.get(name, ()) if isinstance(history, dict) else ()
    return [held[0] for held in past]


def _email_name(lookups: Lookups, connection_id: ConnectionId, kind: str) -> str:
    versions = lookups[connection_id]
    return versions[max(versions)].mapping.name_of(kind, Meaning.EMAIL)


def _refuse(scene: Scene, unit: Unit, account_id: AccountId) -> None:
    """Forget records that are an erased person's, before they are joined to anyone."""
    refused = sorted({owner(scene, key) for key in scene.refused})
    erase(scene, unit, account_id, refused, scene.forgotten)
    for profile_id in refused:
        scene.leave_out(profile_id)


def _erase(scene: Scene, unit: Unit, account_id: AccountId) -> None:
    forgotten = {owner(scene, key) for key in scene.forgotten}
    erase(scene, unit, account_id, forgotten, scene.forgotten)
