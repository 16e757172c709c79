"""What docs/benchmarks.md says of the scorer's scale: bars, tables and plots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench import plots

Json = dict[str, Any]
Bar = tuple[str, str, str, bool]
LEAST_SCORED, LEAST_EXPLAINED = 20_000, 5_000  # rows a second
MOST_MS = 20
# rows -> seconds, and gigabytes where they are limited (DESIGN 10)
TRAINED: Mapping[int, tuple[float, float | None]] = {
    10_000: (10, None),
    100_000: (30, None),
    1_000_000: (240, 4),
}


def bars(r: Json) -> Iterator[Bar]:
    """Return how each bar was met, by seconds of processor time: one thread, whatever else runs."""
    for row in r["rows"]:
        seconds, most = TRAINED.get(row["rows"], (None, None))
        if seconds is None:
            continue
        what = f"training on {row['rows']:,} x {row['columns']:,}, one thread"
        got = f"{row['train_cpu_s']:.1f} s CPU ({row['train_s']:.1f} s wall)"
        yield what, got, f"<= {seconds:g} s", row["train_cpu_s"] <= seconds
        if most:
            held = row["peak_mb"] / 1024
            yield (
                f"its memory, {row['rows']:,} rows",
                f"{held:.2f} GB",
                f"< {most:g} GB",
                held < most,
            )
    worst = min(row["score_per_s"] for row in r["rows"])
    yield "scoring, rows/s", f"{worst:,.0f}", f">= {LEAST_SCORED:,}", worst >= LEAST_SCORED
    told = min(row["reasons_per_s"] for row in r["rows"])
    yield "with reasons, rows/s", f"{told:,.0f}", f">= {LEAST_EXPLAINED:,}", told >= LEAST_EXPLAINED
    if r["serving"]:
        worst, wall = r["serving"]["cpu_ms_95"], r["serving"]["ms_95"]
        got = f"{worst:.1f} ms CPU ({wall:.1f} ms wall)"
        yield "one profile with reasons, p95", got, f"< {MOST_MS} ms", worst < MOST_MS


def tables(r: Json) -> str:
    """Return what was measured in words."""
    rows = [
        [
            f"{row['rows']:,}",
            f"{row['cells_a_row']:.0f}",
            f"{row['train_cpu_s']:.1f}",
            f"{row['train_s']:.1f}",
            f"{row['made_mb']:,.0f}",
            f"{row['peak_mb']:,.0f}",
            f"{row['auc']:.3f}",
            *(f"{row[f'{name}_per_s']:,.0f}" for name in ("score", "reasons", "sentences")),
        ]
        for row in r["rows"]
    ]
    head = ["rows", "told a row", "train, CPU s", "wall s", "matrix MB", "peak MB", "AUC"]
    head += ["scored/s", "with reasons/s", "in words/s"]
    told = [
        [
            f"{row['profiles']:,}",
            f"{row['events']:,}",
            f"{row['rows']:,} x {row['columns']:,}",
            f"{row['cells_a_row']:.0f}",
            *(
                f"{row[f'{name}_cpu_s']:.1f} ({row[f'{name}_s']:.1f})"
                for name in ("read", "build", "fit")
            ),
            f"{row['peak_mb']:,.0f}",
            f"{row['model_kb']:,.0f}",
        ]
        for row in r["journeys"]
    ]
    parts = [_table(head, rows)]
    if told:
        names = ["profiles", "events", "rows x columns", "told a row", "read, CPU s (wall)"]
        names += ["features built", "whole fit", "peak MB", "model kB"]
        parts += [
            "From event logs, features included:",
            _table(names, told),
            _serving(r["serving"]),
        ]
    return "\n\n".join(parts)


def drawings(r: Json) -> Iterator[str]:
    """Return the curves."""
    for title, name, unit in (
        ("Training, processor time", "train_cpu_s", "s"),
        ("Peak memory of training", "peak_mb", "MB"),
    ):
        series = {name: [(row["rows"], row[name]) for row in r["rows"]]}
        yield plots.lines(title, series, unit, "rows", decades=True)


def _serving(one: Json) -> str:
    clocks = ", ".join(
        f"p{part} {one[f'cpu_ms_{part}']:.1f} ms CPU ({one[f'ms_{part}']:.1f} wall)"
        for part in (50, 95, 99)
    )
    memory = f"{one['import_mb']:.0f} MB resident"
    return (
        f"A fresh process: import {one['import_cpu_s']:.2f} s CPU, {memory}, loading the model "
        f"{1000 * one['load_cpu_s']:.0f} ms; one profile from raw events to reasons {clocks}; "
        f"{one['peak_mb']:.0f} MB in the end."
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
