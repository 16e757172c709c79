"""The Lead Scorer, a library of its own: numpy, scipy and scikit-learn, no Flask and no SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scorer.journeys import JourneyScorer
    from scorer.table import LeadScorer

__all__ = ["JourneyScorer", "LeadScorer"]


def __getattr__(name: str) -> Any:  # scikit-learn takes a second; who scores nobody need not wait
    if name == "LeadScorer":
        from scorer.table import LeadScorer  # noqa: PLC0415

        return LeadScorer
    if name == "JourneyScorer":
        from scorer.journeys import JourneyScorer  # noqa: PLC0415

        return JourneyScorer
    raise AttributeError(name)
