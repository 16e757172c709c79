"""What a campaign says at its end."""

from __future__ import annotations

import platform
import time
from typing import TYPE_CHECKING, Any

from soak import compare

if TYPE_CHECKING:
    from soak.campaign import Campaign


def report(campaign: Campaign) -> dict[str, Any]:
    """Return the figures of a campaign; counts are the twin's own."""
    deliveries = list(campaign.twin.world.sender.deliveries)
    taken = sorted(row["ms"] for row in deliveries if row["status"] // 100 == 2)
    verdicts = campaign.verdicts
    return {
        "seed": campaign.plan.seed,
        "database": campaign.plan.database,
        "through": campaign.plan.through,
        "disk": "tmpfs" if campaign.small_disk else "real",
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "seconds": round(time.monotonic() - campaign.began),
        "deeds": campaign.work.deeds,
        "people": verdicts[-1].people if verdicts else 0,
        "acked": len(compare.acked_events(deliveries)),
        "deliveries": len(deliveries),
        "ack_ms": {"p50": _at(taken, 0.5), "p99": _at(taken, 0.99)},
        "values_written": len(campaign.twin.world.portal.writes),
        **{what: len(_all(verdicts, what)) for what in ("lost", "doubled", "diverged")},
        "repeated": {"values": len(campaign.repeated), "first": campaign.repeated[:20]},
        "visitors": campaign.walking.report(),
        "orphans": len(campaign.orphans),
        "checks": len(verdicts),
        "seconds_to_converge": campaign.converged,
        "kills": dict(sorted(campaign.kills.items())),
        "faults": dict(sorted(campaign.struck.items())),
        "findings": campaign.findings,
    }


def _all(verdicts: list[compare.Verdict], what: str) -> set[str]:
    """Return what any check found, each once."""
    return {row for one in verdicts for row in getattr(one, what)}


def _at(values: list[float], part: float) -> float | None:
    return values[int((len(values) - 1) * part)] if values else None
