"""The story, scene by scene, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from connector.demo import reading, scoring, visiting, writing
from connector.demo.http import Unexpected
from connector.demo.stage import CutShort, Stage, Step

Scene = Callable[[Stage], None]

SCENES: Sequence[tuple[str, Scene]] = (
    ("backfill", reading.backfilled),
    ("a rep's edits", reading.edited),
    ("ten edits, timed", reading.timed),
    ("bad timing", reading.bad_timing),
    ("the rep's lever", reading.lever),
    ("moves by API", writing.moved),
    ("a rep is faster", writing.overtaken),
    ("opt-out", writing.opted_out),
    ("twice and backwards", writing.doubled),
    ("a won deal", reading.won),
    ("undo", writing.undone),
    ("from visitor to deal", visiting.handed_over),
    ("from Customers to scores", scoring.scored),
)
MOST_FAILURES = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """Every step of the story, and the scenes that were not played because others failed."""

    steps: Sequence[Step]
    edits: Sequence[float]
    not_played: Sequence[str]

    @property
    def failed(self) -> list[Step]:
        """The steps that were not as expected."""
        return [step for step in self.steps if not step.ok]

    @property
    def ok(self) -> bool:
        """Say whether everything was as expected."""
        return not self.failed and not self.not_played

    def summary(self) -> dict[str, object]:
        """Return it as plain JSON."""
        return {
            "ok": self.ok,
            "median_seconds": round(median(self.edits), 3) if self.edits else None,
            "steps": [asdict(step) for step in self.steps],
            "failed": [f"{step.scene}: {step.deed}: {step.read_from}" for step in self.failed],
            "not_played": list(self.not_played),
        }


def play(stage: Stage, scenes: Sequence[tuple[str, Scene]] = SCENES) -> Outcome:
    """Play scene after scene; one that fails ends there, and the second ends the story.

    Where nothing arrives, each failure has waited for the whole patience: it is halved then.
    """
    failures, missing = 0, []
    for title, scene in scenes:
        if failures == MOST_FAILURES:
            missing.append(title)
        elif not _went_well(stage, title, scene):
            failures += 1
            stage.patience /= 2
    return Outcome(stage.steps, stage.edits, missing)


def _went_well(stage: Stage, title: str, scene: Scene) -> bool:
    stage.open(title)
    try:
        scene(stage)
    except CutShort:
        return False
    except Unexpected as error:
        stage.breaks(error)
        return False
    return True
