"""One thin way to HubSpot: paths, timeouts, the limiter, and errors in our words.

It never waits and never tries again, but for one case: a refused access token is renewed once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from connector import figures, trace
from connector.adapters.hubspot.failures import BLOCKING, Reply, failure, innermost, is_daily
from connector.adapters.hubspot.routes import ROUTES, check_version, path
from connector.adapters.hubspot.shapes import Json, decode
from connector.domain.errors import ConfigurationRefused, CrmDown, CrmError, CrmRevoked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connector.adapters.hubspot.limiter import Limiter

TIMEOUT = (3.05, 20.0)  # seconds to connect, seconds of silence while reading
SYSTEM = "hubspot"
UNAUTHORIZED = 401
NO_CONTENT = 204
TOO_MANY = 429
SEARCH = "search"  # counted apart from other calls
_GOOD = range(200, 300)
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Ask:
    """One call to be made; `what` names it in errors."""

    what: str
    url: str = field(repr=False)
    body: Any = field(default=None, repr=False)
    query: Mapping[str, str] | None = None
    urgent: bool = False


class Client:
    """Calls HubSpot for one connection; `renew` turns a refused token into a fresh one."""

    def __init__(
        self,
        base_url: str,
        version: str,
        token: Callable[[], str],
        limiter: Limiter,
        session: requests.Session,
        renew: Callable[[str], str] | None = None,
    ) -> None:
        self.base_url = check_url(base_url)
        self.limiter = limiter
        self.token = token
        self._version = check_version(version)
        self._session = session
        self._renew = renew

    def call(
        self,
        what: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        *,
        urgent: bool = False,
        **places: str,
    ) -> Json:
        """Make the call that the table names, and return its JSON object."""
        url = self.base_url + path(what, self._version, places)
        ask = Ask(what, url, body, query, urgent)
        reply = self.authorized(lambda token: self._send(ask, token), what)
        if reply.status in _GOOD:
            return {} if reply.status == NO_CONTENT else decode(reply.content, what)
        raise self.refusal(reply, what)

    def authorized(self, send: Callable[[str], Reply], what: str) -> Reply:
        """Send with the access token, and once more with a fresh one if HubSpot refuses it."""
        token = check_token(self.token())
        reply = send(token)
        if reply.status == UNAUTHORIZED and self._renew is not None:
            reply = send(check_token(self._renew(token)))
        if reply.status == UNAUTHORIZED:
            raise CrmRevoked(f"HubSpot does not accept the access token ({what})")
        return reply

    def refusal(self, reply: Reply, what: str) -> CrmError:
        """Return the error that an answer is; a spent quota blocks the limiter too."""
        error = failure(reply, what, self.limiter.wall(), self.limiter.midnight())
        if what == SEARCH and reply.status == TOO_MANY and not is_daily(reply):
            self.limiter.block_searches(error.retry_in or 0.0)
        elif reply.status in BLOCKING:
            self.limiter.block(error.retry_in or 0.0)
        return error

    def _send(self, ask: Ask, token: str) -> Reply:
        own = trace.header(trace.current())
        if ask.what == SEARCH:
            self.limiter.take_search()
        else:
            self.limiter.take(urgent=ask.urgent)
        try:
            answer = self._session.request(
                ROUTES[ask.what].method,
                ask.url,
                params=ask.query,
                json=ask.body,
                auth=Bearer(token),
                headers={trace.HEADER: own} if own else None,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except (OSError, HTTPError) as error:
            figures.count("bb_crm_requests_total", crm=SYSTEM, status="none")
            raise CrmDown(f"HubSpot can't be reached ({ask.what})") from innermost(error)
        figures.count("bb_crm_requests_total", crm=SYSTEM, status=answer.status_code)
        reply = Reply(answer.status_code, lowered(answer.headers), answer.content)
        self.limiter.heard(reply.headers)
        return reply


class Bearer(AuthBase):
    """Puts the token on a request; as `auth`, so that a .netrc never replaces it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request with its authorization."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def open_session() -> requests.Session:
    """Return a session that keeps connections alive and keeps no cookie of any account."""
    session = requests.Session()
    session.headers["User-Agent"] = "breadbutter-connector"
    session.headers["Accept"] = "application/json"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=0, pool_maxsize=4))
    return session


def check_token(token: str) -> str:
    """Return a token that a header can carry; what can't would be quoted in its error."""
    if not _TOKEN.fullmatch(token):
        raise CrmRevoked("the stored access token for HubSpot is no token")
    return token


def check_url(url: str) -> str:
    """Return a base URL without its last slash; refuse what is no plain http(s) URL."""
    bare = url.rstrip("/")
    parts = urlsplit(bare)
    good = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    if not good or parts.query or parts.fragment:
        raise ConfigurationRefused(["HubSpot API URL is no http(s) URL"])
    return bare


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers with their names in lower case."""
    return {name.lower(): value for name, value in headers.items()}
