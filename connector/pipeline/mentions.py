"""Parked bodies that name an erased person: no record holds them, so they are searched for."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from connector.domain.facts import AccountId, RecordKey
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services

if TYPE_CHECKING:
    from re import Pattern

# Bodies in memory at once; each may have a megabyte.
AT_ONCE = 20
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


def clear_bodies(services: Services, account_id: AccountId, scene: Scene) -> None:
    """Delete what is parked unread and names somebody who is erased in this scene.

    Of whole bodies the hashes stay.

    It is done before the erasure commits: whoever is interrupted in between begins anew.
    """
    for system in sorted({one.system for one in scene.connections.values()}):
        after = 0
        while True:
            with services.store.reading() as unit:
                rows = unit.parked_bodies((account_id, system), after, AT_ONCE)
            if not rows:
                break
            after = rows[-1].id
            found = [row.id for row in rows if _is_about(scene, row)]
            if found:
                with services.store.writing() as unit:
                    unit.empty_deliveries(found)
    _clear_parts(services, account_id, scene)


def _clear_parts(services: Services, account_id: AccountId, scene: Scene) -> None:
    """Delete parts of bodies: who came by a device or a user's id only has no record either."""
    after = 0
    while True:
        with services.store.reading() as unit:
            rows = unit.parked_parts(account_id, after, AT_ONCE)
        if not rows:
            return
        after = rows[-1].id
        found = [row.id for row in rows if _part_is_about(scene, row)]
        if found:
            with services.store.writing() as unit:
                unit.remove("event", found)


def _part_is_about(scene: Scene, row: Any) -> bool:
    ids, addresses = _called(scene, row.connection_id)
    return named(json.dumps(row.data, ensure_ascii=False).encode(), ids, addresses)


def _called(scene: Scene, connection_id: str) -> tuple[set[str], set[str]]:
    """Return the ids at a connection, and the addresses anywhere, of who is erased."""
    ids = {key.record_id for key in scene.unnamed if key.connection_id == connection_id}
    return ids, {one for told in scene.unnamed.values() for one in told}


def named(body: bytes, ids: Collection[str], addresses: Collection[str]) -> bool:
    """Say whether a body that nobody can read has an id or an address in it."""
    plain = body.decode("utf-8", "replace")
    text = unquote(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), plain))
    patterns = (_words(ids, r"\w"), _words(addresses, r"[\w.+-]"))
    return any(one.search(text) for one in patterns if one)


def _words(words: Collection[str], before: str) -> Pattern[str] | None:
    """Match whole words: the id 101 is not in 21017."""
    told = "|".join(re.escape(word) for word in sorted(words) if word)
    return re.compile(rf"(?<!{before})(?:{told})(?!\w)", re.IGNORECASE) if told else None


def _is_about(scene: Scene, row: Any) -> bool:
    """Say whether a delivery names an erased person; one of nobody's has to name the portal too."""
    by_connection: dict[str, list[RecordKey]] = {}
    for key in scene.unnamed:
        by_connection.setdefault(key.connection_id, []).append(key)
    for connection_id, keys in by_connection.items():
        addresses = {one for key in keys for one in scene.unnamed[key]}
        ids = {key.record_id for key in keys}
        if row.account_id is None:
            portal = scene.connections[keys[0].connection_id].portal
            if named(row.body, [portal], []) and named(row.body, ids, addresses):
                return True
        elif named(row.body, ids if row.connection_id == connection_id else [], addresses):
            return True
    return False
