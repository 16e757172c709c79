"""A turn at an account: its lease, a scene, and one transaction at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from connector.domain.errors import StoreBusy
from connector.domain.facts import AccountId, ProfileId, RecordKey
from connector.pipeline.handing import hand_off
from connector.pipeline.mentions import clear_bodies
from connector.pipeline.newcomers import want_records
from connector.pipeline.opening import apply_brake, open_scene, wake_others
from connector.pipeline.refold import Retold, retell
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.pipeline.wishes import wish

if TYPE_CHECKING:
    from connector.store.leases import Fence
    from connector.store.unit import Unit

# Profiles in one turn, so that nobody waits long for the lease.
AT_ONCE = 200
PATIENCE = 5.0
_POLL = 0.02

T = TypeVar("T")


@contextmanager
def leased(services: Services, account_id: AccountId) -> Iterator[Fence]:
    """Hold an account's lease; raise StoreBusy when it does not come free in a few seconds."""
    fence = None
    waited = 0.0
    while fence is None:
        fence = services.store.take(f"account:{account_id}")
        if fence is None:
            if waited > PATIENCE:
                raise StoreBusy("the account is being worked on")
            services.pause(_POLL)
            waited += _POLL
    try:
        yield fence
    finally:
        services.store.drop(fence)


def look(
    services: Services,
    account_id: AccountId,
    profiles: Sequence[ProfileId] = (),
    keys: Iterable[RecordKey] = (),
) -> Scene:
    """Return a scene of some profiles and records as they stand now."""
    with services.store.reading() as unit:
        return open_scene(
            services, unit, account_id, set(keys), profiles=profiles, now=services.now()
        )


def conclude(
    services: Services,
    account_id: AccountId,
    fence: Fence,
    scene: Scene,
    told: Iterable[Retold],
    also: Callable[[Unit], None] | None = None,
) -> None:
    """Work out what has to be written, store everything, and wake whoever writes it.

    `also` stores what does not belong to the scene, in the same transaction.
    """
    profiles = list(told)
    wish(scene, profiles)
    hand_off(scene, profiles)
    with services.store.reading() as unit:
        apply_brake(services, scene, unit, account_id)
    if scene.unnamed:
        clear_bodies(services, account_id, scene)
    with services.store.writing(fence) as unit:
        unit.save(account_id, scene.changes, scene.now)
        if also:
            also(unit)
        wanted = want_records(services, scene, unit, profiles)
    wake_others(services, account_id, scene)
    for connection_id in sorted(wanted):
        services.wake("deliver", connection_id)


def retold(scene: Scene, profiles: Iterable[ProfileId]) -> list[Retold]:
    """Fold profiles again."""
    return [retell(scene, profile_id) for profile_id in profiles]


def pieces(values: Sequence[T], most: int) -> Iterator[list[T]]:
    """Cut a sequence into lists of at most `most`."""
    for start in range(0, len(values), most):
        yield list(values[start : start + most])
