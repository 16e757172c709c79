from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from connector import logs, trace
from connector.settings import Settings

Said = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for handler in [one for one in root.handlers if isinstance(one, logs._Stderr)]:
        root.removeHandler(handler)
    structlog.reset_defaults()


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    logs.configure(Settings())
    logs.configure(Settings())
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_an_event_is_one_json_line_with_its_fields(said: Said) -> None:
    structlog.get_logger("x").info("lead_moved", slot=8)

    (line,) = said()
    assert line | {"ts": ""} == {
        "event": "lead_moved",
        "slot": 8,
        "level": "info",
        "logger": "x",
        "ts": "",
    }


@pytest.mark.parametrize(
    "name",
    ["access_token", "client_secret", "Authorization", "password", "email", "raw_body", "payload"],
)
def test_a_private_field_is_blanked_wherever_it_is(said: Said, name: str) -> None:
    structlog.get_logger().info("x", **{name: "hunter2"}, inner=[{name: ["hunter2"]}])

    assert said()[0][name] == "[redacted]"


@pytest.mark.parametrize(
    "text",
    [
        "POST https://crm.example/webhooks/salesforce/hunter2?x=1",
        "/webhooks/platform/c1/hunter2 was 404",
        "Bearer hunter2hunter2",
        "cannot reach postgresql://user:hunter2@db/x",
    ],
)
def test_a_secret_inside_a_text_is_blanked(said: Said, text: str) -> None:
    structlog.get_logger().info("x", where=text, many=[text])
    logging.getLogger("werkzeug").warning("%s", text)
    structlog.get_logger().error("failed", exc_info=ValueError(text))

    lines = said()
    assert len(lines) == 3
    assert "hunter2" not in json.dumps(lines)


def test_connection_ids_and_numbers_stay_readable(said: Said) -> None:
    structlog.get_logger().info("/webhooks/hubspot/c1", tokens=3, body=None)

    (line,) = said()
    assert (line["event"], line["tokens"], line["body"]) == ("/webhooks/hubspot/c1", 3, None)


def test_libraries_keep_to_warnings(said: Said) -> None:
    logging.getLogger("rq.worker").info("chatter")
    logging.getLogger("_granian").warning("trouble")

    assert [line["event"] for line in said()] == ["trouble"]


def test_the_console_shows_the_same_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="console"))

    structlog.get_logger().warning("moved", slot=8, token="hunter2")

    shown = capsys.readouterr().err
    assert "moved" in shown
    assert "slot=8" in shown
    assert "hunter2" not in shown


def test_an_address_that_an_error_quotes_is_blanked(said: Said) -> None:
    structlog.get_logger("x").warning("refused", reason="no ann.o'hara+x@sub.example.com here")

    assert said()[0]["reason"] == "no [redacted] here"


def test_a_line_names_what_is_worked_on(said: Said) -> None:
    with trace.following(["a"]):
        structlog.get_logger("x").info("one")
    with trace.following(["a", "b"]):
        structlog.get_logger("x").info("two")

    one, two = said()
    assert (one["trace"], two["traces"]) == ("a", ["a", "b"])
