"""Reasons in plain words, short enough for a CRM's field."""

from __future__ import annotations

from collections.abc import Mapping

from scorer.levels import INTERCEPT

LONGEST = 255
LEAST = 0.05  # points that are worth a word
TOP = 4

Told = Mapping[str, float]  # group -> points


def top(points: Told, most: int = TOP) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """Return the groups that raise a score most and those that lower it most."""
    known = [(group, value) for group, value in points.items() if group != INTERCEPT]
    ups = sorted((each for each in known if each[1] >= LEAST), key=lambda it: (-it[1], it[0]))
    downs = sorted((each for each in known if each[1] <= -LEAST), key=lambda it: (it[1], it[0]))
    return ups[:most], downs[:most]


def changed(points: Told, before: Told, most: int = TOP) -> list[tuple[str, float]]:
    """Return what changed most since the last score."""
    groups = (set(points) | set(before)) - {INTERCEPT}
    gaps = [(group, points.get(group, 0.0) - before.get(group, 0.0)) for group in groups]
    told = sorted((each for each in gaps if abs(each[1]) >= LEAST), key=_loudest_first)
    return told[:most]


def sentence(points: Told, before: Told | None = None, longest: int = LONGEST) -> str:
    """Return why a score is what it is, and what changed; whole reasons only, at most so long."""
    ups, downs = top(points)
    news = changed(points, before) if before is not None else []
    parts = {"Up": ups, "Down": downs, "New": news}
    while True:
        text = "; ".join(
            f"{title}: {', '.join(f'{group} {value:+.1f}' for group, value in told)}"
            for title, told in parts.items()
            if told
        )
        if len(text) <= longest:
            return text or "Nothing stands out"[:longest]
        most = max(parts, key=lambda title: len(parts[title]))
        parts[most] = parts[most][:-1]


def _loudest_first(each: tuple[str, float]) -> tuple[float, str]:
    return -abs(each[1]), each[0]
