"""What sales answered, kept in the ledger: each answer beside the MQL entry that it answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connector.domain.facts import RecordKey
from connector.domain.slots import Role, Slot
from connector.domain.steps import Actor, Story
from connector.mapping.replay import Answer, Saying
from connector.pipeline.scene import Scene
from connector.stored import LedgerAnswer


def keep_answers(scene: Scene, story: Story, sayings: dict[RecordKey, Saying]) -> None:
    """Bring the ledger's answers up to date; what a late event made untrue is superseded."""
    mql = scene.pipeline.slot_of(Role.MQL)
    for key, saying in sayings.items():
        stored = {one.occurred_at: one for one in scene.crowd.answers.get(key, ())}
        for answer in saying.answers:
            told = _told(key, answer, _entry(story, mql, answer.when), scene.now)
            known = stored.pop(answer.when, None)
            if known is None or replace(told, recorded_at=known.recorded_at) != known:
                scene.changes.answers.append(told)
        scene.changes.unanswered += stored.values()


def _entry(story: Story, mql: Slot, when: datetime) -> datetime | None:
    """Return the last entry to MQL by then."""
    return max((m.when for m in story.moves if m.goal is mql and m.when <= when), default=None)


def _told(key: RecordKey, answer: Answer, mql_at: datetime | None, now: datetime) -> LedgerAnswer:
    return LedgerAnswer(
        key,
        answer.status,
        answer.disposition,
        Actor.SYSTEM if answer.ours else Actor.CRM,
        mql_at,
        answer.when,
        now,
    )
