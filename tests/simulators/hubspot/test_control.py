import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.hubspot.client import Control
from simulators.hubspot.shapes import iso, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.hubspot.testing import Twin

    from .conftest import Api

ROOT = Path(__file__).parents[3]
CONTACTS = "/crm/objects/2026-09/contacts"


@given(st.integers(0, 4_102_444_800_000))
def test_a_moment_survives_being_written(ms: int) -> None:
    assert to_ms(iso(ms)) == ms


def test_calls_are_written_down(api: "Api", twin: "Twin") -> None:
    ids = twin.seed(count=3)
    api("POST", f"{CONTACTS}/batch/read", {"inputs": [{"id": one} for one in ids]})

    [call] = twin.calls()
    assert (call["method"], call["path"], call["status"]) == ("POST", f"{CONTACTS}/batch/read", 200)
    assert (call["inputs"], call["app_id"], call["fault"]) == (3, "1001", None)


def test_values_written_by_apps_are_written_down(api: "Api", twin: "Twin") -> None:
    ann = twin.edit("contacts", firstname="Ann")
    api.patch(ann, city="Rome")

    [row] = twin.writes(ann)
    assert (row["property"], row["value"], row["applied"]) == ("city", "Rome", True)


def test_twenty_five_thousand_contacts_of_one_moment_take_seconds(twin: "Twin") -> None:
    started = time.monotonic()
    ids = twin.seed(count=25_000, modified_at="2026-01-01", properties={"city": "Rome {n}"})

    assert time.monotonic() - started < 15
    found = twin.record("contacts", ids[-1])
    assert found["properties"]["city"] == "Rome 25000"
    assert found["updatedAt"] == "2026-01-01T00:00:00.000Z"
    assert twin.events() == []


def test_a_seed_may_have_lived(twin: "Twin") -> None:
    past = [{"value": "lead", "at": "2025-01-01"}, {"value": "customer", "at": "2025-06-01"}]
    [ann] = twin.seed(records=[{"properties": {}, "history": {"lifecyclestage": past}}])

    found = twin.record("contacts", ann)["properties"]
    assert found["hs_v2_date_entered_customer"] == "2025-06-01T00:00:00.000Z"
    assert found["lifecyclestage"] == "customer"


def test_the_clock_can_be_set(twin: "Twin") -> None:
    twin.settings(clock_offset_ms=86_400_000)
    ann = twin.edit("contacts", firstname="Ann")

    ahead = to_ms(twin.record("contacts", ann)["createdAt"]) - time.time() * 1000
    assert abs(ahead - 86_400_000) < 5000


def test_a_reset_is_a_fresh_start(api: "Api", twin: "Twin") -> None:
    api.contact(firstname="Ann")
    twin.fault("status", status=500)
    twin.settings(limit=1)
    twin.reset()

    assert twin.ask("GET", "records/contacts")["ids"] == []
    assert (twin.calls(), twin.events(), twin.faults()) == ([], [], [])
    assert twin.settings()["limit"] == 110


def test_an_unknown_setting_is_refused(twin: "Twin") -> None:
    with pytest.raises(RuntimeError, match="no setting"):
        twin.settings(nothing=1)


def test_a_small_write_waits_for_no_delayed_acknowledgement(
    start: "Callable[..., Twin]", login: "Callable[..., Api]"
) -> None:
    api = login(start(limit=1000))
    ann = api.contact(firstname="Ann")
    taken = []
    for n in range(100):
        began = time.perf_counter()
        api.patch(ann, city=str(n))
        taken.append(time.perf_counter() - began)

    assert statistics.median(taken) < 0.02  # about 1 ms on an idle machine; 40 with the delay


def run(*options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "simulators.hubspot", *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def first_line(output: IO[str] | None) -> dict[str, str]:
    assert output is not None
    found: dict[str, str] = json.loads(output.readline())
    return found


def test_the_command_says_where_it_listens_and_ends_when_told() -> None:
    with run("--portal-id", "7", "--settings", '{"limit": 9}') as process:
        told = first_line(process.stdout)
        with Control(told["url"]) as control:
            settings = control.settings()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0

    assert told["url"].startswith("http://127.0.0.1:")
    assert (settings["portal_id"], settings["limit"]) == (7, 9)


def test_with_a_lifeline_it_ends_with_its_parent() -> None:
    script = (
        "import subprocess, sys;"
        "subprocess.Popen([sys.executable, '-m', 'simulators.hubspot', '--lifeline'],"
        " stdout=sys.stdout); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as parent:
        assert "url" in first_line(parent.stdout)
        os.kill(parent.pid, signal.SIGKILL)
        assert parent.stdout is not None
        assert parent.stdout.read() == ""  # ends only when the twin, its last writer, is gone
