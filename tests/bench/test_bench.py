"""Every bench at a tiny size: it measures what it says, and nothing is lost. Never how fast."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench import (
    footprint,
    growth,
    intake,
    jobs,
    plots,
    profiled,
    report,
    scorerscale,
    storm,
    writes,
)
from bench.events import body, journeys, request
from bench.house import CHECKOUT, connect, housed
from bench.load import percentiles
from bench.machine import describe, durability, why_void
from webhooks.verify import hubspot_v3


def test_every_acknowledged_delivery_of_the_intake_bench_is_stored(tmp_path: Path) -> None:
    told = intake.ratio(tmp_path, pairs=1, seconds=0.2)

    assert told["acknowledged"] > 0
    assert told["lost"] == 0
    assert {"noop", "intake", "bare", "ratio"} <= set(told["pairs"][0])


def test_the_tail_counts_from_when_a_request_was_due_and_loses_nothing(tmp_path: Path) -> None:
    told = intake.tail(tmp_path, seconds=1.0, rate=20)

    assert told["answers"] == {"204": 20}
    assert told["lost"] == 0
    assert all(told["latency_ms"][part] >= late for part, late in told["sent_late_ms"].items())


def test_a_drain_job_and_rq_jobs_work_the_same_events_off(tmp_path: Path) -> None:
    told = jobs.compare(tmp_path, events=20, jobs=4)

    assert [told[name]["events"] for name in ("drain", "rq_fork", "rq_simple")] == [20, 4, 4]
    assert told["lost"] == 0


def test_write_calls_are_counted_by_the_twin(tmp_path: Path) -> None:
    told = writes.count(tmp_path, contacts=30)

    assert told["lost"] == 0
    assert told["import"]["least"] == 1
    assert told["import"]["write_calls"] >= 1


def test_a_storm_reaches_every_contact_and_every_edit_its_record(tmp_path: Path) -> None:
    told = storm.measure(tmp_path, events=80)

    assert told["edits"] > 0
    assert told["edits_without_write"] == 0
    assert not any(told["lost"].values())


def test_growth_copies_contacts_that_the_product_goes_on_with(tmp_path: Path) -> None:
    told = growth.measure(tmp_path, sizes=(5, 40), events=20)

    assert [row["profiles"] for row in told["rows"]] == [5, 40]
    assert told["strangers"] == 0


def test_a_fresh_installation_answers_and_says_what_it_weighs(tmp_path: Path) -> None:
    told = footprint.measure(tmp_path, times=1)

    assert told["first_204_s"] > told["python_s"]


def test_a_profile_names_functions_without_folders_of_this_machine(tmp_path: Path) -> None:
    told = profiled.measure(tmp_path, events=20)

    named = [row["function"] for step in ("intake", "split", "drain") for row in told[step]["top"]]
    assert named
    assert not [one for one in named if one.startswith("/")]


def test_the_scale_of_the_scorer_is_measured_and_told(tmp_path: Path) -> None:
    model = str(tmp_path / "model")
    told: dict[str, Any] = {
        "rows": [scorerscale.matrix("300")],
        "journeys": [scorerscale.journeys("150", model)],
        "serving": scorerscale.serving(model),
    }
    one = {"command": "c", "machine": describe(2), "result": told}

    page = report.render({"scorer": one})

    assert told["rows"][0]["columns"] == 1200
    assert told["serving"]["peak_mb"] > 0
    assert "150 | 1,500" in page
    assert [line.split(",")[0] for line in report.verdicts("scorer", one)] == [
        "scoring",
        "with reasons",
        "one profile with reasons",
    ]


def test_a_run_that_is_less_than_durable_is_void(tmp_path: Path) -> None:
    with housed(tmp_path / "house") as house:
        services = house.services()
        connect(services)
        told = durability(services, tmp_path)
        services.store.database.close()

    assert told["synchronous"] == "FULL"
    assert "NORMAL" in why_void(1, "ext4")
    assert "tmpfs" in why_void(2, "tmpfs")
    assert why_void(2, "ext4") == ""


def test_requests_are_signed_as_the_product_verifies_them() -> None:
    content = body([next(journeys(0, 1))])
    head, _, sent = request(("127.0.0.1", 80), "/x", "s", content).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    headers = dict(line.split(": ", 1) for line in lines)

    stamp = float(headers["X-HubSpot-Request-Timestamp"]) / 1000
    assert sent == content
    hubspot_v3(
        "s", "POST", "http://127.0.0.1:80/x", content, headers, datetime.fromtimestamp(stamp, UTC)
    )


def test_the_worst_is_the_hundredth_percentile() -> None:
    told = percentiles([0.001 * number for number in range(1, 101)])

    assert (told["50"], told["99"], told["100"]) == (51.0, 99.0, 100.0)


@pytest.mark.parametrize("decades", [True, False])
def test_a_plot_has_a_mark_for_every_point(decades: bool) -> None:  # noqa: FBT001
    drawn = plots.lines("t", {"a": [(1, 2), (10, 3)]}, "us", "n", decades=decades)

    assert drawn.count("<circle") == 2
    assert drawn.startswith("<svg")


def test_the_page_says_what_the_json_beside_it_says() -> None:
    known = report.stored(report.DOCS)

    assert (report.DOCS / "benchmarks.md").read_text() == report.render(known)
    durable = {name: one["durability"] for name, one in known.items() if name != "scorer"}
    assert not [name for name, safe in durable.items() if safe["void"]]  # the scorer keeps nothing


def test_publishing_writes_json_plots_and_page(tmp_path: Path) -> None:
    source = CHECKOUT / "docs" / "benchmarks" / "growth.json"
    one: dict[str, Any] = json.loads(source.read_text())

    report.publish({"growth": one | {"machine": describe(2)}}, tmp_path)

    assert (tmp_path / "benchmarks" / "growth.svg").exists()
    assert "Cost per event" in (tmp_path / "benchmarks.md").read_text()
