"""What Prometheus is told: counts from SQL, and what all processes have added to the tally.

Every web process reads the same rows, so whichever of them is asked, no counter goes back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from connector.adapters.hubspot.limiter import remaining
from connector.figures import BUCKETS, Key

if TYPE_CHECKING:
    from connector.domain.facts import AccountId
    from connector.pipeline.services import Services
    from connector.store.inbox import Backlog
    from connector.store.models import Ages
    from connector.stored import Poll

# A process that has been silent for longer does not live.
LIVING = timedelta(seconds=45)

GAUGES: Mapping[str, str] = {
    "bb_inbox_pending": "Deliveries and events that wait, up to 100,000 of each",
    "bb_inbox_oldest_age_seconds": "Age of the oldest that waits",
    "bb_outbox_pending": "Writes to CRMs that wait, up to 100,000",
    "bb_outbox_oldest_age_seconds": "Age of the oldest that waits",
    "bb_outbox_held": "Writes to CRMs that a person has to release",
    "bb_dead_letters": "Rows put aside with their reason",
    "bb_reconcile_differed": "Records that differed in the poller's last passes",
    "bb_reconcile_age_seconds": "Since the pass of the poller that ended longest ago",
    "bb_train_queue_age_seconds": "Since the training that has been wanted longest",
    "bb_model_age_seconds": "Since the oldest model that serves was learned",
    "bb_scores_due": "People who are to be scored, up to 100,000",
    "bb_disk_free_bytes": "Room in the data folder",
    "bb_redis_up": "Whether Redis answers; without it what waits is found by sweeping",
}
COUNTERS: Mapping[str, str] = {
    "bb_ingest_requests_total": "Webhook requests, by what was answered",
    "bb_platform_proofs_total": "Deliveries of the platform kept, by what proved them",
    "bb_events_total": "Events worked off, or put aside",
    "bb_crm_requests_total": "Calls to CRMs by status; none: no answer",
    "bb_job_retries_total": "Jobs that failed and are tried again",
    "bb_sweeper_rescues_total": "Jobs found waiting in SQL, their wake-up call late or lost",
}
HISTOGRAMS: Mapping[str, str] = {
    "bb_ingest_ack_seconds": "From a webhook's bytes to its answer, where it was kept",
    "bb_first_score_seconds": "From a visitor's first event to the first score",
    "bb_training_seconds": "Trainings of models",
    "bb_drain_seconds": "Turns of working events off",
}


class Told:
    """Metrics that are known already, as a registry wants them."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        """Return them."""
        yield from self._families


def of_house(services: Services, around: Mapping[str, float]) -> bytes:
    """Tell of the whole installation; `around` is what SQL does not know."""
    now = services.now()
    with services.store.reading() as unit:
        watch = unit.watch
        vitals, tallies, notes = watch.vitals(), watch.tallies(), watch.notes()
        living = watch.living(now - LIVING)
        polls = unit.polls.all(None).values()
        learned = unit.models.ages(None)
    gauges = {
        "bb_inbox_pending": vitals.inbox,
        "bb_inbox_oldest_age_seconds": _age(vitals.inbox_since, now),
        "bb_outbox_pending": vitals.outbox,
        "bb_outbox_oldest_age_seconds": _age(vitals.outbox_since, now),
        "bb_outbox_held": vitals.held,
        "bb_dead_letters": vitals.parked,
        **_polled(polls, now),
        **_learned(learned, now),
        **around,
    }
    return _shown(
        [
            *(GaugeMetricFamily(name, GAUGES[name], value) for name, value in gauges.items()),
            _by("bb_processes", "Processes that live", "kind", [one.kind for one in living]),
            _quota(notes),
            *_counters(tallies),
            *(_histogram(name, tallies) for name in HISTOGRAMS),
        ]
    )


def of_account(services: Services, account_id: AccountId) -> bytes:
    """Tell of one account's rows only."""
    now = services.now()
    with services.store.reading() as unit:
        came, goes = unit.inbox_backlog(account_id), unit.outbox_backlog(account_id)
        polls = unit.polls.all(account_id).values()
        learned = unit.models.ages(account_id)
    gauges = {
        "bb_inbox_pending": came.pending,
        "bb_inbox_oldest_age_seconds": _age(came.since, now),
        "bb_outbox_pending": goes.pending,
        "bb_outbox_oldest_age_seconds": _age(goes.since, now),
        "bb_outbox_held": goes.held,
        "bb_dead_letters": _parked(came, goes),
        **_polled(polls, now),
        **_learned(learned, now),
    }
    return _shown(GaugeMetricFamily(name, GAUGES[name], value) for name, value in gauges.items())


def _shown(families: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry()
    registry.register(Told(families))
    return generate_latest(registry)


def _polled(polls: Iterable[Poll], now: datetime) -> dict[str, float]:
    ended = [(poll.ended_at, poll.found) for poll in polls if poll.ended_at]
    return {
        "bb_reconcile_differed": sum(found for _, found in ended),
        "bb_reconcile_age_seconds": _age(min((at for at, _ in ended), default=None), now),
    }


def _learned(ages: Ages, now: datetime) -> dict[str, float]:
    return {
        "bb_train_queue_age_seconds": _age(ages.wanted_at, now),
        "bb_model_age_seconds": _age(ages.made_at, now),
        "bb_scores_due": ages.due,
    }


def _parked(*boxes: Backlog) -> int:
    return sum(box.parked for box in boxes)


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _by(name: str, text: str, label: str, values: Iterable[str]) -> Metric:
    counts: dict[str, int] = defaultdict(int)
    for value in values:
        counts[value] += 1
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in sorted(counts.items()):
        family.add_metric([value], number)
    return family


def _quota(notes: Iterable[tuple[str, object]]) -> Metric:
    """Return the calls that the day still has, of the connection that has the fewest."""
    least: dict[str, int] = {}
    for system, note in notes:
        left = remaining(note)
        if left is not None:
            least[system] = min(left, least.get(system, left))
    text = "Calls left of the day's, where they are fewest"
    family = GaugeMetricFamily("bb_crm_quota_remaining", text, labels=["crm"])
    for system, left in sorted(least.items()):
        family.add_metric([system], left)
    return family


def _counters(tallies: Mapping[Key, float]) -> Iterator[Metric]:
    found: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
    for (name, labels), value in sorted(tallies.items()):
        found[name].append((_labels(labels), value))
    for name, text in COUNTERS.items():
        rows = found.get(name, [])
        names = sorted(rows[0][0]) if rows else []
        family = CounterMetricFamily(name, text, labels=names)
        for told, value in rows:
            family.add_metric([told[one] for one in names], value)
        yield family
    yield _throttled(found.get("bb_crm_requests_total", []))


def _throttled(rows: Iterable[tuple[dict[str, str], float]]) -> Metric:
    family = CounterMetricFamily("bb_crm_429_total", "Calls that a CRM throttled", labels=["crm"])
    for labels, value in rows:
        if labels["status"] == "429":
            family.add_metric([labels["crm"]], value)
    return family


def _histogram(name: str, tallies: Mapping[Key, float]) -> Metric:
    """Add the buckets up: each is told with all below it."""
    running, buckets = 0.0, []
    for most in [*(str(one) for one in BUCKETS[name]), "+Inf"]:
        running += tallies.get((f"{name}_bucket", f"le={most}"), 0.0)
        buckets.append((most, running))
    family = HistogramMetricFamily(name, HISTOGRAMS[name])
    family.add_metric([], buckets, tallies.get((f"{name}_sum", ""), 0.0))
    return family


def _labels(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split(",") if pair)
