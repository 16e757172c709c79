from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
import requests

from connector.adapters.hubspot import open_hubspot
from connector.adapters.hubspot.oauth import App, Grant, Issued, due, renew
from connector.domain.errors import CrmBusy, CrmDenied, CrmDown, CrmError, CrmRevoked
from connector.ports import Tokens

if TYPE_CHECKING:
    from responses import RequestsMock

    from simulators.hubspot.testing import Twin

API = "https://api.hubapi.com"
TOKEN = f"{API}/oauth/2026-09/token"
APP = App(API, "2026-09", "client", "hush")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ask(now: datetime = NOON) -> Issued:
    return renew(APP, "refresh", requests.Session(), now)


def test_a_renewal_sends_a_form_and_dates_what_it_gets(vendor: RequestsMock) -> None:
    body = {"access_token": "a", "refresh_token": "r2", "expires_in": 1800, "hub_id": 4242}
    vendor.post(TOKEN, json=body)

    issued = ask()

    sent = parse_qs(str(vendor.calls[0].request.body))
    assert (sent["grant_type"], sent["refresh_token"]) == (["refresh_token"], ["refresh"])
    assert issued.tokens == Tokens("a", "r2", NOON + timedelta(minutes=30))
    assert issued.portal == "4242"


def test_tokens_are_due_at_three_quarters_of_their_life(vendor: RequestsMock) -> None:
    vendor.post(TOKEN, json={"access_token": "a", "expires_in": 1000})
    issued = ask()

    assert not due(issued, NOON + timedelta(seconds=749))
    assert due(issued, NOON + timedelta(seconds=750))
    assert issued.tokens.refresh_token == "refresh"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "invalid_grant", "status": "BAD_REFRESH_TOKEN"}, CrmRevoked),
        (400, {"status": "BAD_REFRESH_TOKEN"}, CrmRevoked),
        (403, {"error": "access_denied", "status": "BAD_HUB"}, CrmRevoked),
        (400, {"error": "invalid_client", "status": "BAD_CLIENT_ID"}, CrmDenied),
        (401, {"error": "invalid_client"}, CrmDenied),
        (400, {"error": "invalid_grant", "status": "BAD_CLIENT_SECRET"}, CrmDenied),
        (400, {"error": "access_denied"}, CrmDenied),
        (404, None, CrmDenied),
        (429, {"policyName": "SECONDLY"}, CrmBusy),
        (477, None, CrmBusy),
        (500, None, CrmDown),
        (302, None, CrmDown),
        (200, {}, CrmDown),
        (200, None, CrmDown),
    ],
)
def test_only_a_dead_grant_disconnects(
    vendor: RequestsMock, status: int, body: dict[str, str] | None, error: type[CrmError]
) -> None:
    vendor.post(TOKEN, status=status, json=body)

    with pytest.raises(CrmError) as caught:
        ask()

    assert type(caught.value) is error


def test_a_fault_of_our_app_says_what_to_check(vendor: RequestsMock) -> None:
    vendor.post(TOKEN, status=400, json={"error": "invalid_client"})

    with pytest.raises(CrmDenied, match="client secret") as caught:
        ask()

    assert "hush" not in repr(caught.value) + repr(APP)


def test_no_answer_is_down(vendor: RequestsMock) -> None:
    vendor.post(TOKEN, body=requests.ConnectionError("refresh"))

    with pytest.raises(CrmDown):
        ask()


class Vault:
    """Issues tokens and keeps them, with a clock that a test turns."""

    def __init__(self) -> None:
        self.now = NOON
        self.kept: list[str] = []
        self.asked: list[str] = []
        self.down = False

    def issue(self, refresh_token: str) -> Issued:
        self.asked.append(refresh_token)
        if self.down:
            raise CrmDown("no")
        number = len(self.kept) + 1
        tokens = Tokens(f"access{number}", f"refresh{number}", self.now + timedelta(minutes=30))
        return Issued(tokens, self.now + timedelta(minutes=22))

    def keep(self, issued: Issued) -> None:
        self.kept.append(issued.tokens.access_token)

    def grant(self) -> Grant:
        return Grant(self.issue, self.keep, lambda: self.now, "refresh0")


def test_a_grant_renews_when_due_and_goes_on_with_the_new_refresh_token() -> None:
    vault = Vault()
    grant = vault.grant()
    found = [grant.token(), grant.token()]
    vault.now += timedelta(minutes=23)

    assert [*found, grant.token()] == ["access1", "access1", "access2"]
    assert vault.asked == ["refresh0", "refresh1"]
    assert vault.kept == ["access1", "access2"]


def test_a_live_token_outlives_a_failed_renewal() -> None:
    vault = Vault()
    grant = vault.grant()
    grant.token()
    vault.now += timedelta(minutes=23)
    vault.down = True

    assert [grant.token(), grant.token()] == ["access1", "access1"]
    assert len(vault.asked) == 2
    vault.now += timedelta(minutes=7)
    with pytest.raises(CrmDown):
        grant.token()


def test_a_token_that_was_renewed_meanwhile_is_not_renewed_again() -> None:
    vault = Vault()
    grant = vault.grant()
    grant.token()

    assert grant.renew("older") == "access1"
    assert grant.renew("access1") == "access2"


def test_an_expired_token_is_renewed_in_the_middle_of_work(twin: Twin) -> None:
    app = App(twin.url, "2026-09", twin.config.client_id, twin.config.client_secret)
    session = requests.Session()
    grant = Grant(
        lambda token: renew(app, token, session, datetime.now(UTC)),
        lambda _: None,
        lambda: datetime.now(UTC),
        twin.config.refresh_token,
    )
    hubspot = open_hubspot(twin.url, "2026-09", grant.token, renew=grant.renew)
    hubspot.prove()
    twin.ask("POST", "tokens/expire")

    assert hubspot.prove() == "4242"
    twin.ask("POST", "tokens/revoke")
    with pytest.raises(CrmRevoked):
        hubspot.prove()
