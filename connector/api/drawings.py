"""Plots as SVG inside a page: a few rectangles and lines, coloured by the page's own style."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 440, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 20, 14, 40
TICKS = 4
ROW = 22  # a bar that lies
LONGEST = 26  # letters beside it
FEW_LABELS = 6
NOTHING = "–"  # noqa: RUF001 - a dash
STEPS = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)  # that four ticks cut well


class Bar(NamedTuple):
    """A bar, and perhaps the interval that its end lies in."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None


class Dot(NamedTuple):
    """A point, and perhaps the interval that it lies in."""

    x: float
    y: float
    low: float
    high: float


class Level(NamedTuple):
    """A line across, and its name."""

    value: float
    name: str


def bars(title: str, rows: Sequence[Bar], axes: tuple[str, str], level: Level) -> str:
    """Draw bars that stand, with their intervals, and a level to hold them against."""
    tops = [row.high or row.value or 0.0 for row in rows]
    most = _round_up(max([*tops, level.value]))
    wide = (WIDTH - LEFT - RIGHT) / max(1, len(rows))
    parts = [_frame(most, axes)]
    for place, row in enumerate(rows):
        middle = LEFT + (place + 0.5) * wide
        if row.value is not None:
            y = _y(row.value, most)
            parts.append(_box(middle - wide * 0.36, y, wide * 0.72, _y(0, most) - y, "bar"))
        if row.value is not None and row.low is not None and row.high is not None:
            parts.append(_whisker(middle, _y(row.low, most), _y(row.high, most)))
        parts.append(_text(middle, HEIGHT - BOTTOM + 15, row.label, "middle"))
    crowded = bool(rows) and (rows[-1].value or 0.0) > level.value
    return _svg(title, [*parts, _across(level, most, "start" if crowded else "end")])


def lying(title: str, rows: Sequence[Bar]) -> str:
    """Draw bars that lie, for names that are long; values are shares."""
    most = max([row.value or 0.0 for row in rows], default=1.0) or 1.0
    start, parts = 186.0, []
    for place, row in enumerate(rows):
        y, value = TOP + place * ROW, row.value or 0.0
        long = value / most * (WIDTH - start - 48)
        parts.append(_text(start - 6, y + 14, _cut(row.label), "end"))
        parts.append(_box(start, y + 3, long, ROW - 7, "bar"))
        parts.append(_text(start + long + 5, y + 14, percent(value), "start"))
    return _svg(title, parts, TOP + len(rows) * ROW + 6)


def dots(title: str, rows: Sequence[Dot], axes: tuple[str, str]) -> str:
    """Draw points with their intervals against the line where both axes are equal."""
    most = _round_up(max([max(row.x, row.y) for row in rows], default=1.0) * 1.15)
    most = min(1.0, most)
    end = min(most, 1.0)
    parts = [_frame(most, axes), *_along(most)]
    parts.append(_line(_x(0, most), _y(0, most), _x(end, most), _y(end, most), "level"))
    for row in rows:
        parts.append(_whisker(_x(row.x, most), _y(row.low, most), _y(min(row.high, most), most)))
        parts.append(
            f'<circle class="dot" cx="{_x(row.x, most):.1f}" cy="{_y(row.y, most):.1f}" r="4"/>'
        )
    return _svg(title, parts)


def stacked(title: str, days: Sequence[tuple[str, Sequence[float]]], axes: tuple[str, str]) -> str:
    """Draw each day's shares on top of each other, the first at the bottom; they sum to one."""
    wide = (WIDTH - LEFT - RIGHT) / max(1, len(days))
    parts = [_frame(1.0, axes)]
    for place, (_, shares) in enumerate(days):
        below = 0.0
        for number, share in enumerate(shares, start=1):
            y = _y(below + share, 1.0)
            if share > 0:
                at = LEFT + place * wide + wide * 0.06
                parts.append(_box(at, y, wide * 0.88, _y(below, 1.0) - y, f"s{number}"))
            below += share
    return _svg(title, [*parts, *_days([day for day, _ in days], wide)])


def curve(
    title: str, days: Sequence[tuple[str, float | None]], axes: tuple[str, str], level: Level
) -> str:
    """Draw a value by day; a day without one is a gap."""
    told = [value for _, value in days if value is not None]
    most = _round_up(max([*told, level.value]) * 1.05)
    wide = (WIDTH - LEFT - RIGHT) / max(1, len(days))
    parts, piece = [_frame(most, axes), _across(level, most)], []
    for place, (_, value) in enumerate([*days, ("", None)]):
        if value is not None:
            piece.append((LEFT + (place + 0.5) * wide, _y(value, most)))
            continue
        if piece:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in piece)
            parts.append(f'<polyline class="line" points="{path}"/>')
        parts += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in piece]
        piece = []
    return _svg(title, [*parts, *_days([day for day, _ in days], wide)])


def percent(value: float | None) -> str:
    """Return a share in words; a dash where there is none."""
    if value is None:
        return NOTHING
    told = 100 * value
    return f"{told:.0f} %" if told >= 10 or told == 0 else f"{told:.1f} %"  # noqa: PLR2004


def _frame(most: float, axes: tuple[str, str]) -> str:
    along, up = axes
    parts = []
    for tick in range(TICKS + 1):
        y = _y(most * tick / TICKS, most)
        parts.append(_line(LEFT, y, WIDTH - RIGHT, y, "grid"))
        parts.append(_text(LEFT - 5, y + 4, _tick(most * tick / TICKS, up), "end"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, along, "middle"))
    return "".join(parts)


def _along(most: float) -> list[str]:
    ticks = [most * tick / TICKS for tick in range(1, TICKS + 1)]
    return [_text(_x(x, most), HEIGHT - BOTTOM + 15, _tick(x, "%"), "middle") for x in ticks]


def _days(days: Sequence[str], wide: float) -> list[str]:
    every = max(1, -(-len(days) // FEW_LABELS))
    return [
        _text(LEFT + (place + 0.5) * wide, HEIGHT - BOTTOM + 15, day, "middle")
        for place, day in enumerate(days)
        if place % every == 0
    ]


def _across(level: Level, most: float, anchor: str = "end") -> str:
    y = _y(level.value, most)
    name = _text(
        LEFT + 4 if anchor == "start" else WIDTH - RIGHT, y - 4, level.name, anchor, "name"
    )
    return _line(LEFT, y, WIDTH - RIGHT, y, "level") + name


def _whisker(x: float, low: float, high: float) -> str:
    ends = "".join(_line(x - 4, y, x + 4, y, "whisker") for y in (low, high))
    return _line(x, low, x, high, "whisker") + ends


def _tick(value: float, unit: str) -> str:
    return percent(value) if unit == "%" else f"{value:.3g}"


def _x(value: float, most: float) -> float:
    return LEFT + value / most * (WIDTH - LEFT - RIGHT)


def _y(value: float, most: float) -> float:
    return HEIGHT - BOTTOM - value / most * (HEIGHT - BOTTOM - TOP)


def _round_up(value: float) -> float:
    """Return the next number that makes round ticks."""
    decade = 1e-6
    while decade * 10 < value:
        decade *= 10
    return next((step * decade for step in STEPS if step * decade >= value), 1.0)


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def _text(x: float, y: float, words: str, anchor: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _box(x: float, y: float, width: float, height: float, kind: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(0.0, height):.1f}"'
    return f'<rect class="{kind}" {place}/>'


def _line(x: float, y: float, to_x: float, to_y: float, kind: str) -> str:
    place = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
    return f'<line class="{kind}" {place}/>'


def _svg(title: str, parts: Sequence[str], height: float = HEIGHT) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}">'
    return f"{head}<title>{escape(title)}</title>{''.join(parts)}</svg>"
