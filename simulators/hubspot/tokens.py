"""Bearer tokens: which app a call is made by, and whether it may (sections 2.4 and 5)."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import ApiError, problem
from .records import Source

if TYPE_CHECKING:
    from .config import Config


@dataclass
class Token:
    """One access token."""

    app_id: int
    expires_at: float | None = None
    grant: str = "static"


class Tokens:
    """The tokens of the portal: the configured ones, which never expire, and issued ones."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.reset()

    def reset(self) -> None:
        """Forget what was issued and revoked."""
        self._issued: dict[str, Token] = {}
        self.revoked: set[str] = set()
        self.installed = True

    def issue(self, grant: str) -> str:
        """Make a new access token."""
        text = f"twin-{uuid.uuid4().hex}"
        until = time.monotonic() + self._config.token_seconds
        self._issued[text] = Token(self._config.app_id, until, grant)
        return text

    def expire_all(self) -> None:
        """Let every issued token be over now."""
        for token in self._issued.values():
            token.expires_at = time.monotonic() - 60

    def find(self, text: str) -> Token | None:
        """Return a token, expired or not."""
        if text in self._issued:
            return self._issued[text]
        if text == self._config.token and text:
            return Token(self._config.app_id)
        app_id = self._config.tokens.get(text)
        return None if app_id is None else Token(app_id)

    def check(self, header: str | None) -> Source:
        """Return who calls, or raise the 401."""
        if not header or not header.startswith("Bearer "):
            raise problem(401, "INVALID_AUTHENTICATION", _NO_CREDENTIALS)
        token = self.find(header.removeprefix("Bearer ").strip())
        if token is None or not self.installed:
            message = "The OAuth token used to make this call is invalid"
            raise problem(401, "INVALID_AUTHENTICATION", message)
        if is_over(token):
            raise problem(401, "EXPIRED_AUTHENTICATION", _EXPIRED)
        label = self._config.app_name if token.app_id == self._config.app_id else "Other app"
        return Source("INTEGRATION", str(token.app_id), label)


def is_over(token: Token) -> bool:
    """Say whether a token has expired."""
    return token.expires_at is not None and token.expires_at <= time.monotonic()


_NO_CREDENTIALS = (
    "Authentication credentials not found. This API supports OAuth 2.0 authentication and you "
    "can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
)
_EXPIRED = "The OAuth token used to make this call expired 1 minute(s) ago."


def missing_scope(scope: str) -> ApiError:
    """Build the 403 for a scope that the app was not granted."""
    return problem(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call. Read more about "
        "required scopes here: https://developers.hubspot.com/scopes.",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": [scope]},
            }
        ],
        links={"scopes": "https://developers.hubspot.com/scopes"},
    )
