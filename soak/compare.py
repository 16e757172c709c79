"""What the product says at the end, held against the oracle and the twin's own log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from soak.oracle import Expected, Happened
from soak.story import Story, moment

if TYPE_CHECKING:
    from soak.installation import Installation
    from soak.workload import Workload

Json = dict[str, Any]
Acked = Mapping[str, Json]
Told = tuple[list[Json], list[Happened]]
TOLD_TWICE = ("lifecyclestage", "hs_lead_status", "hubspot_owner_id", "bnb_set_slot")
ACTIONS = {
    "propertyChange": "changed",
    "creation": "created",
    "deletion": "deleted",
    "restore": "restored",
}


@dataclass
class Verdict:
    """The difference between what is and what must be; all empty is good."""

    diverged: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    people: int = 0

    @property
    def is_good(self) -> bool:
        """Say whether nothing differs."""
        return not (self.diverged or self.lost or self.doubled)


@dataclass(frozen=True)
class Scene:
    """Both sides at one moment, the product's by its API."""

    own: Installation
    work: Workload
    story: Story
    profiles: Mapping[str, Json]  # by living contact record

    def crm(self, record: str) -> Mapping[str, str] | None:
        """Return a live contact's values in the CRM."""
        portal = self.work.twin.world.portal
        with portal.lock:
            found = portal.stores["contacts"].by_id.get(int(record))
            if found is None or found.archived_at is not None:
                return None
            return {name: found.value(name) for name in found.values}


def look(own: Installation, work: Workload, events: Iterable[Json] | None = None) -> Scene:
    """Read everything that a comparison needs."""
    rows = list(own.items("profiles"))
    told = work.twin.world.sender.events if events is None else events
    by_record = {
        one["record_id"]: row
        for row in rows
        for one in row["records"]
        if one["object"] == "contact"
    }
    return Scene(own, work, Story(list(told), work.puts, ties(work)), by_record)


def ties(work: Workload) -> list[Happened]:
    """Return who is on a deal: whoever a read finds there counts since the deal was made."""
    portal = work.twin.world.portal
    found = []
    with portal.lock:
        for (kind, deal), ends in portal.links.items():
            if kind == "deals":
                made = moment(portal.stores["deals"].by_id[deal].created_at)
                found += [
                    Happened(made, "tied", str(other), value=str(deal))
                    for other_kind, other in ends
                    if other_kind == "contacts"
                ]
    return found


def compare(scene: Scene, *, ledgers: bool = True) -> Verdict:
    """Compare every person; with `ledgers` every move as well."""
    verdict = Verdict()
    for group in sorted(set(scene.story.groups.values()), key=sorted):
        if group & scene.story.erased:
            verdict.diverged += [
                f"{one}: erased, but still shown" for one in group if one in scene.profiles
            ]
            continue
        verdict.people += 1
        live = [one for one in sorted(group) if scene.crm(one) is not None]
        if live:
            _one(scene, group, live, verdict, ledgers=ledgers)
    return verdict


def _one(
    scene: Scene, group: frozenset[str], live: list[str], verdict: Verdict, *, ledgers: bool
) -> None:
    found = {scene.profiles[one]["id"] for one in live if one in scene.profiles}
    if len(found) != 1 or any(one not in scene.profiles for one in live):
        verdict.diverged.append(f"{live}: one person, profiles {sorted(found)}")
        return
    profile = scene.profiles[live[0]]
    wanted = scene.story.expected(group)
    faults = [] if wanted.slot is None else _faults(profile, wanted)
    if faults and any(not _faults(profile, other) for other in _others(scene, group)):
        faults = []
    verdict.diverged += [f"{live}: {fault}" for fault in faults]
    if faults:
        verdict.details += _told(scene, group, profile)
    for one in live:
        crm = scene.crm(one) or {}
        verdict.diverged += [f"{one}: {fault}" for fault in _record_faults(profile, one, crm)]
    if ledgers:
        moves = list(scene.own.items(f"profiles/{profile['id']}/moves"))
        verdict.doubled += [f"{live}: {fault}" for fault in _ledger_faults(moves, profile)]
        if len(group) == 1 and not faults and len(moves) > most_moves(scene, group, wanted):
            told = [(row["from"], row["to"], row["reason"]) for row in moves]
            verdict.doubled.append(f"{live}: {told} for {wanted.moves}")


def _told(scene: Scene, group: frozenset[str], profile: Json) -> list[str]:
    """Tell a person's story as both sides know it, for whoever looks for the cause."""
    moves = scene.own.items(f"profiles/{profile['id']}/moves")
    story = sorted(scene.story.own(group), key=lambda one: one.when)
    told = [
        f"  {one.when:%H:%M:%S.%f} {one.what} {one.record} {one.name}={one.value} {one.ours}"
        for one in story
    ]
    rows = [f"  {row['occurred_at']} {row['from']} -> {row['to']} {row['reason']}" for row in moves]
    return [f"{sorted(group)} happened:", *told, "moves:", *rows]


def most_moves(scene: Scene, group: frozenset[str], wanted: Expected) -> int:
    """Return how long a ledger may be: a move that may have been made has later ones move anew."""
    unsure = sum(one.unsure for one in scene.work.asked if one.record in group)
    others = (len(one.moves) for one in _others(scene, group))
    return max([len(wanted.moves) + unsure, *others])


def _others(scene: Scene, group: frozenset[str]) -> list[Expected]:
    """Return what may be too: an API call without an answer happened, or it did not."""
    unsure = [one for one in scene.work.asked if one.unsure and one.record in group]
    return [
        scene.story.expected(
            group,
            [
                Happened(one.at, "put", one.record, value=str(one.goal))
                for place, one in enumerate(unsure)
                if number >> place & 1 and not one.done
            ],
        )
        for number in range(1, 2 ** min(len(unsure), 6))
    ]


def _faults(profile: Json, wanted: Expected) -> list[str]:
    faults = []
    if profile["slot"] != wanted.slot:
        faults.append(f"slot {profile['slot']} instead of {wanted.slot} ({wanted.moves[-3:]})")
    if profile["disposition"] != wanted.disposition:
        faults.append(f"disposition {profile['disposition']} instead of {wanted.disposition}")
    if bool(profile["success_at"]) != bool(wanted.success_at):
        faults.append(f"success {profile['success_at']} instead of {wanted.success_at}")
    return faults


def _record_faults(profile: Json, record: str, crm: Mapping[str, str]) -> list[str]:
    """Compare what we know of a record with the CRM, and the CRM with what we should have told."""
    shown = next(one for one in profile["records"] if one["record_id"] == record)
    pairs = {
        "lifecycle stage": (shown["lifecycle_stage"] or "", crm.get("lifecyclestage", "")),
        "lead status": (shown["lead_status"] or "", crm.get("hs_lead_status", "")),
        "slot on the record": (str(profile["slot"]), crm.get("bnb_lead_slot", "")),
        "profile on the record": (profile["id"], crm.get("bnb_profile_id", "")),
        "lever": ("", crm.get("bnb_set_slot", "")),
    }
    return [
        f"{what}: {ours!r}, CRM {theirs!r}"
        for what, (ours, theirs) in pairs.items()
        if ours != theirs
    ]


def _ledger_faults(moves: list[Json], profile: Json) -> list[str]:
    faults = []
    starts = [row["from"] for row in moves]
    goals = [row["to"] for row in moves]
    if starts != [None, *goals[:-1]][: len(starts)] or (goals and goals[-1] != profile["slot"]):
        faults.append(f"the ledger is no chain: {list(zip(starts, goals, strict=True))}")
    seen = Counter((row["occurred_at"], row["to"], row["reason"]) for row in moves)
    faults += [f"a move recorded {count} times: {row}" for row, count in seen.items() if count > 1]
    marks = Counter(row["reason"] for row in moves if row["reason"].startswith("soak-"))
    faults += [f"{mark} moved {count} times" for mark, count in marks.items() if count > 1]
    return faults


# Deliveries


def acked_events(deliveries: Iterable[Json]) -> dict[str, Json]:
    """Return the events that were answered with 2xx, each once."""
    return {
        key(event): event
        for row in list(deliveries)
        if row["status"] // 100 == 2
        for event in row["events"]
    }


def key(event: Mapping[str, Any]) -> str:
    """Tell one event from another, whatever the delivery."""
    return f"{event['eventId']}/{event['occurredAt']}/{event['subscriptionId']}"


def account_for(own: Installation, work: Workload, acked: Acked, erased: set[str]) -> Verdict:
    """Hold the rows of the product's inbox against the events that it acknowledged."""
    wanted = Counter(_rows_of(acked.values(), erased))
    found = Counter(
        (row["happening"], row["record_id"], seconds(row["occurred_at"]))
        for state in ("done", "pending", "parked")
        for row in own.items("inbox", state=state)
        if row["kind"] == "event" and row["object"] == "contact" and row["occurred_at"]
    )
    verdict = Verdict()
    verdict.lost = [f"{what}: {n} missing" for what, n in (wanted - found).items()]
    told, shown = _by_record(wanted), _by_record(found)
    told.update(_own_events(work))
    more = {what: shown[what] - n for what, n in told.items() if shown[what] > n}
    verdict.doubled = [f"{what}: {n} too many" for what, n in more.items()]
    return verdict


def _by_record(rows: Counter[tuple[str, str, int]]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for (what, record, _), count in rows.items():
        found[what, record] += count
    return found


def _own_events(work: Workload) -> Iterator[tuple[str, str]]:
    """Yield the rows that our own writes may have made, beside their echoes.

    A write to a record that was merged meanwhile stands in the twin's log under the survivor.
    """
    portal = work.twin.world.portal
    names: dict[str, list[str]] = {}
    for loser in list(portal.stores["contacts"].merged):
        found = portal.stores["contacts"].find(loser)
        names.setdefault(str(found.id) if found else "", []).append(str(loser))
    for row in list(portal.writes):
        if row["property"] in TOLD_TWICE:
            for record in (row["id"], *names.get(row["id"], ())):
                yield "changed", record


def _rows_of(events: Iterable[Json], erased: set[str]) -> Iterator[tuple[str, str, int]]:
    for event in events:
        noun, _, action = event["subscriptionType"].partition(".")
        record = str(event.get("objectId", ""))
        if noun == "contact" and action in ACTIONS and record not in erased:
            yield ACTIONS[action], record, event["occurredAt"] // 1000


def seconds(text: str) -> int:
    """Return the whole epoch seconds of an ISO time."""
    return int(datetime.fromisoformat(text).timestamp())


# Writes
