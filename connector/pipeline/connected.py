"""What a rep's word "connected" is, and where it leads: to SQL, whatever the stage was before."""

from __future__ import annotations

from collections.abc import Iterator

from connector.domain.facts import Fact, ProfileId, is_fresh
from connector.domain.slots import OPEN_TO_RULES, Slot, is_forward
from connector.domain.steps import Actor, Kind
from connector.mapping.handoff_document import sql_stage
from connector.mapping.lookup import Lookup, Words
from connector.mapping.plan import is_backward
from connector.mapping.replay import Saying
from connector.mapping.table import Meaning, plain
from connector.pipeline.bench import survivor_of
from connector.pipeline.people import Sayings
from connector.pipeline.refold import tell
from connector.pipeline.scene import Scene
from connector.stored import OwnStep

# Who is with sales, or on the way there.
OPEN = OPEN_TO_RULES | {Slot.QUALIFIED}


def says_connected(lookup: Lookup, fact: Fact) -> bool:
    """Say whether a lead status is one of those that mean connected."""
    label = lookup.vocabulary.label(fact.record.object, fact.field, fact.value)
    shown = {plain(fact.value), plain(label)} - {""}
    return bool(shown & {plain(one) for one in lookup.mapping.handoff.create_deal.status})


def is_news(scene: Scene, fact: Fact) -> bool:
    """Say whether a person set a lead status just now, and we did not know of it."""
    word = spoken(scene, fact)
    if word.ours or word.silent or not is_fresh(word.when, scene.now):
        return False
    known = scene.crowd.answers.get(fact.record, ())
    return not any(one.lead_status == fact.value and one.occurred_at >= fact.when for one in known)


def spoken(scene: Scene, fact: Fact) -> Fact:
    """Return a person's word behind a fact: what we ran over and put back is still theirs."""
    if not fact.ours:
        return fact
    theirs = [one for one in scene.known(fact.record) if one.field == fact.field and not one.ours]
    before = [one for one in theirs if one.stamp <= fact.stamp]
    last = max(before, key=lambda one: one.stamp, default=fact)
    return last if last.value == fact.value else fact


def reach_sql(scene: Scene, told: Sayings) -> set[ProfileId]:
    """Move to SQL whom a rep has just connected with; return who that is.

    Their stage is written by us, and what we write ourselves moves nobody. To be asked once the
    records have their profiles; `told` are records replayed already.
    """
    moved = set()
    for key, (saying, _) in told.items():
        fact = saying.held.get(Meaning.LEAD_STATUS)
        goal = _goal(scene, fact, saying) if fact and saying.alive else None
        record = scene.records.get(key)
        if fact and goal is not None and record is not None and record.profile_id:
            owner = survivor_of(scene, record.profile_id)
            moved |= set(_raise(scene, owner, fact, goal, told))
    return moved


def _goal(scene: Scene, fact: Fact, saying: Saying) -> Slot | None:
    """Return the slot that a word leads to by way of the hand-off, None where it says nothing."""
    lookup = scene.lookup(fact.record.connection_id)
    if not lookup.mapping.handoff.create_deal.enabled:
        return None
    if not says_connected(lookup, fact) or not is_news(scene, fact):
        return None
    held, stage = saying.value(Meaning.LIFECYCLE), sql_stage(lookup)
    if not stage or is_backward(held, stage, fact.record.object, lookup):
        return None
    goal = lookup.slot(Words(lifecycle=stage))
    return goal if goal and lookup.may_give(goal, fact.record.connection_id) else None


def _raise(
    scene: Scene, owner: ProfileId, fact: Fact, goal: Slot, told: Sayings
) -> Iterator[ProfileId]:
    before = tell(scene, owner, told).after.slot
    funnel = scene.lookup(fact.record.connection_id).funnel
    if before not in OPEN or before is None or not is_forward(funnel, before, goal):
        return
    cause = f"{Actor.CRM}:{fact.record.connection_id}"
    step = OwnStep(
        scene.new_id("stp"),
        owner,
        *(Kind.RAISE, Actor.CRM, spoken(scene, fact).when, scene.now, funnel),
        slot=goal,
        reason="connected",
        cause=cause,
        batch_id=scene.batch((cause, "connected"), cause, Actor.CRM, "connected"),
    )
    scene.take(step)
    yield owner
