"""What the product wrote, by the twin's own log: nothing twice, and nothing after an opt-out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from soak.backlog import NEVER
from soak.compare import Json, Scene, key
from soak.story import is_ours

if TYPE_CHECKING:
    from soak.workload import Workload

AFTER_COMMIT = 5.0  # seconds: the slow fault does a call 4 s after it began
MARKETING = ("lifecyclestage", "hs_lead_status", "hubspot_owner_id")


OUT = "opt-out"


class Change(NamedTuple):
    """When something became of a record, and when the product had taken it in, in ms."""

    at: int
    heard: int


# When all that was acknowledged by some time had been taken in; in ms.
WorkedOff = Callable[[int], int]


def repeats(work: Workload, excuses: list[tuple[float, float]], worked_off: WorkedOff) -> list[str]:
    """Return writes of a value that the field already had from us, without a fault as a cause.

    `excuses` are the times (epoch seconds) in which a write may be made again.
    """
    told: dict[tuple[str, str], list[int]] = {}
    for event in list(work.twin.world.sender.events):
        if "propertyName" in event and not is_ours(event):
            told.setdefault((str(event["objectId"]), event["propertyName"]), []).append(
                event["occurredAt"]
            )
    anew = heard(work, {"contact.restore", "contact.merge"}, worked_off)
    last: dict[tuple[str, str], Json] = {}
    found = []
    for row in list(work.twin.world.portal.writes):
        if row["object"] != "contacts":
            continue
        place = (row["id"], row["property"])
        before = last.get(place)
        last[place] = row
        if before is None or before["value"] != row["value"]:
            continue
        first, second = before["at"], row["at"]
        human = any(first <= at <= second for at in told.get(place, []))
        excused = any(begin - 1 <= second / 1000 <= end for begin, end in excuses)
        if not human and not excused and not _since(anew.get(row["id"], ()), first, second):
            at = datetime.fromtimestamp(second / 1000, UTC)
            found.append(f"{place} = {row['value']!r} again after {second - first} ms, {at:%X}")
    return found


def _since(changes: Iterable[Change], first: int, second: int) -> bool:
    """Say whether something became of a record between two writes, or was heard of only then.

    A write under the id of a record that was just merged lands on the survivor.
    """
    return any(one.at <= second and first <= one.heard + AFTER_COMMIT * 1000 for one in changes)


def after_opt_out(
    scene: Scene, excuses: list[tuple[float, float]], worked_off: WorkedOff
) -> list[str]:
    """Return what was written about people after their slot 10 had committed.

    A record counts from its own opt-out on, and from when that was acknowledged: before, it may
    have been somebody else's, who was joined to one that had opted out earlier. A write under the
    id of a record that was merged into it, of which nobody has heard yet, lands on it too.
    """
    found = []
    writes = list(scene.work.twin.world.portal.writes)
    merged = heard(scene.work, {"contact.merge"}, worked_off)
    outs = heard_opt_outs(scene.work, worked_off)
    for record, out_at in outs.items():
        profile = scene.profiles.get(record)
        if profile is None or profile["slot"] != 10:
            continue
        moves = list(scene.own.items(f"profiles/{profile['id']}/moves"))
        recorded = [datetime.fromisoformat(row["recorded_at"]).timestamp() for row in moves]
        since = max([*recorded, out_at])
        late = since + AFTER_COMMIT
        late = max([late, *(end for begin, end in excuses if begin <= since <= end)])
        for row in writes:
            if row["id"] != record or row["at"] / 1000 < late:
                continue
            if _since(merged.get(record, ()), row["at"], row["at"]):
                continue
            name, value = row["property"], row["value"]
            if name in MARKETING or (name == "bnb_lead_slot" and value != "10"):
                after = f"{row['at'] / 1000 - since:.1f} s later, at {row['at']}"
                what = f"{name}={value!r} written {after}"
                found.append(f"{record}: {what}; merges {merged.get(record)}")
    return found


def heard(
    work: Workload, kinds: Collection[str], worked_off: WorkedOff
) -> Mapping[str, list[Change]]:
    """Return what of these kinds became of records, with when its first delivery was taken in.

    The sender retries for two minutes: until then the product can't know.
    """
    sender = work.twin.world.sender
    known: dict[str, int] = {}
    for row in list(sender.deliveries):
        if row["status"] // 100 == 2:
            for event in row["events"]:
                known.setdefault(key(event), worked_off(row["at"]))
    found: dict[str, list[Change]] = {}
    for event in list(sender.events):
        if kind_of(event) in kinds:
            change = Change(event["occurredAt"], known.get(key(event), NEVER))
            found.setdefault(str(event["objectId"]), []).append(change)
    return found


def heard_opt_outs(work: Workload, worked_off: WorkedOff) -> Mapping[str, float]:
    """Return since when the product knows that records were opted out; epoch seconds."""
    told = heard(work, {OUT}, worked_off)
    found = {}
    for record, out_at in work.out_since.items():
        own = [one.heard for one in told.get(record, ()) if one.at <= out_at * 1000]
        # Never told of, it was found by a look: then its move says when.
        found[record] = max([out_at, *(at / 1000 for at in own[-1:] if at != NEVER)])
    return found


def kind_of(event: Json) -> str:
    """Return what an event tells: an opt-out, else its subscription's type."""
    out = (event.get("propertyName"), event.get("propertyValue")) == ("hs_email_optout", "true")
    return OUT if out else str(event["subscriptionType"])
