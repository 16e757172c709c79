"""Things that happen in more than one test."""

from __future__ import annotations

from collections.abc import Callable

from connector.domain.errors import CrmError
from connector.mapping.handoff import CreateDeal
from connector.store import tables as t
from connector.store.types import EPOCH
from tests.pipeline.crm import Call
from tests.pipeline.house import House

Act = Callable[[], object]
DEAL = CreateDeal(
    enabled=True,
    status=("CONNECTED",),
    pipeline="default",
    stage="appointment",
    name="{firstname}",
)


class Crash(BaseException):
    """The process dies here."""


def crash() -> None:
    raise Crash


def fail(error: CrmError) -> Act:
    """Return an act that ends a call with an error."""

    def act() -> None:
        raise error

    return act


def lead(house: House, record_id: str = "11", **more: str) -> str:
    """Have a lead that both sides know; return its profile."""
    words = {"email": f"p{record_id}@x.io", "lifecyclestage": "lead"} | more
    house.crm.create(record_id, **words)
    house.sync()
    house.crm.calls.clear()
    house.clock.pass_(60)
    return house.profile_of(record_id)


def writes(house: House, field: str = "") -> list[Call]:
    """Return the calls that wrote (a field)."""
    found = [call for call in house.crm.calls if call.name == "write"]
    return [call for call in found if not field or any(field in one for one in call.fields)]


def before(house: House, name: str, act: Act, field: str = "") -> None:
    """Act as the next call of a name (that writes a field) begins."""
    house.crm.before = _once(house, name, act, field)


def after(house: House, name: str, act: Act, field: str = "") -> None:
    """Act when the CRM has done what the next call of a name (that writes a field) asks."""
    house.crm.after = _once(house, name, act, field)


def _once(house: House, name: str, act: Act, field: str) -> Callable[[Call], None]:
    def run(call: Call) -> None:
        if call.name == name and (not field or any(field in one for one in call.fields)):
            house.crm.before = house.crm.after = lambda _call: None
            act()

    return run


def interrupt(house: House, act: Act) -> None:
    """Act in the middle of the next unit of work, between its reads and its writes."""
    make = house.services.new_id

    def new_id(prefix: str) -> str:
        object.__setattr__(house.services, "new_id", make)
        act()
        return make(prefix)

    object.__setattr__(house.services, "new_id", new_id)


def steal(house: House) -> None:
    """Take every lease away from whoever holds it."""
    with house.store.database.writing() as tx:
        tx.execute(t.lease.update().values(token=t.lease.c.token + 1, until=EPOCH))


def unmake(house: House) -> None:
    """Have every own step go, as a late event can make a move untrue."""
    with house.store.database.writing() as tx:
        tx.execute(t.step.delete())
    house.crm.edit("11", hubspot_owner_id="42")
    house.keep(house.crm.told())
    house.drain()
