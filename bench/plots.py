"""Plots as SVG text, by hand: a few rectangles and lines need no library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 44, 52
COLOURS = ("#2563a6", "#d9822b", "#3a8f5c", "#8a4f9e", "#7a7f87")
INK, GRID, ALERT = "#24292f", "#e3e6ea", "#c0392b"
TICKS = 5

Points = Sequence[tuple[float, float]]


def bars(title: str, rows: Sequence[tuple[str, float]], unit: str, groups: int = 1) -> str:
    """Draw one bar a row; every `groups` neighbours get the same sequence of colours."""
    most = _round_up(max(value for _, value in rows))
    width = (WIDTH - LEFT - RIGHT) / len(rows)
    parts = [_frame(title, unit, most)]
    for place, (label, value) in enumerate(rows):
        x, y = LEFT + place * width, _y(value, most)
        colour = COLOURS[place % groups]
        parts.append(
            f'<rect x="{x + width * 0.12:.1f}" y="{y:.1f}" width="{width * 0.76:.1f}" '
            f'height="{HEIGHT - BOTTOM - y:.1f}" fill="{colour}"/>'
        )
        middle = x + width / 2
        parts.append(_text(middle, y - 5, f"{value:,.4g}", "middle", 10))
        parts.append(_text(middle, HEIGHT - BOTTOM + 16, label, "middle", 10))
    return _svg(parts)


def lines(  # noqa: PLR0913
    title: str,
    series: Mapping[str, Points],
    unit: str,
    along: str,
    *,
    bar: float = 0.0,
    decades: bool = False,
    dots: bool = False,
) -> str:
    """Draw series over a common axis; `bar` is the value not to exceed."""
    points = [point for own in series.values() for point in own] or [(0.0, 0.0)]
    most = _round_up(max(bar * 1.1, *(y for _, y in points), 1e-9))
    xs = [math.log10(max(x, 1.0)) if decades else x for x, _ in points]
    low, high = min(xs), max(*xs, min(xs) + 1e-9)

    def at(x: float) -> float:
        own = math.log10(max(x, 1.0)) if decades else x
        return LEFT + (own - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    parts = [_frame(title, unit, most), _axis(along, low, high, decades=decades)]
    for place, (name, own) in enumerate(series.items()):
        colour = COLOURS[place % len(COLOURS)]
        drawn = [(at(x), _y(y, most)) for x, y in own]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
        if not dots:
            parts.append(
                f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            )
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in drawn]
        where = LEFT + 12 + place * 150
        parts.append(f'<rect x="{where}" y="{TOP - 12}" width="10" height="10" fill="{colour}"/>')
        parts.append(_text(where + 15, TOP - 3, name, "start", 11))
    if bar:
        y = _y(bar, most)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{ALERT}" '
            'stroke-dasharray="6 4"/>'
        )
        parts.append(_text(WIDTH - RIGHT, y - 5, f"bar {bar:g}", "end", 11, ALERT))
    return _svg(parts)


def _frame(title: str, unit: str, most: float) -> str:
    parts = [_text(LEFT, 20, title, "start", 14)]
    for tick in range(TICKS + 1):
        value = most * tick / TICKS
        y = _y(value, most)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>'
        )
        parts.append(_text(LEFT - 8, y + 4, f"{value:,.4g}", "end", 11))
    parts.append(_text(LEFT - 8, TOP - 10, unit, "end", 11))
    return "".join(parts)


def _axis(along: str, low: float, high: float, *, decades: bool) -> str:
    parts = [_text((WIDTH + LEFT) / 2, HEIGHT - 12, along, "middle", 11)]
    for tick in range(TICKS):
        value = low + (high - low) * tick / (TICKS - 1)
        x = LEFT + tick / (TICKS - 1) * (WIDTH - LEFT - RIGHT)
        told = f"{10**value:,.0f}" if decades else f"{value:,.4g}"
        parts.append(_text(x, HEIGHT - BOTTOM + 16, told, "middle", 11))
    return "".join(parts)


def _y(value: float, most: float) -> float:
    return HEIGHT - BOTTOM - value / most * (HEIGHT - BOTTOM - TOP)


def _round_up(value: float) -> float:
    """Return the next number that makes round ticks."""
    decade = 10 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(step * decade for step in (1, 1.5, 2, 3, 4, 5, 7.5, 10) if step * decade >= value)


def _text(x: float, y: float, words: str, anchor: str, size: int, colour: str = INK) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"'
    return f"<text {place}>{escape(words)}</text>"


def _svg(parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, sans-serif">'
    )
    return "\n".join(
        [head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', *parts, "</svg>\n"]
    )
