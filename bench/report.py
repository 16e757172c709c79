"""docs/benchmarks.md and its plots, made from the JSON beside them: they can't disagree."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench import journeys_told, plots, scorerpage
from bench.tables import Bar, Json, table
from bench.texts import HEAD, METHOD, TITLES

DOCS = Path(__file__).parents[1] / "docs"
ORDER = tuple(TITLES)


def publish(told: Mapping[str, Json], docs: Path) -> None:
    """Store what was measured, then write plots and the page anew from all that is stored."""
    folder = docs / "benchmarks"
    folder.mkdir(exist_ok=True)
    for name, one in told.items():
        (folder / f"{name}.json").write_text(json.dumps(one, indent=1) + "\n")
    known = stored(docs)
    for name, one in known.items():
        for place, drawing in enumerate(_PLOTS.get(name, _no_plots)(one["result"])):
            (folder / _plot_name(name, place)).write_text(drawing)
    (docs / "benchmarks.md").write_text(render(known))


def stored(docs: Path) -> dict[str, Json]:
    """Return what was published."""
    found = {}
    for name in ORDER:
        path = docs / "benchmarks" / f"{name}.json"
        if path.exists():
            found[name] = json.loads(path.read_text())
    return found


def render(known: Mapping[str, Json]) -> str:
    """Return the page."""
    parts = [HEAD, _summary(known)]
    for name, one in known.items():
        parts += [f"## {TITLES[name]}", METHOD[name], _circumstances(one)]
        parts.append(_TABLES[name](one["result"]))
        drawings = list(_PLOTS.get(name, _no_plots)(one["result"]))
        parts += [
            f"![{TITLES[name]}](benchmarks/{_plot_name(name, place)})"
            for place in range(len(drawings))
        ]
    return "\n\n".join(parts) + "\n"


def verdicts(name: str, one: Json) -> list[str]:
    """Say how each bar of DESIGN 10 was met."""
    return [f"{what}: {got}, bar {bar}: {_met(ok)}" for what, got, bar, ok in _bars(name, one)]


def _summary(known: Mapping[str, Json]) -> str:
    rows = [
        [what, got, bar, _met(ok)]
        for name, one in known.items()
        for what, got, bar, ok in _bars(name, one)
    ]
    return table(["what", "measured", "bar", ""], rows)


def _met(ok: bool) -> str:  # noqa: FBT001
    return "met" if ok else "**missed**"


def _plot_name(name: str, place: int) -> str:
    return f"{name}.svg" if place == 0 else f"{name}-{place + 1}.svg"


def _circumstances(one: Json) -> str:
    machine = one["machine"]
    told = (
        f"`{one['command']}` · {machine['at']} · commit {machine['commit']} · "
        f"{machine['cpu']}, {machine['cores_used']} of {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, {machine['system']}, load before {machine['load_before']} · "
        f"Python {machine['python']}, granian {machine['granian']}, Flask {machine['flask']}, "
        f"SQLite {machine['sqlite']}, RQ {machine['rq']}"
    )
    return told + (_disk(one["durability"]) if "durability" in one else ".")


def _disk(safe: Json) -> str:
    void = f" **Void: {safe['void']}.**" if safe["void"] else ""
    probe = safe["fdatasync_ms"]
    return (
        f" · `PRAGMA synchronous` {safe['synchronous']}, {safe['journal_mode']}, {safe['disk']} · "
        f"4 KiB write + fdatasync p50 {probe['p50']} ms, p99 {probe['p99']} ms.{void}"
    )


def _bars(name: str, one: Json) -> list[Bar]:
    return list(_BARS[name](one["result"])) if name in _BARS else []


def _intake_bars(r: Json) -> Iterator[Bar]:
    enough = r["noop_per_s"] >= 3000  # noqa: PLR2004 - DESIGN 10
    got = f"{r['ratio']:.2f} (no-op {r['noop_per_s']:,.0f}/s)"
    what = f"durable intake vs no-op route, {r['events_a_request']} events a request"
    yield what, got, ">= 0.5, no-op >= 3,000/s", r["ratio"] >= 0.5 and enough  # noqa: PLR2004
    yield "acknowledged deliveries lost", str(r["lost"]), "0", r["lost"] == 0


def _tail_bars(r: Json) -> Iterator[Bar]:
    worst = r["latency_ms"]["99"]
    sound = worst <= 100 and set(r["answers"]) == {"204"}  # noqa: PLR2004
    what = f"p99 at {r['rate']:g} requests/s x {r['events_a_request']} events while draining"
    yield what, f"{worst:g} ms", "<= 100 ms", sound
    yield "events lost", str(r["lost"]), "0", r["lost"] == 0


def _jobs_bars(r: Json) -> Iterator[Bar]:
    times = r["times_rq_fork"]
    yield "drain vs one RQ job per event", f"{times:g} x", ">= 20 x", times >= 20  # noqa: PLR2004


def _writes_bars(r: Json) -> Iterator[Bar]:
    for name in ("backfill", "import"):
        own = r[name]
        got = f"{own['ratio']:.3f} x ({own['write_calls']} for {r['contacts']:,})"
        yield f"write calls, {name}", got, "<= 1.05 x", own["ratio"] <= 1.05  # noqa: PLR2004


def _marked_bars(r: Json) -> Iterator[Bar]:
    whole = r["scored"] == r["wanted"]
    got = f"{r['seconds']} s for {r['scored']:,} records, {r['training_s']} s of it learning"
    yield "a mark to the last score", got, "<= 60 s", whole and r["seconds"] <= 60  # noqa: PLR2004


def _storm_bars(r: Json) -> Iterator[Bar]:
    sound = not r["edits_over_bar"] and not any(r["lost"].values())
    got = f"p50 {r['edit_s']['50']:g} s, p95 {r['edit_s']['95']:g} s, max {r['edit_s']['100']:g} s"
    yield f"single edits under {r['events']:,} import events", got, "< 5 s", sound
    yield "import events lost", str(sum(r["lost"].values())), "0", not any(r["lost"].values())


def _growth_bars(r: Json) -> Iterator[Bar]:
    worst = max(value for name, value in r["largest_vs_smallest"].items() if "cpu" in name)
    sizes = f"{r['rows'][0]['profiles']:,} to {r['rows'][-1]['profiles']:,} profiles"
    yield f"cost per event, {sizes}", f"{worst:g} x", "flat: <= 1.5 x", worst <= 1.5  # noqa: PLR2004


_BARS: Mapping[str, Callable[[Json], Iterator[Bar]]] = {
    "intake": _intake_bars,
    "intake100": lambda r: iter([row for row in _intake_bars(r) if row[0].startswith("ack")]),
    "tail": _tail_bars,
    "jobs": _jobs_bars,
    "writes": _writes_bars,
    "marked": _marked_bars,
    "storm": _storm_bars,
    "growth": _growth_bars,
    "journeys": journeys_told.bars,
    "scorer": scorerpage.bars,
}


def _intake_table(r: Json) -> str:
    head = [
        "pair",
        "no-op /s",
        "intake /s",
        "bare WSGI /s",
        "ratio",
        "to bare",
        "intake p50",
        "p99",
    ]
    rows = [
        [
            number,
            *(f"{pair[name]['per_s']:,.0f}" for name in ("noop", "intake", "bare")),
            f"{pair['ratio']:.2f}",
            f"{pair['ratio_to_bare']:.2f}",
            *(f"{pair['intake']['latency_ms'][part]:g} ms" for part in ("50", "99")),
        ]
        for number, pair in enumerate(r["pairs"], start=1)
    ]
    middle = [f"{r[name]:,.0f}" for name in ("noop_per_s", "intake_per_s", "bare_per_s")]
    ratios = [f"**{r['ratio']:.2f}**", f"{r['ratio_to_bare']:.2f}"]
    rows.append(["median", *middle, *ratios, "", f"{r['intake_p99_ms']:g} ms"])
    counted = f"{r['acknowledged']:,} acknowledged, {r['stored']:,} stored, {r['lost']} lost."
    return f"{table(head, rows)}\n\n{counted}"


def _tail_table(r: Json) -> str:
    parts = list(r["latency_ms"])
    rows = [
        ["latency, ms", *r["latency_ms"].values()],
        ["of it: sent late, ms", *r["sent_late_ms"].values()],
    ]
    memory = table(["process", "peak MB"], list(r["memory_mb"].items()))
    counted = (
        f"Answers: {r['answers']}. {r['events_waiting_at_the_end']:,} events waited when the last "
        f"request was answered, all were worked off {r['drained_after_s']:g} s "
        f"later; {r['lost']} lost."
    )
    shown = ["", *(f"p{part}" for part in parts)]
    return (
        f"{table(shown, rows)}\n\n{counted}\n\nPeak memory of each process in this run:\n\n{memory}"
    )


def _jobs_table(r: Json) -> str:
    named = {
        "drain": "`connector worker`, one drain job",
        "rq_fork": "RQ `Worker` (forks), a job per event",
        "rq_simple": "RQ `SimpleWorker`, a job per event",
    }
    rows = [
        [words, f"{r[name]['events']:,}", f"{r[name]['events_per_s']:,.0f}"]
        for name, words in named.items()
    ]
    times = (
        f"{r['times_rq_fork']:g} x the forking worker, {r['times_rq_simple']:g} x the simple one."
    )
    return f"{table(['worker', 'events', 'events/s'], rows)}\n\n{times}"


def _writes_table(r: Json) -> str:
    rows = [
        [
            name,
            f"{r['contacts']:,}",
            own["write_calls"],
            own["least"],
            own["ratio"],
            own["all_calls"],
        ]
        for name, own in ((name, r[name]) for name in ("backfill", "import"))
    ]
    head = ["change", "values", "write calls", "least", "ratio", "calls of any kind"]
    return f"{table(head, rows)}\n\nContacts that show another slot than they should: {r['lost']}."


def _marked_table(r: Json) -> str:
    names = ("contacts", "events", "wanted", "scored", "seconds", "training_s", "calls")
    return table(
        ["contacts", "events", "to score", "scored", "s", "of it learning", "calls"],
        [[r[one] for one in names]],
    )


def _storm_table(r: Json) -> str:
    parts = list(r["edit_s"])
    edits = table(
        ["", *(f"p{part}" for part in parts)], [["edit to write, s", *r["edit_s"].values()]]
    )
    through = table(
        ["of the storm", "done after, s"],
        [[name, f"{value:g}"] for name, value in r["through_s"].items()],
    )
    counted = (
        f"{r['edits']} edits, {r['edits_over_bar']} at or over 5 s, {r['edits_without_write']} "
        f"never written. {r['events']:,} events of {r['contacts']:,} contacts; "
        f"{r['crm_calls']:,} calls "
        f"at {r['limit_per_10_s']} per 10 s. Lost: {r['lost']}."
    )
    return f"{edits}\n\n{counted}\n\n{through}"


def _growth_table(r: Json) -> str:
    names = ["intake_us", "split_us", "drain_us", "intake_cpu_us", "split_cpu_us", "drain_cpu_us"]
    rows = [[f"{row['profiles']:,}", *(row[name] for name in names)] for row in r["rows"]]
    rows.append(["largest / smallest", *(r["largest_vs_smallest"][name] for name in names)])
    head = ["profiles", *(name.replace("_us", "").replace("_cpu", " (CPU)") for name in names)]
    return f"{table(head, rows)}\n\nThe database was {r['database_mb']:,} MB in the end."


def _footprint_table(r: Json) -> str:
    named = {
        "python_s": "`python -c pass`",
        "import_connector_cli_s": "`import connector.cli`",
        "connector_help_s": "`connector --help`",
        "first_204_s": "`connector up` on an empty folder to the first 204",
    }
    times = table(["", "median, s"], [[words, r[name]] for name, words in named.items()])
    memory = table(["process, idle", "peak MB"], list(r["idle_memory_mb"].items()))
    return f"{times}\n\n{memory}"


def _profile_table(r: Json) -> str:
    return "\n\n".join(_profile_of(name, r[name]) for name in ("intake", "split", "drain"))


def _profile_of(name: str, one: Json) -> str:
    rows = [
        [f"`{row['function']}`", row["calls_an_event"], row["own_us"], row["with_below_us"]]
        for row in one["top"]
    ]
    head = ["function", "calls an event", "own, us", "with what it calls, us"]
    return (
        f"### {name}: {one['us_an_event']:g} us an event under the profiler\n\n{table(head, rows)}"
    )


_TABLES: Mapping[str, Callable[[Json], str]] = {
    "intake": _intake_table,
    "intake100": _intake_table,
    "tail": _tail_table,
    "jobs": _jobs_table,
    "writes": _writes_table,
    "marked": _marked_table,
    "storm": _storm_table,
    "growth": _growth_table,
    "journeys": journeys_told.table_of,
    "footprint": _footprint_table,
    "profile": _profile_table,
    "scorer": scorerpage.tables,
}


def _no_plots(_: Json) -> Iterator[str]:
    return iter(())


def _intake_plot(r: Json) -> Iterator[str]:
    rows = [
        (f"{number} {name}", pair[name]["per_s"])
        for number, pair in enumerate(r["pairs"], start=1)
        for name in ("noop", "intake")
    ]
    title = f"Requests per second, {r['events_a_request']} events a request"
    yield plots.bars(title, rows, "1/s", groups=2)


def _tail_plot(r: Json) -> Iterator[str]:
    parts = list(r["latency_ms"].values())
    points = list(enumerate(parts))
    along = " · ".join(f"p{part}" for part in r["latency_ms"])
    title = f"Latency at {r['rate']:g} requests/s while draining"
    yield plots.lines(title, {"latency": points}, "ms", along, bar=100)
    yield plots.bars("Peak memory of each process", list(r["memory_mb"].items()), "MB")


def _storm_plot(r: Json) -> Iterator[str]:
    edits = [(x, y) for x, y in r["edit_curve"]]
    title = "Seconds from a rep's edit to the write in the CRM"
    yield plots.lines(
        title, {"edits": edits}, "s", "seconds since the storm began", bar=5, dots=True
    )
    names = ("events", "reads", "writes")
    waiting = {name: [(row["at"], row[name]) for row in r["backlog"]] for name in names}
    yield plots.lines("What waits", waiting, "rows", "seconds since the storm began")


def _growth_plot(r: Json) -> Iterator[str]:
    names = ("intake", "split", "drain")
    series = {n: [(row["profiles"], row[f"{n}_cpu_us"]) for row in r["rows"]] for n in names}
    yield plots.lines("Processor time an event", series, "us", "profiles", decades=True)


_PLOTS: Mapping[str, Callable[[Json], Iterator[str]]] = {
    "intake": _intake_plot,
    "intake100": _intake_plot,
    "tail": _tail_plot,
    "storm": _storm_plot,
    "growth": _growth_plot,
    "journeys": journeys_told.drawings,
    "scorer": scorerpage.drawings,
}
