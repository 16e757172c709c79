"""Owners are given by turns: exact, because a turn and the write that it fills are one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from connector.mapping.handoff import next_owner
from connector.pipeline.guarded import send_guarded
from connector.pipeline.send import Sending, sift
from connector.stored import Pending, State

if TYPE_CHECKING:
    from connector.store.unit import Unit

NOBODY = "none of the owners who take turns is active in the CRM"


def send_owners(sending: Sending, rows: list[Pending]) -> None:
    """Give records without an owner the next one in line; a turn that was taken stays taken."""
    with sending.services.store.writing(sending.fence) as unit:
        wanted, _, _ = sift(sending, unit, rows)
    if not wanted:
        return
    chosen = [row for row in wanted if any(row.fields.values())]
    chosen += _choose(sending, [row for row in wanted if row not in chosen])
    if chosen:
        send_guarded(sending, chosen)


def _choose(sending: Sending, rows: Sequence[Pending]) -> list[Pending]:
    """Take a turn for each record that is still without an owner."""
    rows = _unowned(sending, rows)
    if not rows:
        return []
    line = sending.lookup().mapping.handoff.assign_owner
    present = {one.id for one in sending.crm.owners() if one.active} if line.enabled else set()
    with sending.services.store.writing(sending.fence) as unit:
        chosen = _take_turns(sending, unit, rows, [one for one in line.owners if one in present])
    left = {row.id for row in rows} - {row.id for row in chosen}
    nobody = [row for row in rows if row.id in left]
    if line.enabled:
        sending.park(nobody, NOBODY)
    else:
        sending.settle(replace(row, state=State.DROPPED, reason="switched off") for row in nobody)
    return chosen


def _unowned(sending: Sending, rows: Sequence[Pending]) -> list[Pending]:
    """Leave out, and be done with, what is gone or has an owner: that costs nobody a turn."""
    if not rows:
        return []
    names = sorted({name for row in rows for name in row.fields})
    ids = [row.record.record_id for row in rows]
    readings = sending.crm.read(rows[0].record.object, ids, names, [])
    # One that was merged answers by another id.
    there = {one.asked_id: one.fields for one in readings if one.record_id == one.asked_id}
    free = {asked_id for asked_id, fields in there.items() if not any(fields.values())}
    left = [row for row in rows if row.record.record_id not in free]
    reasons = {True: "it has an owner", False: "the record is gone"}
    sending.settle(
        replace(row, state=State.DROPPED, reason=reasons[row.record.record_id in there])
        for row in left
    )
    return [row for row in rows if row not in left]


def _take_turns(
    sending: Sending, unit: Unit, rows: Sequence[Pending], present: Sequence[str]
) -> list[Pending]:
    """Fill writes with the next owners, in the transaction that keeps whose turn it was."""
    own = sending.connection
    line = sending.lookup().mapping.handoff.assign_owner.owners
    chosen: list[Pending] = []
    last = unit.handoffs.last_turn(own.id)
    for row in rows:
        following = next_owner(line, last, present)
        if following is None:
            break
        chosen.append(replace(row, fields=dict.fromkeys(row.fields, following)))
        last = following
    if chosen:
        unit.handoffs.take_turn(own, last)
        unit.handoffs.choose({row.id: row.fields for row in chosen})
    return chosen
