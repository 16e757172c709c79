"""The plots of a model's page, each with the same numbers in a table under it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from connector.api.drawings import (
    NOTHING,
    Bar,
    Dot,
    Level,
    bars,
    curve,
    dots,
    lying,
    percent,
    stacked,
)

Report = Mapping[str, Any]
MOVED, OFF = 0.25, 0.10  # from where drift and miscalibration hold pushes back
SCORES = range(1, 11)


def drawn(report: Report) -> Iterator[str]:
    """Return each plot of a report as a figure, with its numbers under it."""
    plots = report.get("plots") or {}
    if plots.get("rows"):
        yield _lift(plots["lift"])
        yield _calibration(plots["calibration"])
        yield _conversion(plots["conversion"], float(plots["base"]))
    if plots.get("groups"):
        yield _groups(plots["groups"])
    if report.get("distribution"):
        yield _distribution(report["distribution"])
    if report.get("drift"):
        yield from _drift(report["drift"])


def _lift(rows: Sequence[Report]) -> str:
    title = "Lift by tenth"
    drawn = [Bar(str(row["tenth"]), number(row["lift"])) for row in rows]
    svg = bars(
        title, drawn, ("tenth of profiles, highest scored first", "x"), Level(1.0, "average")
    )
    told = [
        [row["tenth"], row["rows"], row["won"], percent(row["rate"]), f"{row['lift']:.2f} x"]
        for row in rows
    ]
    words = "How many times the average rate each tenth became customers."
    return _figured(title, words, svg, table("", ["tenth", "rows", "won", "rate", "lift"], told))


def _calibration(rows: Sequence[Report]) -> str:
    title = "Calibration"
    drawn = [
        Dot(float(row["predicted"]), float(row["rate"]), float(row["low"]), float(row["high"]))
        for row in rows
    ]
    svg = dots(title, drawn, ("chance foretold", "%"))
    told = [
        [percent(row["predicted"]), percent(row["rate"]), _between(row), row["rows"]]
        for row in rows
    ]
    words = "What was foretold against what happened; on the line the chances are true."
    head = ["foretold", "happened", "19 of 20 times in", "rows"]
    return _figured(title, words, svg, table("", head, told))


def _conversion(rows: Sequence[Report], base: float) -> str:
    title = "Conversion by score"
    drawn = [
        Bar(str(row["score"]), row["rate"], float(row["low"]), float(row["high"])) for row in rows
    ]
    svg = bars(title, drawn, ("score", "%"), Level(base, "base"))
    told = [
        [
            row["score"],
            row["rows"],
            row["won"],
            percent(row["rate"]),
            _between(row) if row["rows"] else NOTHING,
        ]
        for row in rows
    ]
    words = "How often profiles of each score became customers within the horizon."
    head = ["score", "rows", "won", "rate", "19 of 20 times in"]
    return _figured(title, words, svg, table("", head, told))


def _groups(rows: Sequence[Report]) -> str:
    title = "What moves scores"
    svg = lying(title, [Bar(str(row["group"]), number(row["share"])) for row in rows])
    told = [[row["group"], percent(row["share"])] for row in rows]
    words = "Each group's share of all points, up and down alike."
    return _figured(title, words, svg, table("", ["group", "share"], told))


def _distribution(rows: Sequence[Any]) -> str:
    title = "Scores over time"
    counted = [(str(day), [_count(counts, score) for score in SCORES]) for day, counts in rows]
    shares = [(day[5:], [one / (sum(own) or 1) for one in own]) for day, own in counted]
    svg = stacked(title, shares, ("day", "%"))
    key = "".join(f'<span class="key s{score}">{score}</span>' for score in SCORES)
    told = [[day, *own] for day, own in counted]
    words = f"Share of profiles with each score. {key}"
    head = ["day", *(str(score) for score in SCORES)]
    return _figured(title, words, svg, table("", head, told))


def _drift(rows: Sequence[Report]) -> Iterator[str]:
    days = [str(row.get("at", ""))[5:10] for row in rows]
    kinds = (
        (
            "psi",
            "Drift of scores",
            "PSI",
            MOVED,
            "Population stability index against the rows it learned from.",
        ),
        (
            "calibration_error",
            "Calibration since",
            "%",
            OFF,
            "How far chances have missed what happened since.",
        ),
    )
    for key, title, unit, limit, words in kinds:
        values = [number(row.get(key)) for row in rows]
        if all(value is None for value in values):
            continue
        svg = curve(
            title, list(zip(days, values, strict=True)), ("day", unit), Level(limit, "alarm")
        )
        told = [
            [row.get("at", ""), percent(value) if unit == "%" else figure(value)]
            for row, value in zip(rows, values, strict=True)
        ]
        yield _figured(title, words, svg, table("", ["at", unit], told))


def _figured(title: str, words: str, svg: str, numbers: str) -> str:
    return (
        f"<figure><figcaption><strong>{said(title)}</strong> {words}</figcaption>{svg}{numbers}"
        "</figure>"
    )


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table that scrolls within its place."""
    named = f"<caption>{said(caption)}</caption>" if caption else ""
    tops = "".join(f'<th scope="col">{said(each)}</th>' for each in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{said(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<div class="numbers" tabindex="0"><table>{named}<thead><tr>{tops}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _between(row: Report) -> str:
    return f"{percent(row['low'])} to {percent(row['high'])}"


def _count(counts: Mapping[Any, Any], score: int) -> int:
    return int(counts.get(score, counts.get(str(score), 0)) or 0)


def number(value: Any) -> float | None:
    """Return a number as such, None for anything else."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def figure(value: Any) -> str:
    """Return a number in three digits, a dash where there is none."""
    told = number(value)
    return NOTHING if told is None else f"{told:.3g}"


def said(value: Any) -> str:
    """Return a value as text that is no markup."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return escape(str(value))
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
