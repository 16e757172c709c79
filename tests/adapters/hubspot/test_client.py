from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
import requests
import responses
from requests.adapters import HTTPAdapter
from responses import RequestsMock
from responses.matchers import header_matcher

from connector import trace
from connector.adapters.hubspot import HubSpot, Limiter, open_hubspot, open_session
from connector.adapters.hubspot.client import check_url
from connector.adapters.hubspot.routes import ROUTES, path
from connector.domain.errors import (
    ConfigurationRefused,
    CrmBusy,
    CrmDenied,
    CrmDown,
    CrmError,
    CrmRefused,
    CrmRevoked,
)

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin

API = "https://api.hubapi.com"
ACCOUNT = f"{API}/account-info/2026-09/details"
GOOD = {"portalId": 4242, "timeZone": "Asia/Tokyo"}
ADDRESS = "ann@x.example"
SECRETS = ("secret-token", ADDRESS, "ann%40x")


def refusal(hubspot: HubSpot) -> CrmError:
    with pytest.raises(CrmError) as caught:
        hubspot.prove()
    return caught.value


@pytest.mark.parametrize(
    ("status", "error", "wait"),
    [
        (423, CrmBusy, 2),
        (429, CrmBusy, 10),
        (477, CrmBusy, 3600),
        (500, CrmDown, 1),
        (502, CrmDown, 1),
        (503, CrmDown, 1),
        (521, CrmDown, 1),
        (526, CrmDown, 1),
        (408, CrmDown, 1),
        (302, CrmDown, 1),
        (403, CrmDenied, None),
        (400, CrmRefused, None),
        (404, CrmRefused, None),
        (409, CrmRefused, None),
        (414, CrmRefused, None),
        (418, CrmRefused, None),
    ],
)
def test_each_status_has_its_meaning(
    vendor: RequestsMock, hubspot: HubSpot, status: int, error: type[CrmError], wait: float | None
) -> None:
    vendor.get(ACCOUNT, status=status, json={"category": "WHATEVER"})

    found = refusal(hubspot)

    assert type(found) is error or (error is CrmRefused and isinstance(found, CrmRefused))
    assert found.retry_in == wait
    assert getattr(found, "status", status) == status


@pytest.mark.parametrize(
    ("status", "told", "wait"),
    [
        (429, "3", 3),
        (423, "1", 2),
        (423, "7", 7),
        (477, "7200", 7200),
        (477, "999999", 86400),
        (503, "60", 60),
        (429, "nan", 10),
        (429, "-5", 10),
        (429, "1e999", 10),
        (429, "soon", 10),
        (429, "Mon, 99999999999999999999 Nov 2026 00:00:00 GMT", 10),
    ],
)
def test_retry_after_is_obeyed_if_it_makes_sense(
    vendor: RequestsMock, hubspot: HubSpot, status: int, told: str, wait: float
) -> None:
    vendor.get(ACCOUNT, status=status, headers={"Retry-After": told})

    assert refusal(hubspot).retry_in == wait


def test_retry_after_may_be_a_date(vendor: RequestsMock, hubspot: HubSpot) -> None:
    later = datetime.now(UTC) + timedelta(seconds=90)
    vendor.get(ACCOUNT, status=429, headers={"Retry-After": format_datetime(later, usegmt=True)})

    assert 80 < (refusal(hubspot).retry_in or 0) <= 90


def test_a_spent_window_waits_for_the_interval_that_it_names(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    vendor.get(
        ACCOUNT,
        status=429,
        json={"policyName": "TEN_SECONDLY_ROLLING", "errorType": "RATE_LIMIT"},
        headers={"X-HubSpot-RateLimit-Interval-Milliseconds": "4000"},
    )

    assert refusal(hubspot).retry_in == 4


def test_a_spent_day_waits_for_the_portals_midnight(vendor: RequestsMock) -> None:
    nine = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
    limiter = Limiter(wall=lambda: nine)
    hubspot = open_hubspot(API, "2026-09", lambda: "secret-token", limiter)
    vendor.get(ACCOUNT, json=GOOD)
    vendor.get(ACCOUNT, status=429, json={"policyName": "DAILY"}, headers={"Retry-After": "1"})
    hubspot.prove()

    assert refusal(hubspot).retry_in == 3 * 3600


def test_a_429_stops_the_calls_after_it(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.get(ACCOUNT, status=429, headers={"Retry-After": "30"})
    refusal(hubspot)

    assert 29 < (refusal(hubspot).retry_in or 0) <= 30
    assert len(vendor.calls) == 1


def test_a_locked_record_stops_nothing_else(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.get(ACCOUNT, status=423)
    vendor.get(ACCOUNT, json=GOOD)
    refusal(hubspot)

    assert hubspot.prove() == "4242"


def test_the_limiter_learns_from_every_answer(vendor: RequestsMock, hubspot: HubSpot) -> None:
    headers = {"X-HubSpot-RateLimit-Max": "100", "X-HubSpot-RateLimit-Remaining": "0"}
    vendor.get(ACCOUNT, json=GOOD, headers=headers)
    hubspot.prove()

    assert isinstance(refusal(hubspot), CrmBusy)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"7", b"\xff", b'{"a":' * 100_000, b'{"a":' + b"1" * 9999]
)
def test_an_answer_that_makes_no_sense_is_no_answer(
    vendor: RequestsMock, hubspot: HubSpot, body: bytes
) -> None:
    vendor.get(ACCOUNT, body=body)

    assert type(refusal(hubspot)) is CrmDown


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("for ann@x.example"),
        requests.ReadTimeout("for ann@x.example"),
        requests.exceptions.ChunkedEncodingError("for ann@x.example"),
        requests.TooManyRedirects("for ann@x.example"),
        TimeoutError("for ann@x.example"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_answer_is_down_and_quotes_nothing(
    vendor: RequestsMock, hubspot: HubSpot, error: Exception
) -> None:
    vendor.get(ACCOUNT, body=error)

    found = refusal(hubspot)

    assert type(found) is CrmDown
    assert_quiet(found)


def test_a_dead_port_is_down_and_quotes_no_address() -> None:
    hubspot = open_hubspot("http://127.0.0.1:9", "2026-09", lambda: "secret-token")

    with pytest.raises(CrmDown) as caught:
        hubspot.client.call("opt out one", email=ADDRESS)

    assert isinstance(caught.value.__cause__, ConnectionRefusedError)
    assert_quiet(caught.value)


def test_a_refusal_quotes_nothing_of_hubspots_text(vendor: RequestsMock, hubspot: HubSpot) -> None:
    body = {
        "category": "VALIDATION_ERROR",
        "message": "ann@x.example is taken",
        "correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf",
        "errors": [
            {"code": "ann@x.example", "context": {"propertyName": ["email", "ann@x.example"]}}
        ],
    }
    vendor.get(ACCOUNT, status=400, json=body)

    found = refusal(hubspot)

    assert_quiet(found)
    assert "400 VALIDATION_ERROR email aeb5f871-7f07-4993-9211-075dc63e7cbf" in str(found)


@pytest.mark.parametrize("body", ["null", '{"errors": 5, "category": [], "message": {}}', "<x>"])
def test_a_refusal_of_any_shape_is_a_refusal(
    vendor: RequestsMock, hubspot: HubSpot, body: str
) -> None:
    vendor.get(ACCOUNT, status=400, body=body)

    assert isinstance(refusal(hubspot), CrmRefused)


def test_a_static_token_that_is_refused_is_revoked(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.get(ACCOUNT, status=401)

    assert type(refusal(hubspot)) is CrmRevoked
    assert len(vendor.calls) == 1


def test_a_refused_token_is_renewed_once_and_the_call_repeated(vendor: RequestsMock) -> None:
    renewed: list[str] = []

    def renew(refused: str) -> str:
        renewed.append(refused)
        return "fresh"

    hubspot = open_hubspot(API, "2026-09", lambda: "stale", renew=renew)
    vendor.get(ACCOUNT, status=401, match=[header_matcher({"Authorization": "Bearer stale"})])
    vendor.get(ACCOUNT, json=GOOD, match=[header_matcher({"Authorization": "Bearer fresh"})])

    assert hubspot.prove() == "4242"
    assert renewed == ["stale"]


def test_a_fresh_token_that_is_refused_is_revoked(vendor: RequestsMock) -> None:
    hubspot = open_hubspot(API, "2026-09", lambda: "stale", renew=lambda _: "fresh")
    vendor.get(ACCOUNT, status=401)

    assert type(refusal(hubspot)) is CrmRevoked
    assert len(vendor.calls) == 2


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "\u00fcml\u00e4ut"])
def test_what_is_no_token_is_never_sent(token: str) -> None:
    hubspot = open_hubspot(API, "2026-09", lambda: token)

    found = refusal(hubspot)

    assert type(found) is CrmRevoked
    assert not token or token not in "".join(traceback.format_exception(found))
    with pytest.raises(CrmRevoked):
        hubspot.install([], apply=False)


def test_a_netrc_never_replaces_the_token(
    twin: Twin, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    assert open_hubspot(twin.url, "v3", lambda: twin.token).prove() == "4242"


def test_calls_share_a_connection(twin: Twin) -> None:
    session = open_session()
    hubspot = open_hubspot(twin.url, "v3", lambda: twin.token, session=session)
    hubspot.prove()
    hubspot.prove()

    adapter = session.get_adapter(twin.url)
    assert isinstance(adapter, HTTPAdapter)
    (key,) = adapter.poolmanager.pools.keys()
    pool = adapter.poolmanager.pools[key]
    assert (pool.num_connections, pool.num_requests) == (1, 2)


def test_no_cookie_of_one_account_reaches_another(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.get(ACCOUNT, json=GOOD, headers={"Set-Cookie": "__cf_bm=x; Path=/"})
    hubspot.prove()
    hubspot.prove()

    assert "Cookie" not in vendor.calls[1].request.headers


@pytest.mark.parametrize("fault", ["reset", "drop_reply", "html502", "bad_json"])
def test_a_broken_line_is_down(twin: Twin, fault: str) -> None:
    hubspot = open_hubspot(twin.url, "2026-09", lambda: twin.token)
    twin.ask("POST", "faults", {"do": fault})

    assert type(refusal(hubspot)) is CrmDown
    assert hubspot.prove() == "4242"


@pytest.mark.parametrize(
    "url",
    ["", "hubapi.com", "ftp://x", "https://", "https://a:b@x", "https://x?a=1", "https://x/#f"],
)
def test_a_base_url_is_plain(url: str) -> None:
    with pytest.raises(ConfigurationRefused):
        check_url(url)


@pytest.mark.parametrize("version", ["", "v4", "2026", "2026-9", "../v3", "2026-09/x"])
def test_a_version_is_one_of_hubspots(version: str) -> None:
    with pytest.raises(ConfigurationRefused):
        open_hubspot(API, version, lambda: "")


def test_an_address_in_a_path_stays_in_its_place() -> None:
    found = path("opt out one", "2026-09", {"email": "a/../b?c#d+e@x.example"})

    assert "/statuses/a%2F..%2Fb%3Fc%23d%2Be%40x.example/unsubscribe-all" in found
    with pytest.raises(CrmRefused):
        path("read one", "v3", {"kind": "contacts", "id": ".."})


@pytest.mark.parametrize("name", ROUTES)
def test_every_call_has_both_paths(name: str) -> None:
    places = dict.fromkeys(["kind", "to_kind", "id", "email"], "x")

    assert "/2026-09" in path(name, "2026-09", places)
    assert "2026" not in path(name, "v3", places)


def assert_quiet(error: BaseException) -> None:
    text = "".join(traceback.format_exception(error))
    assert [secret for secret in SECRETS if secret in text] == []


def test_the_urgent_may_use_the_reserve(vendor: RequestsMock) -> None:
    hubspot = open_hubspot(API, "2026-09", lambda: "t", Limiter(per_window=10, reserve=0.5))
    vendor.get(ACCOUNT, json=GOOD)
    vendor.add(
        responses.POST,
        f"{API}/communication-preferences/2026-09/statuses/batch/unsubscribe-all/read",
        json={"results": []},
    )
    vendor.add(
        responses.POST,
        f"{API}/communication-preferences/2026-09/statuses/batch/unsubscribe-all",
        json={"results": []},
    )
    for _ in range(4):
        hubspot.prove()
    assert isinstance(refusal(hubspot), CrmBusy)

    hubspot.opt_out(["ann@x.example"])

    sent = vendor.calls[-1].request.body
    assert isinstance(sent, bytes)
    assert json.loads(sent) == {"inputs": ["ann@x.example"]}


def test_a_call_names_the_trace_that_it_is_made_for() -> None:
    own = "4bf92f3577b34da6a3ce929d0e0e4736"
    hubspot = open_hubspot(API, "2026-09", lambda: "t")
    with RequestsMock() as mock:
        mock.get(ACCOUNT, json=GOOD)
        hubspot.prove()
        with trace.following([own]):
            hubspot.prove()
        bare, named = (call.request.headers for call in mock.calls)

    assert trace.HEADER not in bare
    assert trace.accept(str(named[trace.HEADER])) == own
