from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.api.conftest import Door

PROBLEM = "application/problem+json"
DEEP = b"[" * 100_000


def is_problem(answer: Any, status: int) -> bool:
    told = answer.json
    assert {"type", "title", "status", "detail"} <= told.keys()
    assert answer.content_type == PROBLEM
    return bool(answer.status_code == told["status"] == status)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nope", "Basic Ym5iX291cnM6", "bnb_ours"])
def test_without_the_accounts_token_nothing_is_answered(door: Door, header: str) -> None:
    answer = door.get("profiles", headers={"Authorization": header})

    assert is_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nothing", 404),
        ("DELETE", "profiles", 405),
        ("GET", "profiles/%00", 404),
        ("GET", "profiles/" + "x" * 501, 404),
    ],
)
def test_what_is_not_there_is_a_problem(door: Door, method: str, path: str, status: int) -> None:
    assert is_problem(door.ask(method, path), status)


def test_a_refused_method_says_which_are_allowed(door: Door) -> None:
    assert "PUT" in door.post("pipeline").headers["Allow"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"slot": NaN}', DEEP], ids=len)
def test_a_body_that_is_no_json_is_refused(door: Door, body: bytes) -> None:
    assert is_problem(door.ask("POST", "profiles/x/move", data=body), 400)


def test_half_a_character_in_a_text_is_refused(door: Door) -> None:
    body = b'{"slot": 6, "reason": "\\ud800"}'

    assert is_problem(door.ask("POST", "profiles/x/move", data=body), 422)


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 4 * 1024 * 1024])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_more_than_a_megabyte_is_too_large(
    door: Door, size: int, *, chunked: bool
) -> None:
    more: dict[str, Any] = {"data": b" " * size}
    if chunked:
        terminated = {"wsgi.input_terminated": True}
        more = {"input_stream": BytesIO(b" " * size), "environ_base": terminated}

    assert is_problem(door.ask("PUT", "pipeline", **more), 413)


def test_unknown_parameters_are_ignored(door: Door) -> None:
    assert door.get("profiles?colour=red").status_code == 200


def test_a_busy_database_says_when_to_try_again(door: Door) -> None:
    profile_id = door.lead()
    with door.services.store.writing():
        answer = door.post("connections/con_ours/pause")

    assert is_problem(answer, 503)
    assert int(answer.headers["Retry-After"]) >= 1
    assert door.get(f"profiles/{profile_id}").status_code == 200


def test_what_breaks_says_nothing_of_itself(door: Door) -> None:
    @door.app.get("/broken")
    def broken() -> str:
        raise RuntimeError("hunter2")

    answer = door.app.test_client().get("/broken")

    assert is_problem(answer, 500)
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    "path", ["/api/v1/profiles", "/api/v1/no", "/healthz", "/webhooks/hubspot"]
)
def test_every_answer_is_guarded_by_headers(door: Door, path: str) -> None:
    headers = door.app.test_client().get(path).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_webhooks_answer_in_their_own_way(door: Door) -> None:
    answer = door.app.test_client().post("/webhooks/hubspot/con_ours", data=b"[]")

    assert answer.status_code == 401
    assert answer.content_type.startswith("text/plain")
