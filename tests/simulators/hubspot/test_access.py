import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.hubspot.testing import Twin

    from .conftest import Api

DETAILS = "/account-info/2026-09/details"
CLIENT = {"client_id": "twin-client", "client_secret": "twin-secret"}


def grant(twin: "Twin", path: str = "token", **form: str) -> Any:
    return requests.post(f"{twin.url}/oauth/2026-09/{path}", data={**CLIENT, **form}, timeout=5)


@pytest.mark.parametrize("path", ["/account-info/v3/details", DETAILS])
def test_a_token_says_its_portal(api: "Api", path: str) -> None:
    assert api("GET", path).json()["portalId"] == 4242


def test_no_token_no_answer(twin: "Twin") -> None:
    reply = requests.get(twin.url + DETAILS, timeout=5)

    assert (reply.status_code, reply.json()["category"]) == (401, "INVALID_AUTHENTICATION")


def test_a_wrong_token_is_invalid(twin: "Twin", login: "Callable[..., Api]") -> None:
    reply = login(twin, "wrong")("GET", DETAILS)

    assert (reply.status_code, reply.json()["category"]) == (401, "INVALID_AUTHENTICATION")


def test_a_refreshed_token_serves_until_it_expires(
    twin: "Twin", login: "Callable[..., Api]"
) -> None:
    found = grant(twin, grant_type="refresh_token", refresh_token="twin-refresh").json()
    api = login(twin, found["access_token"])

    assert (found["hub_id"], found["expires_in"], found["token_type"]) == (4242, 1800, "bearer")
    assert api("GET", DETAILS).status_code == 200
    twin.ask("POST", "tokens/expire")
    assert api("GET", DETAILS).json()["category"] == "EXPIRED_AUTHENTICATION"


def test_client_credentials_give_a_token_without_a_refresh_token(twin: "Twin") -> None:
    found = grant(twin, grant_type="client_credentials", scope="a b").json()

    assert (found["scopes"], "refresh_token" in found) == (["a", "b"], False)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"refresh_token": "other"}, "BAD_REFRESH_TOKEN"),
        ({"refresh_token": "twin-refresh", "client_id": "other"}, "BAD_CLIENT_ID"),
        ({"refresh_token": "twin-refresh", "client_secret": "other"}, "BAD_CLIENT_SECRET"),
    ],
)
def test_a_bad_grant_says_what_is_bad(twin: "Twin", form: dict[str, str], status: str) -> None:
    reply = grant(twin, grant_type="refresh_token", **form)

    assert (reply.status_code, reply.json()["status"]) == (400, status)


def test_a_revoked_refresh_token_is_dead_but_access_lives(
    twin: "Twin", login: "Callable[..., Api]"
) -> None:
    found = grant(twin, grant_type="refresh_token", refresh_token="twin-refresh").json()
    grant(twin, "token/revoke", token="twin-refresh")
    again = grant(twin, grant_type="refresh_token", refresh_token="twin-refresh")

    assert again.json()["error"] == "invalid_grant"
    assert grant(twin, "token/introspect", token="twin-refresh").json() == {"active": False}
    assert login(twin, found["access_token"])("GET", DETAILS).status_code == 200


def test_uninstalling_ends_every_token(api: "Api", twin: "Twin") -> None:
    assert api("DELETE", "/appinstalls/2026-09/external-install").status_code == 204

    assert api("GET", DETAILS).status_code == 401
    bad = grant(twin, grant_type="refresh_token", refresh_token="twin-refresh").json()
    assert bad["status"] == "BAD_REFRESH_TOKEN"


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("crm.objects.contacts.read", "GET", "/crm/objects/2026-09/contacts"),
        ("crm.objects.contacts.read", "POST", "/crm/v3/objects/contacts/search"),
        ("crm.objects.contacts.write", "PATCH", "/crm/v3/objects/0-1/1"),
        ("crm.schemas.contacts.write", "POST", "/crm/properties/2026-09/contacts"),
        ("crm.objects.owners.read", "GET", "/crm/v3/owners/"),
    ],
)
def test_a_missing_scope_is_named(
    api: "Api", twin: "Twin", scope: str, method: str, path: str
) -> None:
    twin.settings(missing_scopes=[scope])

    reply = api(method, path, {})
    assert reply.status_code == 403
    assert reply.json()["errors"][0]["context"] == {"requiredGranularScopes": [scope]}


def test_the_limit_is_told_and_kept(
    start: "Callable[..., Twin]", login: "Callable[..., Api]"
) -> None:
    api = login(start(limit=3))

    replies = [api("GET", DETAILS) for _ in range(4)]
    left = [one.headers["X-HubSpot-RateLimit-Remaining"] for one in replies]
    assert left == ["2", "1", "0", "0"]
    last = replies[3]
    assert (last.status_code, last.json()["policyName"]) == (429, "TEN_SECONDLY_ROLLING")
    assert (last.json()["errorType"], last.json()["status"]) == ("RATE_LIMIT", "error")
    assert "Retry-After" not in last.headers


def test_the_window_rolls_on(start: "Callable[..., Twin]", login: "Callable[..., Api]") -> None:
    api = login(start(limit=1, limit_seconds=0.2))
    assert [api("GET", DETAILS).status_code for _ in range(2)] == [200, 429]

    time.sleep(0.25)
    assert api("GET", DETAILS).status_code == 200


def test_a_day_has_a_limit_too(start: "Callable[..., Twin]", login: "Callable[..., Api]") -> None:
    api = login(start(daily_limit=1))
    first, second = api("GET", DETAILS), api("GET", DETAILS)

    assert first.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "0"
    assert (second.status_code, second.json()["policyName"]) == (429, "DAILY")


def test_a_new_day_begins_at_the_portals_midnight(
    start: "Callable[..., Twin]", login: "Callable[..., Api]"
) -> None:
    twin = start(daily_limit=1)
    api = login(twin)
    assert [api("GET", DETAILS).status_code for _ in range(2)] == [200, 429]

    twin.settings(clock_offset_ms=24 * 3_600_000)
    assert api("GET", DETAILS).status_code == 200


def test_control_calls_count_for_no_limit(
    start: "Callable[..., Twin]", login: "Callable[..., Api]"
) -> None:
    twin = start(limit=1)
    for _ in range(5):
        twin.edit("contacts", firstname="Ann")

    assert login(twin)("GET", DETAILS).status_code == 200
