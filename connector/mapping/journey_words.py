"""Where a sender of journey events says what we ask, and what its event codes mean.

The platform's own webhooks are shaped by its admin (reference: no public body), so both are data of
the connection. Whoever writes them is told of every fault at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from connector.mapping.places import Place, shown

Path = tuple[str, ...]
Value = TypeVar("Value")

ORIGINS = (
    *("referrer", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"),
    *("gclid", "gclsrc", "dclid", "fbclid"),
)
PERSON = ("first_name", "last_name", "company", "provider")
# Our name -> where the platform event has it.
USUAL: Mapping[str, Path] = {
    **{name: (name,) for name in ("id", "type", "code", "occurred_at", "move_id")},
    **{
        name: ("visitor", name)
        for name in ("device_id", "user_id", "email", "state", "lead_stage", *PERSON)
    },
    **{name: ("page", name) for name in ("url", "title")},
    "form_id": ("form", "id"),
    "form_name": ("form", "name"),
    **{name: ("origin", name) for name in ORIGINS},
    # Whole objects, with whatever is in them.
    **{name: (name,) for name in ("origin", "client", "engagement")},
}

# The types that steps, rules and scores know; any other is kept too.
TYPES = (
    *("page_view", "engagement", "custom", "form_submitted", "contact_us"),
    *("identity_conversion", "verified_conversion", "authentication"),
    *("incentive_offered", "incentive_claimed", "incentive_expired"),
    *("opt_out", "deidentified", "stage_changed"),
)

_MOST = 500
_DEEPEST = 10
_TYPE = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)
_PATH = re.compile(r"[^.\s]{1,100}(?:\.[^.\s]{1,100})*")


@dataclass(frozen=True, slots=True)
class Words:
    """How one connection's bodies are read.

    `fields` say where our names are found, where that is not as usual; `types` which type of ours
    an event code (or type) of theirs is.
    """

    fields: Mapping[str, Path] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)

    @property
    def paths(self) -> dict[str, Path]:
        """Return where each of our names is found."""
        return {**USUAL, **self.fields}


def parse(document: object) -> tuple[Words, bool]:
    """Read the words of a connection and whether bodies are captured; refuse with every fault."""
    root = Place(document, "mapping", [])
    parts = root.entries(("system", "fields", "types", "capture"))
    if "system" in parts and parts["system"].value != "platform":
        parts["system"].refuse(f"{shown(parts['system'].value)} is not the platform")
    words = Words(
        fields=_pairs(parts["fields"], _path) if "fields" in parts else {},
        types=_pairs(parts["types"], _type) if "types" in parts else {},
    )
    for name in words.fields:
        if name not in USUAL:
            root.refuse(f"fields.{shown(name)} is no name of ours: choose from {', '.join(USUAL)}")
    capture = "capture" in parts and parts["capture"].flag()
    root.conclude()
    return words, capture


def dump(words: Words, *, capture: bool) -> dict[str, object]:
    """Return words as a document; `parse` makes the same of it."""
    return {
        "system": "platform",
        "fields": {name: ".".join(path) for name, path in words.fields.items()},
        "types": dict(words.types),
        "capture": capture,
    }


def _pairs(place: Place, read: Callable[[Place], Value | None]) -> dict[str, Value]:
    """Read an object whose keys are free."""
    if not isinstance(place.value, dict) or len(place.value) > _MOST:
        place.refuse(f"must be an object of at most {_MOST} entries")
        return {}
    found: dict[str, Value] = {}
    for key, value in place.value.items():
        name = replace(place, value=key, name=f"{place.name}, a key").text()
        told = read(replace(place, value=value, name=f"{place.name}.{name}")) if name else None
        if told is not None:
            found[name] = told
    return found


def _path(place: Place) -> Path | None:
    text = place.text()
    path = tuple(text.split("."))
    if not text:
        return None
    if _PATH.fullmatch(text) is None or len(path) > _DEEPEST:
        place.refuse(f"{shown(text)} is no path: write the keys with dots, like user.email_address")
        return None
    return path


def _type(place: Place) -> str | None:
    text = place.text()
    if not text:
        return None
    if _TYPE.fullmatch(text) is None:
        place.refuse(f"{shown(text)} is no type: small letters, digits and _, like page_view")
        return None
    return text
