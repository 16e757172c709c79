"""One deal where a rep has connected: never a second, whatever was interrupted.

The intent and its key are committed long before the call; the deal carries the key. Whoever comes
after a lost answer finds the deal by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from connector.domain.errors import CrmDenied, CrmRefused
from connector.domain.handoffs import DISPOSED
from connector.mapping.handoff import filled, quoted
from connector.mapping.lookup import Lookup
from connector.mapping.table import Disposition, Meaning
from connector.mapping.table import Mapping as Table
from connector.pipeline.connected import OPEN, says_connected
from connector.pipeline.installing import deal_key
from connector.pipeline.send import Sending, is_wanted, note, sift
from connector.ports import DealDraft, Event, Happening
from connector.stored import URGENT, Arrival, Pending, Profile, Purpose, State

if TYPE_CHECKING:
    from connector.store.unit import Unit

# Each takes a few calls: others wait no longer for it than for a batch of writes.
AT_ONCE = 10
# How long a deal waits for the stage that is written before it.
STAGE_FIRST = timedelta(seconds=2)
_NO_SUCH_FIELD = 400
STAGE_PARKED = "the lifecycle stage that is written before it was put aside"


def send_deals(sending: Sending, rows: list[Pending]) -> None:
    """Make the deals that are wanted, one by one; a refused one is parked by itself."""
    sending.later(rows[AT_ONCE:], "", 0.0)
    for row in rows[:AT_ONCE]:
        try:
            _send(sending, row)
        except (CrmDenied, CrmRefused) as error:
            sending.park([row], str(error))


def _send(sending: Sending, row: Pending) -> None:
    if not is_wanted(sending, row) or _waits_for_stage(sending, row):
        return
    key, kind, record_id = row.fields["deal"], row.record.object, row.record.record_id
    made = _made(sending, key)
    if made:
        _conclude(sending, row, "made", made)
        return
    lookup = sending.lookup()
    values = _values(sending, row, lookup)
    if values is None:
        reason = "the record is gone"
        sending.settle([replace(row, state=State.DROPPED, reason=reason)])
        return
    there = sending.crm.open_deal(kind, record_id)
    if not _is_meant(sending, row, lookup):
        return
    if there:
        sending.crm.tie_deal(there, kind, record_id)
        _conclude(sending, row, "existing", there)
    else:
        draft = _draft(row, lookup.mapping, values)
        _conclude(sending, row, "made", sending.crm.create_deal(draft, key))


def _made(sending: Sending, key: str) -> str:
    """Return the deal that was made under a key, "" if there is none.

    Deals may have been switched on after our fields were installed: the key's field is made then.
    """
    try:
        return sending.crm.deal_made(key)
    except CrmRefused as error:
        if error.status != _NO_SUCH_FIELD or not sending.connection.labels:
            raise
        sending.crm.install(deal_key(sending.connection.system), apply=True)
        return sending.crm.deal_made(key)


def _waits_for_stage(sending: Sending, row: Pending) -> bool:
    """Put a deal back in line as long as the stage before it is being written, or aside with it."""
    now = sending.services.now()
    with sending.services.store.writing(sending.fence) as unit:
        waits = unit.handoffs.is_writing(row.record, Purpose.STAGE)
        stuck = unit.handoffs.is_parked(row.fields["deal"], Purpose.STAGE)
        if waits:
            unit.settle([replace(row, state=State.PENDING, due_at=now + STAGE_FIRST)], now)
        elif stuck:
            unit.settle([replace(row, state=State.PARKED, reason=STAGE_PARKED)], now)
    return waits or stuck


def _is_meant(sending: Sending, row: Pending, lookup: Lookup) -> bool:
    """Say whether the rep's word still stands, in the transaction after which the call begins.

    A word that was taken back leaves no hand-off behind: who connects anew gets a deal.
    """
    with sending.services.store.writing(sending.fence) as unit:
        wanted, _, people = sift(sending, unit, [row])
        profile = people.get(row.profile_id) if row.profile_id else None
        reason = _needless(unit, row, lookup, profile) if wanted else ""
        if reason:
            unit.handoffs.withdraw(row.fields["deal"])
            gone = replace(row, state=State.DROPPED, reason=reason)
            unit.settle([gone], sending.services.now())
    return bool(wanted) and not reason


def _needless(unit: Unit, row: Pending, lookup: Lookup, profile: Profile | None) -> str:
    """Say why nobody wants a deal any more, "" where somebody does."""
    name = lookup.mapping.name_of(row.record.object, Meaning.LEAD_STATUS)
    said = unit.people.newest(row.record, name)
    reasons = {
        "switched off": not lookup.mapping.handoff.create_deal.enabled,
        "the profile has moved on": profile is None or profile.slot not in OPEN,
        "the lead status says otherwise": said is None or not says_connected(lookup, said),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _values(sending: Sending, row: Pending, lookup: Lookup) -> Mapping[str, str] | None:
    """Read what the deal's name quotes and who owns the record; None where it is gone."""
    mapping, kind = lookup.mapping, row.record.object
    meant = [mapping.name_of(kind, meaning) for meaning in (Meaning.EMAIL, Meaning.OWNER)]
    names = sorted({*quoted(mapping.handoff.create_deal.name), *meant} - {""})
    readings = sending.crm.read(kind, [row.record.record_id], names, [])
    return readings[0].fields if readings else None


def _draft(row: Pending, mapping: Table, values: Mapping[str, str]) -> DealDraft:
    kind, settings = row.record.object, mapping.handoff.create_deal
    email = values.get(mapping.name_of(kind, Meaning.EMAIL), "")
    return DealDraft(
        kind,
        row.record.record_id,
        filled(settings.name, values, email or row.record.record_id),
        settings.pipeline,
        settings.stage,
        values.get(mapping.name_of(kind, Meaning.OWNER), ""),
        settings.fields,
    )


def _conclude(sending: Sending, row: Pending, state: str, deal_id: str) -> None:
    """Keep which deal it is; that there was one already is a disposition of the record."""
    key, now = row.fields["deal"], sending.services.now()
    with sending.services.store.writing(sending.fence) as unit:
        unit.handoffs.conclude(key, state, deal_id)
        note(sending, unit, row, f"deal_{state}", deal_id)
        unit.settle([replace(row, state=State.SENT, reason="")], now)
        if state == "existing":
            unit.add_events(sending.connection.account_id, [_disposed(sending, row, key)])
    sending.services.wake("drain", sending.connection.account_id)


def _disposed(sending: Sending, row: Pending, key: str) -> Arrival:
    """Return what we found as an event of our own, dated when it was found."""
    connection, now = sending.connection, sending.services.now()
    value = Disposition.EXISTING_OPPORTUNITY.value
    event = Event(
        f"own:{key}",
        Happening.CHANGED,
        connection.portal,
        row.record.object,
        row.record.record_id,
        now,
        "",
        {"field": DISPOSED, "value": value, "ours": True},
        "",
        connection.app,
    )
    return Arrival(0, connection.id, event, now, URGENT)
