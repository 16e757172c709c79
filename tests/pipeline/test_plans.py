"""No batch looks at more rows the more an account has: SQLite finds people by their own ids."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from tests.pipeline.house import House
from tests.pipeline.ruling import TWICE, Ruling
from tests.pipeline.visitors import Site

# Everything that an account has more of as time goes by.
GROWING = (
    *("profile", "record", "visitor", "alias", "journey", "day", "step", "move", "entry"),
    *("fact", "link", "outbox", "written", "notice", "tombstone", "score", "firing", "refusal"),
    *("handoff", "creation", "answer", "audit", "effect"),
)
# Rows that wait for something: they are few.
LINES = ("ix_journey_line", "ix_journey_parked", "ix_visitor_reward")
Asked = list[tuple[str, Any]]


@contextmanager
def listening(house: House) -> Iterator[Asked]:
    """Note what is asked of the database."""
    asked: Asked = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            asked.append((statement, values))

    engine = house.store.database.engine
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def walks(house: House, asked: Asked) -> set[str]:
    """Return how SQLite would look through all that grows, or all of it that is an account's."""
    found = set()
    with house.store.database.engine.connect() as connection:
        for statement, values in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            found |= {row.detail for row in plan if _walks(row.detail)}
    return found


def _walks(step: str) -> bool:
    words = [*step.split(), ""]
    by_account = step.endswith("(account_id=?)") and not any(line in words for line in LINES)
    return words[1] in GROWING and (words[0] == "SCAN" or by_account)


def test_visitors_are_found_by_their_ids(house: House) -> None:
    site = Site(house)
    Ruling(house).rule(conditions={"all": [TWICE]})
    devices = [f"d{number}" for number in range(5)]
    seen = [site.told("page_view", 1, device_id=one, url="/pricing") for one in devices]
    known = [
        site.told("verified_conversion", 2, device_id=one, user_id=f"u{one}", email=f"{one}@x.io")
        for one in devices
    ]
    site.tell([*seen, *known])
    again = [site.told("page_view", 3, device_id=one, url="/pricing") for one in devices]

    with listening(house) as asked:
        site.tell([*again, site.told("identity_conversion", 4, device_id="new", email="n@x.io")])

    assert site.slot("d0") == 6
    assert walks(house, asked) == set()


def test_contacts_are_found_by_their_ids(house: House) -> None:
    for number in range(1, 6):
        house.crm.create(f"{number}", email=f"c{number}@x.io", lifecyclestage="lead")
    house.sync()

    with listening(house) as asked:
        for number in range(1, 6):
            house.crm.edit(f"{number}", lifecyclestage="customer")
        house.sync()

    assert house.slot("1") == 8
    assert walks(house, asked) == set()


def test_people_who_join_are_found_by_their_ids(house: House) -> None:
    site = Site(house)
    for number in range(1, 6):
        house.crm.create(f"{number}", email=f"c{number}@x.io", lifecyclestage="lead")
        site.do("page_view", 1, device_id=f"d{number}", url="/pricing")
    house.sync()

    with listening(house) as asked:
        house.crm.create("9", email="c1@x.io", lifecyclestage="lead")
        house.crm.edit("2", email="c1@x.io")
        site.do("verified_conversion", 2, device_id="d1", email="c1@x.io")
        house.sync()

    assert house.slot("9") == 3
    assert walks(house, asked) == set()


def test_people_who_are_erased_are_found_by_their_ids(house: House) -> None:
    site = Site(house)
    for number in range(1, 6):
        house.crm.create(f"{number}", email=f"c{number}@x.io", lifecyclestage="lead")
        site.do("verified_conversion", 1, device_id=f"d{number}", email=f"c{number}@x.io")
    house.sync()

    with listening(house) as asked:
        site.do("deidentified", 2, device_id="d1", email="c1@x.io")
        site.do("page_view", 3, device_id="d1", email="c1@x.io")
        house.sync()

    assert walks(house, asked) == set()
