"""The model that serves, against the one that wants to: on rows that neither has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scorer.alarms import Alarm
from scorer.gates import Verdict
from scorer.kinds import Ints
from scorer.landmarks import Rows
from scorer.learning import Learned

FEWEST_WON = 20  # successes that a comparison takes
LEAST_SHARE = 0.2  # of all successes that the newest window must hold
OUTGROWN = 2  # times the customers that a champion was learned from


def outgrown(customers: int, champion: Mapping[str, Any]) -> bool:
    """Say, by its report, whether a champion knew so few of the customers that it is no measure.

    It took the others for people who don't win, and most rows there are it has seen.
    """
    return customers >= OUTGROWN * int(champion["customers_learned_from"])


def held_out(rows: Rows, learned: Learned, since: int) -> Ints:
    """Return which of a challenger's unseen rows to compare on, the latest that are enough.

    What became known after the champion had learned flatters neither. If that is too little, the
    newest window stands in, or every row: the champion has seen many of those, so in doubt it
    stays.
    """
    seen = learned.seen
    won = rows.y[seen] > 0
    later = rows.known[seen] > since
    newest = np.isin(seen, rows.newest)
    if won[later].sum() >= FEWEST_WON:
        return np.flatnonzero(later)
    if won[newest].sum() >= max(FEWEST_WON, LEAST_SHARE * won.sum()):
        return np.flatnonzero(newest)
    return np.arange(len(seen))


def without_new_leaks(verdict: Verdict, mine: Sequence[Alarm], theirs: Sequence[Alarm]) -> Verdict:
    """Refuse a challenger that knows too much where the champion does not."""
    known = {alarm.about for alarm in theirs}
    faults = tuple(alarm.text for alarm in mine if alarm.about not in known)
    return replace(
        verdict, promoted=verdict.promoted and not faults, reasons=(*verdict.reasons, *faults)
    )
