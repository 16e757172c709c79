"""Works an account's events off: batch by batch, under the account's lease, all or nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from connector import figures
from connector.domain.errors import ConnectorError, LeaseLost, StoreBusy
from connector.domain.facts import AccountId, ConnectionId, RecordKey
from connector.mapping.table import Meaning
from connector.pipeline.erasure import erase, owner
from connector.pipeline.handing import hand_off
from connector.pipeline.inbound import reading_ties, take_in
from connector.pipeline.mentions import clear_bodies
from connector.pipeline.refold import settle
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.pipeline.wishes import BRAKED, brake, hour_before, wish
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
        done = _batch(services, account_id, fence)
        total += done
        if end and services.now() > end:
            services.wake("drain", account_id)
            return total
        if done == 0 and not _more(services, account_id):
            return total


def _more(services: Services, account_id: AccountId) -> bool:
    with services.store.reading() as unit:
        return bool(unit.waiting_events(account_id, 1))


def _batch(services: Services, account_id: AccountId, fence: Fence) -> int:
    try:
        with services.store.reading() as unit:
            arrivals = unit.waiting_events(account_id, AT_ONCE)
        _work(services, account_id, fence, arrivals)
    finally:
        services.store.drop(fence)
    return len(arrivals)


def _work(
    services: Services, account_id: AccountId, fence: Fence, arrivals: Sequence[Arrival]
) -> None:
    """Apply events; one that breaks the batch is found by halving and put aside."""
    if not arrivals:
        return
    try:
        _apply(services, account_id, fence, arrivals)
    except (LeaseLost, StoreBusy):
        raise
    except Exception as error:  # noqa: BLE001 - a poison event may raise anything
        if len(arrivals) == 1:
            _park(services, fence, arrivals[0], error)
            return
        half = len(arrivals) // 2
        _work(services, account_id, fence, arrivals[:half])
        _work(services, account_id, fence, arrivals[half:])


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
    retold = settle(scene)
    wish(scene, retold)
    hand_off(scene, retold)
    with services.store.reading() as unit:
        _erase(scene, unit, account_id)
        apply_brake(services, scene, unit, account_id)
    if scene.unnamed:
        clear_bodies(services, account_id, scene)
    with services.store.writing(fence) as unit:
        unit.save(account_id, scene.changes, now)
    figures.count("bb_events_total", len(arrivals), outcome="applied")
    wake_delivery(services, scene)


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
    sealed = {unit.seal(account_id, email): email for email in emails}
    graves = unit.buried(account_id, ["/".join(key) for key in keys] + list(sealed))
    follow = _followed(arrivals, lookups)
    scene = open_scene(services, unit, account_id, keys, emails=emails, follow=follow, now=now)
    scene.graves = {sealed.get(key, key): when for key, when in graves.items()}
    return scene


def open_scene(  # noqa: PLR0913
    services: Services,
    unit: Unit,
    account_id: AccountId,
    keys: set[RecordKey],
    *,
    emails: set[str] | frozenset[str] = frozenset(),
    profiles: Sequence[Any] = (),
    follow: Collection[RecordKey] = (),
    now: datetime,
) -> Scene:
    """Load a working copy of some records and profiles with all that hangs on them.

    `follow` are the deals and companies whose people may have to move.
    """
    lookups = unit.lookups(account_id)
    crowd = unit.crowd(account_id, keys, emails, profiles, follow, now)
    return Scene(
        crowd,
        lookups,
        {one.id: one for one in unit.connections(account_id)},
        pipeline=unit.account(account_id).pipeline,
        now=now,
        new_id=services.new_id,
    )


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
    for profile_id in sorted({owner(scene, key) for key in scene.refused}):
        erase(scene, profile_id, lambda email: unit.seal(account_id, email), scene.forgotten)
        scene.leave_out(profile_id)


def _erase(scene: Scene, unit: Unit, account_id: AccountId) -> None:
    for profile_id in sorted({owner(scene, key) for key in scene.forgotten}):
        erase(scene, profile_id, lambda email: unit.seal(account_id, email), scene.forgotten)


def apply_brake(services: Services, scene: Scene, unit: Unit, account_id: AccountId) -> None:
    """Hold what one cause wants too much of."""
    causes = sorted({one.cause for one in scene.changes.pending if one.purpose in BRAKED})
    if causes:
        already = unit.counted(account_id, causes, hour_before(scene.now))
        brake(scene, already, unit.open_holds(account_id), services.brake_per_hour)


def wake_delivery(services: Services, scene: Scene) -> None:
    """Wake whoever writes to and reads from the CRMs that have something waiting now."""
    asked = {key.connection_id for key, one in scene.changes.records.items() if one.ask_at}
    for connection_id in sorted(
        asked | {one.record.connection_id for one in scene.changes.pending}
    ):
        services.wake("deliver", connection_id)
