"""Points that hold before anything can be learned: shown, never hidden, and soon outvoted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scorer.kinds import Floats
from scorer.levels import Scales, levels_of
from scorer.points import Points, average

PRIOR: Mapping[str, float] = {
    "page:pricing|count_30": 0.8,
    "page:demo|count_30": 0.8,
    "page:checkout|count_30": 0.8,
    "page:contact|count_30": 0.6,
    "page:case study|count_90": 0.4,
    "page:comparison|count_90": 0.4,
    "page:careers|count_90": -0.8,
    "page:investors|count_90": -0.5,
    "page:support|count_30": -0.2,
    "type:contact_us|count_30": 1.0,
    "type:form_submitted|count_30": 0.8,
    "type:verified_conversion|count_90": 0.8,
    "type:identity_conversion|count_90": 0.5,
    "type:authentication|count_90": 0.5,
    "type:incentive_claimed|count_90": 0.4,
    "all:|count_7": 0.5,
    "visit:|days_30": 0.3,
}


def prior_points(scales: Scales, base: float) -> Points:
    """Return the rules as a model: points for having done something, the average person at base."""
    table: Floats = np.zeros(int(scales.starts[-1]))
    for number, scale in enumerate(scales.all):
        if scale.name in PRIOR:
            here = slice(scales.starts[number], scales.starts[number + 1])
            table[here] = PRIOR[scale.name]
            table[scales.starts[number] + int(levels_of(scale, np.zeros(1))[0])] = 0.0
    bare = Points(0.0, table)
    return Points(base - float(average(bare, scales).sum()), table)
