"""How ready an account's data is, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

LEARNS_FROM, OPENS_AT, PAIRS_AT = 5, 20, 100  # usable customers; a test holds them to `learning`
AHEAD = (20, 50, 100, 200)
SPARSE = 0.05  # of profiles

Report = Mapping[str, Any]


def readiness(report: Report) -> dict[str, Any]:
    """Return how far an account is: counts, fill, the score's interval, and what to say of it."""
    return {
        "state": report["state"],
        "customers": report["customers"],
        "usable_customers": report["usable_customers"],
        "next_at": next_at(report["usable_customers"]),
        "fill": dict(report.get("fill") or {}),
        "interval": interval(report),
        "sentences": list(_sentences(report)),
    }


def next_at(usable: int) -> int | None:
    """Return with how many usable customers more becomes possible; None: all is."""
    return next((many for many in (1, LEARNS_FROM, OPENS_AT, PAIRS_AT) if usable < many), None)


def interval(report: Report) -> list[dict[str, Any]]:
    """Return how many points either way a score leaves open, with the customers of now and more.

    It shrinks with the root of their number.
    """
    half, now = report.get("uncertainty"), report["usable_customers"]
    if half is None or not now:
        return []
    counts = [now, *(many for many in AHEAD if many > now)]
    return [
        {"usable_customers": many, "points": round(float(half) * (now / many) ** 0.5, 2)}
        for many in counts
    ]


def _sentences(report: Report) -> Iterator[str]:
    yield f"{_counted(report)}; {NEXT[_step(report)](report)}"
    late = report.get("customers_heard_of_late", 0)
    idle = report["customers"] - report["usable_customers"] - late
    if late > 0:
        yield (
            f"{_many(late, 'customer')} can't be learned from: the journey came in after the win; "
            "history that is imported counts as known when it happened"
        )
    if idle > 0:
        yield f"{_many(idle, 'customer')} can't be learned from: no journey before the win"
    if report.get("provisional"):
        yield "outcomes are provisional: too few horizons are over, who is open counts as not yet"
    yield from _how_sure(interval(report))
    lacking = [name for name, share in (report.get("fill") or {}).items() if share < SPARSE]
    if lacking:
        yield f"hardly any profile has {_listed(lacking)}"


def _how_sure(told: list[dict[str, Any]]) -> Iterator[str]:
    if not told:
        return
    now, *later = told
    more = f", with {later[0]['usable_customers']} to {later[0]['points']:.1f}" if later else ""
    yield f"a score is sure to {now['points']:.1f} points either way, 19 times of 20{more}"


def _counted(report: Report) -> str:
    usable, all_of_them = report["usable_customers"], report["customers"]
    return f"{_many(usable, 'usable customer')} of {all_of_them}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _step(report: Report) -> str:
    usable = report["usable_customers"]
    if usable >= OPENS_AT and not report.get("promoted"):
        return "held"
    names = {1: "none", LEARNS_FROM: "rules", OPENS_AT: "learning", PAIRS_AT: "trained"}
    return next((name for many, name in names.items() if usable < many), "all")


def _held(report: Report) -> str:
    why = "; ".join(str(each) for each in report.get("gate") or ())
    return f"the gate keeps the range at 3-8{f': {why}' if why else ''}"


NEXT: Mapping[str, Callable[[Report], str]] = {
    "none": lambda _: "from 1 on rules give points, before that nobody has a score",
    "rules": lambda _: f"from {LEARNS_FROM} on it learns from them instead of going by rules",
    "learning": lambda _: f"from {OPENS_AT} on the range opens to 1-10",
    "held": _held,
    "trained": lambda _: f"the range is 1-10; from {PAIRS_AT} on it learns from pairs of signs too",
    "all": lambda _: "the range is 1-10 and pairs of signs are learned from",
}
