"""The one way out of slot 10: a documented re-consent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.domain.facts import AccountId, ProfileId
from connector.domain.slots import Slot
from connector.domain.steps import Actor, Kind
from connector.pipeline.moving import step
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.pipeline.turns import AT_ONCE, conclude, leased, look, pieces, retold

CAUSE = "reconsent"


def reconsent(
    services: Services, account_id: AccountId, wanted: Sequence[str], reason: str
) -> dict[str, Any]:
    """Lead profiles out of slot 10, named by id or by address; one batch, audited.

    An address also lifts its tombstone, so that the person may come back. Returns the batch
    (None if nobody moved), who moved, and who was skipped with why.
    """
    batch_id = services.new_id("bat")
    moved: list[str] = []
    skipped: list[dict[str, str]] = []
    for some in pieces(wanted, AT_ONCE):
        named = _named(services, account_id, some)
        skipped += [
            {"profile_id": name, "why": "no such profile"} for name, one in named.items() if not one
        ]
        ids = sorted({one for one in named.values() if one})
        with leased(services, account_id) as fence:
            scene = look(services, account_id, ids)
            ready = [one for one in ids if scene.profiles[one].slot is Slot.DO_NOT_CONTACT]
            others = sorted(set(ids) - set(ready))
            skipped += [{"profile_id": one, "why": "it is not in slot 10"} for one in others]
            _lift(scene, ready, batch_id, reason)
            conclude(services, account_id, fence, scene, retold(scene, ready))
        moved += ready
    return {"batch_id": batch_id if moved else None, "moved": moved, "skipped": skipped}


def _named(
    services: Services, account_id: AccountId, names: Sequence[str]
) -> dict[str, ProfileId | None]:
    """Find the profiles behind ids and addresses; lift the tombstones of the addresses."""
    addresses = [name.strip().lower() for name in names if "@" in name]
    with services.store.writing() as unit:
        unit.lift(account_id, addresses)
    found: dict[str, ProfileId | None] = {}
    with services.store.reading() as unit:
        for name in names:
            if "@" in name:
                wanted = {"email": name.strip().lower()}
                profiles = unit.people.found(account_id, wanted, "", 1)
                found[name] = profiles[0].id if profiles else None
            else:
                profile = unit.people.profile(account_id, name)
                found[name] = profile.id if profile else None
    return found


def _lift(scene: Scene, ready: Sequence[ProfileId], batch_id: str, reason: str) -> None:
    if ready:
        scene.name_batch((CAUSE,), batch_id, CAUSE, Actor.PERSON, reason)
    for one in ready:
        profile = scene.profiles[one]
        scene.take(
            step(
                scene,
                profile,
                Kind.RECONSENT,
                None,
                reason=reason,
                batch_id=batch_id,
                cause=f"person:{CAUSE}",
            )
        )
        scene.note(CAUSE, "", one)
