"""What `connector doctor` looks at in a connection to the platform: what comes, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.commands.crm_checks import state, webhooks
from connector.commands.findings import Finding
from connector.commands.score_columns import advice, fed_by, fed_by_any
from webhooks.platform import PROOFS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.pipeline.services import Services
    from connector.settings import Settings
    from connector.stored import Connection

_SHOWN = 20
_PROOFS = ("signature", "token")


def check_platform(own: Settings, services: Services, one: Connection) -> Iterator[Finding]:
    """Look at one connection to the platform."""
    yield state(one)
    yield webhooks(own, one)
    yield _proofs(services, one)
    yield _types(services, one)
    yield _columns(services, one)
    yield _unread(services, one)
    yield _capture(services, one)


def _proofs(services: Services, one: Connection) -> Finding:
    """Say what proved the deliveries that were kept."""
    with services.store.reading() as unit:
        tallies = unit.watch.tallies()
    counts = {
        proof: tallies.get((PROOFS, f"connection={one.id},proof={proof}"), 0) for proof in _PROOFS
    }
    told = [f"{number:,.0f} by {proof}" for proof, number in counts.items() if number]
    text = f"deliveries kept: {', '.join(told)}" if told else "no delivery is counted yet"
    return Finding(f"{one.id} proofs", fine=True, text=text)


def _types(services: Services, one: Connection) -> Finding:
    """List the types of events that came."""
    with services.store.reading() as unit:
        seen = unit.wordings.types_seen(one.id)
    told = [
        f"{row.type}/{row.code} {row.events:,}" if row.code else f"{row.type} {row.events:,}"
        for row in seen[:_SHOWN]
    ]
    left = len(seen) - _SHOWN
    more = f" and {left} more" if left > 0 else ""
    text = f"{', '.join(told)}{more}" if told else "no event has come yet"
    return Finding(f"{one.id} events", fine=True, text=text)


def _columns(services: Services, one: Connection) -> Finding:
    """Say which columns of the score each type that came feeds, and how to have the others come."""
    with services.store.reading() as unit:
        seen = list(dict.fromkeys(row.type for row in unit.wordings.types_seen(one.id)))
    told = [f"{kind} ({', '.join(fed_by(kind)) or 'moves slots'})" for kind in seen[:_SHOWN]]
    parts = [f"every event feeds {', '.join(fed_by_any())}"]
    parts += [f"seen: {', '.join(told)}"] if told else []
    missing = "; ".join(advice(seen))
    parts += [f"never seen: {missing}"] if missing else []
    return Finding(f"{one.id} columns", fine=True, text=". ".join(parts))


def _unread(services: Services, one: Connection) -> Finding:
    with services.store.reading() as unit:
        parts = unit.unread(one.id)
    advice = "see why in GET /api/v1/inbox?state=parked, say in the mapping where bodies have what"
    return Finding(
        f"{one.id} unread", fine=not parts, text=f"{parts:,} deliveries and parts", advice=advice
    )


def _capture(services: Services, one: Connection) -> Finding:
    with services.store.reading() as unit:
        capture, bodies = unit.wordings.of(one.id).capture, len(unit.wordings.captured(one.id))
    text = f"{'on' if capture else 'off'}, {bodies} bodies kept"
    return Finding(f"{one.id} capture", fine=True, text=text)
