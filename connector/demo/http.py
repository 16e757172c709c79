"""HTTP as the story speaks it: an answer in time, or one error that says what came instead."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import requests

from connector.domain.errors import ConnectorError

Json = dict[str, Any]
TIMEOUT = 15.0
MOST_SHOWN = 200


class Unexpected(ConnectorError):
    """An HTTP answer that the story does not expect, or none."""


class Talk:
    """A conversation with one server; no proxy of the environment gets between."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(headers)

    def get(self, path: str, **query: str) -> Json:
        """Return the JSON of an answer; anything but 200 is unexpected."""
        return self._read(self._call("GET", path, query=query))

    def send(self, method: str, path: str, body: Mapping[str, object]) -> Json:
        """Send JSON and return the JSON of the answer; anything but 200 is unexpected."""
        return self._read(self._call(method, path, body=body))

    def status(self, method: str, path: str, body: Mapping[str, object]) -> int:
        """Send JSON and return the status of the answer, whatever it is."""
        return self._call(method, path, body=body).status_code

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        url = f"{self.url}/{path}"
        try:
            return self._session.request(method, url, params=query, json=body, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise Unexpected(f"{method} {url}: {type(error).__name__}") from error

    def _read(self, reply: requests.Response) -> Json:
        if reply.status_code != HTTPStatus.OK:
            told = f"{reply.status_code} {reply.text[:MOST_SHOWN]}"
            raise Unexpected(f"{reply.request.method} {reply.url}: {told}")
        found: Json = reply.json()
        return found
