"""What is told of the journeys' benchmark: bars, a table, two curves."""

from __future__ import annotations

from collections.abc import Iterator

from bench import plots
from bench.tables import Bar, Json, table

FLAT = 1.5
_FLAT_BAR = f"flat: <= {FLAT:g} x"


def bars(r: Json) -> Iterator[Bar]:
    """Yield the bars of the issue."""
    what = f"{r['events']:,} journey events of {r['visitors']:,} visitors, {r['rules']} rules"
    sound = r["per_s"] >= 3000 and r["lost"] == 0  # noqa: PLR2004 - the issue's bar
    yield what, f"{r['per_s']:,}/s", ">= 3,000/s", sound
    for name, words in (("last_vs_first", "time"), ("last_vs_first_cpu", "processor time")):
        flat = r[name] <= FLAT
        yield f"{words} of the last tenth of them", f"{r[name]:g} x the first", _FLAT_BAR, flat
    grown = sum(r["resident_mb"][-1].values()) / sum(r["resident_mb"][0].values())
    yield (
        "memory after the last tenth of them",
        f"{grown:.2f} x after the first",
        _FLAT_BAR,
        grown <= FLAT,
    )


def table_of(r: Json) -> str:
    """Return the curve and the peaks."""
    rows = [
        [
            f"{one['events']:,}",
            f"{one['seconds']:g}",
            f"{one['acknowledged_s']:g}",
            one["us"],
            one["cpu_us"],
            f"{held['worker']:g}",
            f"{sum(held.values()):.1f}",
        ]
        for one, held in zip(r["pieces"], r["resident_mb"], strict=True)
    ]
    head = [
        "events so far",
        "s for the last tenth",
        "acknowledged after, s",
        "us an event",
        "of processors, us",
        "worker, MB",
        "all processes, MB",
    ]
    counted = f"{r['moved_by_rules']:,} moves by rules; {r['lost']} events lost."
    memory = table(["process", "peak MB"], list(r["memory_mb"].items()))
    return f"{table(head, rows)}\n\n{counted}\n\n{memory}"


def drawings(r: Json) -> Iterator[str]:
    """Draw cost and memory along the history."""
    so_far = [one["events"] for one in r["pieces"]]
    named = {"by the clock": "us", "processor time": "cpu_us"}
    cost = {
        words: list(zip(so_far, (one[name] for one in r["pieces"]), strict=True))
        for words, name in named.items()
    }
    yield plots.lines("Cost of a journey event as history grows", cost, "us", "events so far")
    held = {
        name: list(zip(so_far, (one.get(name, 0.0) for one in r["resident_mb"]), strict=True))
        for name in r["resident_mb"][-1]
    }
    yield plots.lines("Memory of the processes", held, "MB", "events so far")
