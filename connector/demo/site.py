"""A customer's website, whose visitors the platform tells of by signed webhooks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus

import requests

from connector.adapters.platform.signing import sign
from connector.demo.http import MOST_SHOWN, TIMEOUT, Json, Unexpected

SOURCE = "prices-ad"  # where the demo's visitors come from


class Site:
    """Where visitors do things; `secret` signs what is told of them."""

    def __init__(self, webhook_url: str, secret: str) -> None:
        self._url = webhook_url
        self._secret = secret

    def visit(self, email: str, pages: Sequence[str]) -> None:
        """Have somebody sign in and look at pages."""
        who = {"device_id": uuid.uuid4().hex[:24], "email": email, "state": "verified"}
        told = [_event("verified_conversion", who)]
        told += [_event("page_view", who) | {"page": {"url": page}} for page in pages]
        self._tell(told)

    def _tell(self, told: Sequence[Json]) -> None:
        body = json.dumps(told).encode()
        name, now = f"msg_{uuid.uuid4().hex}", int(datetime.now(UTC).timestamp())
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(now),
            "webhook-signature": sign(self._secret, name, now, body),
        }
        try:
            reply = requests.post(self._url, data=body, headers=headers, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise Unexpected(f"POST {self._url}: {type(error).__name__}") from error
        if reply.status_code != HTTPStatus.ACCEPTED:
            raise Unexpected(f"POST {self._url}: {reply.status_code} {reply.text[:MOST_SHOWN]}")


def _event(type_: str, who: Json) -> Json:
    return {
        "id": uuid.uuid4().hex,
        "type": type_,
        "occurred_at": datetime.now(UTC).isoformat(),
        "visitor": who,
        "origin": {"utm_source": SOURCE},
    }
