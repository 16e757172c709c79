"""A person is forgotten on request."""

from __future__ import annotations

from connector.domain.facts import AccountId
from connector.pipeline.erasure import erase as bury
from connector.pipeline.moving import find
from connector.pipeline.services import Services
from connector.pipeline.turns import conclude, leased, look


def erase(services: Services, account_id: AccountId, profile_id: str) -> None:
    """Forget a person: everything but a tombstone goes, our fields are blanked in the CRMs.

    Raises NotFound.
    """
    with leased(services, account_id) as fence:
        profile = find(services, account_id, profile_id)
        scene = look(services, account_id, [profile.id])
        with services.store.reading() as unit:
            bury(scene, unit, account_id, [profile.id])
        conclude(services, account_id, fence, scene, ())
