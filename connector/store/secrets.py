"""Secrets at rest: encrypted with the first key, readable with any, bound to their owner."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from connector.domain.errors import ConnectorError


class SecretBox:
    """Encrypts small documents; `keys` are Fernet keys, the first one encrypts."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def lock(self, owner: str, document: Mapping[str, str]) -> bytes:
        """Encrypt a document for one owner."""
        return self._fernet.encrypt(json.dumps({"owner": owner, **document}).encode())

    def unlock(self, owner: str, locked: bytes) -> dict[str, str]:
        """Decrypt a document; raise ConnectorError where the key or the owner is another."""
        try:
            document: dict[str, str] = json.loads(self._fernet.decrypt(locked))
        except InvalidToken as error:
            raise ConnectorError(
                "a stored secret can't be read with the keys in CONNECTOR_SECRET_KEYS",
                advice="put the key it was written with back into the list",
            ) from error
        if document.pop("owner") != owner:
            raise ConnectorError("a stored secret belongs to something else")
        return document


def seal(key: str, address: str) -> str:
    """Return a keyed hash of an e-mail address, for tombstones."""
    return hmac.digest(key.encode(), address.strip().lower().encode(), "sha256").hex()


def fingerprint(token: str) -> str:
    """Return the hash under which a random API token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()
