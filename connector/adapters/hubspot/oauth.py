"""HubSpot's OAuth: fresh access tokens from a refresh token, and what it means when none come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from urllib3.exceptions import HTTPError

from connector.adapters.hubspot.client import TIMEOUT, check_url, lowered
from connector.adapters.hubspot.failures import Reply, failure, innermost, word
from connector.adapters.hubspot.limiter import DAY
from connector.adapters.hubspot.routes import check_version, path
from connector.adapters.hubspot.shapes import Json, decode, text
from connector.domain.errors import (
    CrmBusy,
    CrmDenied,
    CrmDown,
    CrmError,
    CrmRefused,
    CrmRevoked,
)
from connector.ports import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

RENEW_AT = 0.75  # of an access token's life
LIFE = 1800.0
SUCCESS = 200

# What the answer's words mean; the first row that matches counts. A fault of our own app must
# never disconnect a tenant, so that only HubSpot's named cases revoke.
_OURS = frozenset({"invalid_client", "BAD_CLIENT_ID", "BAD_CLIENT_SECRET"})
_DEAD = frozenset({"invalid_grant", "BAD_REFRESH_TOKEN", "BAD_HUB"})
_ADVICE = "check the app's client id and client secret; the connection itself may be fine"


@dataclass(frozen=True, slots=True)
class App:
    """Our app at HubSpot, and where its token endpoint is."""

    base_url: str
    version: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens as issued, when to renew them, and the portal they are for."""

    tokens: Tokens = field(repr=False)
    renew_at: datetime
    portal: str = ""


def renew(app: App, refresh_token: str, session: requests.Session, now: datetime) -> Issued:
    """Get a fresh access token; CrmRevoked only if HubSpot says that the grant is dead."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
    }
    url = check_url(app.base_url) + path("token", check_version(app.version), {})
    reply = _post(url, form, session)
    if reply.status != SUCCESS:
        raise _refusal(reply, now)
    return _issued(decode(reply.content, "token"), refresh_token, now)


def due(issued: Issued, now: datetime) -> bool:
    """Say whether three quarters of the access token's life are over."""
    return now >= issued.renew_at


class Grant:
    """The tokens of one connection in use; `keep` stores each new pair before it is used."""

    def __init__(
        self,
        ask: Callable[[str], Issued],
        keep: Callable[[Issued], None],
        clock: Callable[[], datetime],
        refresh_token: str,
        issued: Issued | None = None,
    ) -> None:
        self._ask = ask
        self._keep = keep
        self._clock = clock
        self._refresh_token = issued.tokens.refresh_token if issued else refresh_token
        self._issued = issued
        self._not_before = clock()

    def token(self) -> str:
        """Return a good access token; a renewal that must wait does not stop a live token."""
        now = self._clock()
        issued = self._issued
        if issued is None or now >= issued.tokens.expires_at:
            return self._renewed()
        if due(issued, now) and now >= self._not_before:
            self._try_early(now)
        return (self._issued or issued).tokens.access_token

    def renew(self, refused: str) -> str:
        """Return another access token than the refused one."""
        if self._issued and self._issued.tokens.access_token != refused:
            return self._issued.tokens.access_token
        return self._renewed()

    def _try_early(self, now: datetime) -> None:
        try:
            self._renewed()
        except (CrmBusy, CrmDown) as error:
            self._not_before = now + timedelta(seconds=max(error.retry_in or 0.0, 10.0))

    def _renewed(self) -> str:
        issued = self._ask(self._refresh_token)
        self._keep(issued)
        self._issued = issued
        self._refresh_token = issued.tokens.refresh_token
        return issued.tokens.access_token


def _post(url: str, form: Mapping[str, str], session: requests.Session) -> Reply:
    try:
        answer = session.post(url, data=form, auth=_no_auth, timeout=TIMEOUT, allow_redirects=False)
    except (OSError, HTTPError) as error:
        raise CrmDown("HubSpot can't be reached (token)") from innermost(error)
    return Reply(answer.status_code, lowered(answer.headers), answer.content)


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave the request as it is; given as `auth`, it keeps a .netrc out."""
    return request


def _refusal(reply: Reply, now: datetime) -> CrmError:
    error = failure(reply, "token", now.timestamp(), DAY)
    if not isinstance(error, CrmRefused | CrmDenied):
        return error
    told = {word(reply.body.get(name)) for name in ("error", "status", "category")}
    if told & _DEAD and not told & _OURS:
        return CrmRevoked(f"HubSpot has ended the app's access ({_words(told)})")
    return CrmDenied(f"HubSpot refused to renew the token ({_words(told)})", advice=_ADVICE)


def _words(told: set[str]) -> str:
    return ", ".join(sorted(told - {""}))


def _issued(body: Json, refresh_token: str, now: datetime) -> Issued:
    access = text(body.get("access_token"))
    if not access:
        raise CrmDown("HubSpot's answer to token has no token")
    told = body.get("expires_in")
    life = float(told) if isinstance(told, int | float) and 0 < told <= DAY else LIFE
    tokens = Tokens(
        access_token=access,
        refresh_token=text(body.get("refresh_token")) or refresh_token,
        expires_at=now + timedelta(seconds=life),
    )
    renew_at = now + timedelta(seconds=life * RENEW_AT)
    return Issued(tokens, renew_at, text(body.get("hub_id")))
