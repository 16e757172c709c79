"""Reads the platform's bodies: whatever shape they have, their parts become journey events.

No type of theirs is trusted. What a part says that we can't use stays in `more`; a part that makes
no sense is parked alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from connector.adapters.platform import values as v
from connector.adapters.platform.bodies import Broken, at, parts
from connector.domain.errors import Unreadable
from connector.domain.journeys import JourneyEvent, Known
from connector.domain.visits import OPT_OUT
from connector.mapping.journey_words import ORIGINS, PERSON, Path, Words
from connector.ports import Unread

_ADVICE = "say in the mapping where the body has what, then run `connector replay inbox`"
_LONGEST_MORE = 65_536  # characters of JSON
_LONGEST_URL = 2000
_LONGEST_TYPE = 100
_PROVEN = frozenset({"verified_conversion", "authentication"})
_STATES: Mapping[str, Known] = {known.value: known for known in Known}
_GROUPS: Mapping[str, Callable[[object], Any]] = {
    "origin": v.text,
    "client": v.text,
    "engagement": v.number,
}
# Our name -> what its value has to be; what is none is left where it was.
_READERS: Mapping[str, Callable[[object], Any]] = {
    "code": v.name,
    "device_id": v.name,
    "user_id": v.name,
    "email": v.email,
    "lead_stage": v.stage,
    "url": lambda value: v.text(value, _LONGEST_URL),
    "title": v.text,
    "form_id": v.name,
    "form_name": v.text,
    **dict.fromkeys(PERSON, v.text),
}
_OF_EVENT = tuple(name for name in _READERS if name not in PERSON)

Used = dict[str, Any]  # a key -> what is used inside of it, {} for all of it


class Odd(Exception):
    """A part that makes no sense."""


def read(body: bytes, received_at: datetime, words: Words) -> list[JourneyEvent | Unread]:
    """Return every event of a body; raise Unreadable when there is no telling them apart.

    So it is with a body of which no part makes sense: kept whole, it can be read again when its
    connection has words that fit.
    """
    paths = words.paths
    try:
        found = [_read_part(part, received_at, words, paths) for part in parts(body)]
    except RecursionError as error:
        raise Unreadable("the body is nested too deep") from error
    unread = [part for part in found if isinstance(part, Unread)]
    if unread and len(unread) == len(found):
        raise Unreadable(f"no event can be read: {unread[0].reason}", advice=_ADVICE)
    return found


def _read_part(
    part: object, received_at: datetime, words: Words, paths: Mapping[str, Path]
) -> JourneyEvent | Unread:
    if isinstance(part, Broken):
        return _unread(part.text, "the line is no JSON")
    if not isinstance(part, dict):
        return _unread(json.dumps(part), "it is no object")
    try:
        return _event(_Part(part, words, paths), received_at)
    except Odd as odd:
        return _unread(json.dumps(part), str(odd))


def _unread(raw: str, reason: str) -> Unread:
    digest = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
    return Unread(key=f"unread:{digest}", reason=reason, raw=raw)


class _Part:
    """One part of a body, read by the words of its connection; notes what it has used."""

    def __init__(self, values: dict[str, Any], words: Words, paths: Mapping[str, Path]) -> None:
        self.values = values
        self.types = words.types
        self.renamed = words.fields
        self.paths = paths
        self.used: set[Path] = set()

    def told(self, name: str) -> object:
        """Return what is told under one of our names, used or not."""
        return at(self.values, self.paths[name])

    def take(self, name: str, read: Callable[[object], Any]) -> Any:
        """Return what one of our names says, None where it says nothing that we can use."""
        value = self.told(name)
        if value is None:
            return None
        found = read(value)
        if found is not None:
            self.used.add(self.paths[name])
        return found

    def more(self) -> dict[str, Any]:
        """Return all that was not used."""
        return _left(self.values, _tree(frozenset(self.used)))


@lru_cache(maxsize=1024)
def _tree(paths: frozenset[Path]) -> Used:
    """Return the paths as a tree; the events of one sender use the same ones over and over."""
    used: Used = {}
    for path in sorted(paths, key=len):
        inside = used
        for key in path[:-1]:
            inside = inside.setdefault(key, {})
        inside.setdefault(path[-1], {})
    return used


def _left(values: dict[str, Any], used: Used) -> dict[str, Any]:
    left = {}
    for key, value in values.items():
        inside = used.get(key)
        rest = _left(value, inside) if inside and isinstance(value, dict) else value
        if inside is None or (inside and rest):
            left[key] = rest
    return left


def _event(part: _Part, received_at: datetime) -> JourneyEvent:
    said = {name: part.take(name, read) for name, read in _READERS.items()}
    kind, code = _kind(part, said.pop("code"))
    if not (said["device_id"] or said["user_id"] or said["email"]):
        raise Odd("it names nobody: neither a device nor a user nor an e-mail")
    occurred_at = _occurred(part, received_at)
    groups, left = _groups(part)
    move_id = part.take("move_id", v.name)
    person = {name: said[name] for name in PERSON if said[name]}
    return JourneyEvent(
        key=_key(part, kind, code, said),
        type=kind,
        occurred_at=occurred_at,
        code=code,
        known=_known(part, kind, said["email"]),
        person=person,
        **{name: said[name] for name in _OF_EVENT if name in said and said[name] is not None},
        **groups,
        more=_more(part, left) | ({"move_id": move_id} if move_id else {}),
    )


def _kind(part: _Part, code: str | None) -> tuple[str, str]:
    """Return our type and the code: a code of theirs may be a type of ours, and so may a type."""
    told = part.take("type", v.name) or ""
    known = part.types.get(code or "") or part.types.get(told)
    kind = known or told or ("custom" if code else "")
    if not kind or len(kind) > _LONGEST_TYPE:
        raise Odd("it has no type that could be one")
    return kind, code or (told if known and told != kind else "")


def _occurred(part: _Part, received_at: datetime) -> datetime:
    """Return when it happened; the future is drawn back, and a time not told is now."""
    told = part.told("occurred_at")
    if told is None or told == "":
        return received_at
    found = v.when(told, received_at)
    if found is None:
        raise Odd("occurred_at is no sane time")
    moment, drawn_back = found
    if not drawn_back:
        part.used.add(part.paths["occurred_at"])
    return moment


def _groups(part: _Part) -> tuple[dict[str, Any], dict[str, object]]:
    """Read origin, client and engagement; return with them what is left of each."""
    groups: dict[str, Any] = {}
    left: dict[str, object] = {}
    for name, read in _GROUPS.items():
        groups[name], rest = v.group(part.told(name), read)
        part.used.add(part.paths[name])
        if rest is not None and rest != {}:
            left[name] = rest
    for name in part.renamed:
        found = part.take(name, v.text) if name in ORIGINS else None
        if found:
            groups["origin"][name] = found
    return groups, left


def _known(part: _Part, kind: str, email: str | None) -> Known:
    """Return how well the visitor is known: as told, and never less than what came with it says.

    An opt-out is left as told: an address in it was not typed, unless the sender says so.
    """
    told = part.take("state", _state)
    known = told or Known.ANONYMOUS
    if not told and kind in _PROVEN:
        return Known.VERIFIED
    if kind == OPT_OUT:
        return known
    return Known.IDENTIFIED if known is Known.ANONYMOUS and email else known


def _state(value: object) -> str:
    """Return how well a visitor is known, "" for a word that says nothing of it."""
    return _STATES.get(str(value).strip().lower(), "")


def _key(part: _Part, kind: str, code: str, said: Mapping[str, Any]) -> str:
    """Return the sender's own id, else what makes this event itself."""
    own = part.told("id")
    if own is not None and (told := v.text(own, 100_000)):
        part.used.add(part.paths["id"])
        return v.name(own) or _digest([told])
    who = said["email"] or said["device_id"] or said["user_id"]
    return _digest([kind, code, who, part.told("occurred_at"), part.values])


def _digest(values: object) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode("ascii")).hexdigest()


def _more(part: _Part, left: Mapping[str, object]) -> dict[str, Any]:
    more = {**part.more(), **left}
    if not more:
        return {}
    kept: Any = v.sane(more)
    size = len(json.dumps(kept))
    return kept if size <= _LONGEST_MORE else {"left_out": f"{size} characters"}
