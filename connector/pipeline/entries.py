"""Entries to MQL are kept beside the ledger: as they were then, and what sales made of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connector.domain.entries import Entry, Stay, reached, stays
from connector.domain.facts import ProfileId, RecordKey
from connector.domain.slots import Role
from connector.domain.steps import Actor, Move, Story
from connector.mapping.replay import Answer, Saying
from connector.mapping.table import Meaning
from connector.pipeline.scene import Scene

Sayings = dict[RecordKey, Saying]


def keep_entries(scene: Scene, profile_id: ProfileId, story: Story, sayings: Sayings) -> None:
    """Bring a profile's entries up to date; what a late event made untrue is superseded."""
    stored = {one.key: one for one in scene.crowd.entries.get(profile_id, ())}
    scores = {one.key: one.score for one in (*_brought(scene, profile_id), *stored.values())}
    for told in _told(scene, profile_id, story, sayings):
        fresh = replace(told, score=scores.get(told.key, _score(scene, profile_id)))
        if fresh != stored.pop(told.key, None):
            scene.changes.entries.append(fresh)
    scene.changes.unentered += stored.values()


def _score(scene: Scene, profile_id: ProfileId) -> int | None:
    known = scene.scores.get(profile_id)
    return known.value if known else None


def entered(scene: Scene, profile_id: ProfileId, story: Story) -> list[Move]:
    """Return the moves by which a profile became an MQL; an undone batch qualifies nobody anew."""
    mql = scene.pipeline.slot_of(Role.MQL)
    undoing = {own.id for own in scene.steps.get(profile_id, ()) if own.unmuting}
    return [one for one in story.moves if one.goal is mql and one.step.key not in undoing]


def _brought(scene: Scene, profile_id: ProfileId) -> list[Entry]:
    """Return the entries of profiles that were joined to this one."""
    losers = [loser for loser, into in scene.changes.rehomed.items() if into == profile_id]
    return [one for loser in losers for one in scene.crowd.entries.get(loser, ())]


def _told(scene: Scene, profile_id: ProfileId, story: Story, sayings: Sayings) -> list[Entry]:
    found = stays(story.moves, entered(scene, profile_id, story))
    return [_entry(scene, profile_id, stay, sayings) for stay in found]


def _entry(scene: Scene, profile_id: ProfileId, stay: Stay, sayings: Sayings) -> Entry:
    move, funnel = stay.move, scene.pipeline.funnel
    sal, sql = (scene.pipeline.slot_of(role) for role in (Role.SAL, Role.SQL))
    answers = _answers(sayings, stay)
    touched = [one.when for key, one in answers if _is_touch(scene, key, one)]
    sql_at = reached(stay.after, sql, funnel)
    ways = (reached(stay.after, sal, funnel), sql_at)
    return Entry(
        profile_id,
        move.step.key,
        move.when,
        _rule(scene, profile_id, move),
        _owner(scene, sayings, stay),
        accepted_at=min((when for when in ways if when), default=None),
        sql_at=sql_at,
        touched_at=min(touched, default=None),
        dispositions=tuple(sorted({one.disposition for _, one in answers if one.disposition})),
    )


def _is_within(stay: Stay, when: datetime) -> bool:
    return stay.move.when <= when and (stay.end is None or when < stay.end)


def _answers(sayings: Sayings, stay: Stay) -> list[tuple[RecordKey, Answer]]:
    """Return what sales answered from an entry on, up to the next."""
    told = ((key, one) for key, saying in sayings.items() for one in saying.answers)
    return [(key, one) for key, one in told if _is_within(stay, one.when)]


def _is_touch(scene: Scene, key: RecordKey, answer: Answer) -> bool:
    lookup = scene.lookup(key.connection_id)
    return not answer.ours and lookup.is_touch(_said(answer), answer.disposition, key.object)


def _said(answer: Answer) -> str:
    """Return the lead status that an answer gave: none where a deal changed the disposition."""
    return "" if answer.restated else answer.status


def _rule(scene: Scene, profile_id: ProfileId, move: Move) -> str:
    """Name the rule behind a move, or else the actor."""
    if move.step.actor is not Actor.RULE:
        return str(move.step.actor)
    own = (one.cause for one in scene.steps.get(profile_id, ()) if one.id == move.step.key)
    return next(own, "").removeprefix("rule:") or str(Actor.RULE)


def _owner(scene: Scene, sayings: Sayings, stay: Stay) -> str:
    """Return whose the records were at the entry, or the first they were given to until the end."""
    then, later = [], []
    for key in sayings:
        name = scene.lookup(key.connection_id).mapping.name_of(key.object, Meaning.OWNER)
        facts = sorted((f for f in scene.known(key) if f.field == name), key=lambda f: f.stamp)
        then += [fact for fact in facts if fact.when <= stay.move.when][-1:]
        later += [f for f in facts if f.when > stay.move.when and _is_within(stay, f.when)]
    held = max((fact for fact in then if fact.value), key=lambda f: f.stamp, default=None)
    given = min((fact for fact in later if fact.value), key=lambda f: f.stamp, default=None)
    owned = held or given
    return owned.value if owned else ""
