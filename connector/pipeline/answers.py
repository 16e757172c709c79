"""What sales answered, kept in the ledger: each answer beside the MQL entry that it answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connector.domain.facts import ProfileId, RecordKey
from connector.domain.steps import Actor, Story
from connector.mapping.replay import Answer, Saying
from connector.pipeline.entries import entered
from connector.pipeline.scene import Scene
from connector.stored import LedgerAnswer


def keep_answers(
    scene: Scene, profile_id: ProfileId, story: Story, sayings: dict[RecordKey, Saying]
) -> None:
    """Bring the ledger's answers up to date; what a late event made untrue is superseded."""
    entries = [move.when for move in entered(scene, profile_id, story)]
    for key, saying in sayings.items():
        stored = {one.occurred_at: one for one in scene.crowd.answers.get(key, ())}
        for answer in saying.answers:
            mql_at = max((when for when in entries if when <= answer.when), default=None)
            told = _told(key, answer, mql_at, scene.now)
            known = stored.pop(answer.when, None)
            if known is None or replace(told, recorded_at=known.recorded_at) != known:
                scene.changes.answers.append(told)
        scene.changes.unanswered += stored.values()


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
