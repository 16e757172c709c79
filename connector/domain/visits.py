"""What journey events add up to: what is known of a visitor, and how often what was done.

Nothing here depends on the order of arrival. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from urllib.parse import unquote

from connector.domain.journeys import JourneyEvent, Known, Visitor

# Heard whoever sends them, however often: nobody's wish is taken for noise.
OPT_OUT = "opt_out"
RIGHTS = frozenset({OPT_OUT, "deidentified", "stage_changed"})
# By their names a sign-in, or a typed address.
SIGN_INS = frozenset({"verified_conversion", "authentication"})
TYPED = frozenset({"identity_conversion"})

_RANK = {Known.ANONYMOUS: 0, Known.IDENTIFIED: 1, Known.VERIFIED: 2}
_TRUE = frozenset({"1", "true", "yes"})
_BOT = re.compile(
    r"bot\b|bot[/;_-]|crawl|spider|slurp|headless|lighthouse|phantomjs|facebookexternalhit"
    r"|\bcurl/|\bwget/|python-requests|python-urllib|go-http-client|\bjava/|pingdom|uptime",
    re.IGNORECASE,
)
_AGENTS = ("user_agent", "userAgent", "ua")
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def is_bot(event: JourneyEvent) -> bool:
    """Say whether no human did this, by what the sender or the browser says."""
    client = event.client
    if str(client.get("is_bot", "")).lower() in _TRUE:
        return True
    return any(_BOT.search(str(client[name])) for name in _AGENTS if client.get(name))


def known_by(event: JourneyEvent) -> Known:
    """Return how well an event alone knows its visitor: as it was told, else by its type."""
    if event.known is not Known.ANONYMOUS:
        return event.known
    if event.type in SIGN_INS:
        return Known.VERIFIED
    typed = event.email or event.type in TYPED
    return Known.IDENTIFIED if typed else Known.ANONYMOUS


def is_withdrawn(event: JourneyEvent) -> bool:
    """Say whether an address itself is opted out: the sender names no visitor who typed it.

    Nothing but a link in a mail that came there says so: it proves the address.
    """
    bare = not event.device_id and not event.user_id and event.known is Known.ANONYMOUS
    return event.type == OPT_OUT and bool(event.email) and bare


def better(one: Known, other: Known) -> Known:
    """Return the one that knows more."""
    return one if one is other or _RANK[one] >= _RANK[other] else other


def bucket(event: JourneyEvent) -> str:
    """Name what is counted: the type, and the code where there is one."""
    return f"{event.type}:{event.code}" if event.code else event.type


def type_of(name: str) -> str:
    """Return the type behind a bucket's name."""
    return name.partition(":")[0]


def day_of(when: datetime) -> int:
    """Return the day in UTC, counted from 1970."""
    return when.astimezone(UTC).toordinal() - _EPOCH_DAY


def without_person(event: JourneyEvent) -> JourneyEvent:
    """Return what a page was, without anything that may say whose address was typed there."""

    def told(values: Mapping[str, str]) -> dict[str, str]:
        plain = {name: _plain(value) for name, value in values.items()}
        return {name: value for name, value in plain.items() if not _names(value, event.email)}

    url = _plain(event.url)
    return event._replace(
        email="",
        known=Known.ANONYMOUS,
        person={},
        url="" if _names(url, event.email) else url,
        title="",
        form_name="",
        origin=told(event.origin),
        client=told(event.client),
        more={},
    )


def _plain(url: str) -> str:
    """Return an address without what was asked of it."""
    return re.split(r"[?#]", url, maxsplit=1)[0]


def _names(text: str, email: str) -> bool:
    return email in unquote(text).lower()


def seen(visitor: Visitor, event: JourneyEvent, when: datetime) -> Visitor:
    """Return what is known of a visitor with one event more."""
    known = known_by(event)
    identified = when if known is not Known.ANONYMOUS else None
    verified = when if known is Known.VERIFIED else None
    return joined(
        visitor,
        Visitor(
            visitor.profile_id,
            known,
            event.origin,
            event.person,
            when,
            when,
            identified,
            verified,
            origin_at=when if event.origin else None,
        ),
    )


def joined(one: Visitor, other: Visitor) -> Visitor:
    """Return what is known of two that are one; the id is that of the first."""
    told = _told_first(one, other)
    return Visitor(
        one.profile_id,
        better(one.known, other.known),
        told.origin,
        _person(one, other),
        _earlier(one.first_at, other.first_at),
        _later(one.last_at, other.last_at),
        _earlier(one.identified_at, other.identified_at),
        _earlier(one.verified_at, other.verified_at),
        _later(one.reward_at, other.reward_at),
        told.origin_at,
    )


def _told_first(one: Visitor, other: Visitor) -> Visitor:
    """Return the one whose origin was told first."""
    if one.origin_at is None or other.origin_at is None:
        return one if other.origin_at is None else other
    if one.origin_at != other.origin_at:
        return one if one.origin_at < other.origin_at else other
    return min(one, other, key=lambda visitor: sorted(visitor.origin.items()))


def _person(one: Visitor, other: Visitor) -> Mapping[str, str]:
    """Return what was said of the person: the newest word, where there is one."""
    if not other.person or not one.person:
        return one.person or other.person
    newer = bool(one.last_at and other.last_at and one.last_at <= other.last_at)
    old, new = (one.person, other.person) if newer else (other.person, one.person)
    return {**old, **{name: value for name, value in new.items() if value}}


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return (one or other) if one is None or other is None else min(one, other)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return (one or other) if one is None or other is None else max(one, other)
