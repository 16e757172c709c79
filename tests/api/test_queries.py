"""The queries behind the API, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector import bootstrap
from connector.app import make_app
from connector.pipeline.drain import drain
from connector.ports import Happening
from tests.api.conftest import Door, make_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def either(database_url: str, tmp_path: Path) -> Iterator[Door]:
    settings = make_settings(database_url, tmp_path)
    services = bootstrap.build(settings)
    yield Door(services, make_app(services, settings))
    services.store.database.close()


def test_batches_are_paged_newest_first(either: Door) -> None:
    profile_id = either.lead()
    for slot in (6, 5, 4, 3):
        either.post(f"profiles/{profile_id}/move", {"slot": slot, "reason": str(slot)})

    cursor, seen = "", []
    while cursor is not None:
        page = either.get(f"batches?limit=2&cursor={cursor}").json
        seen += [one["reason"] for one in page["items"] if one["cause"] == "move"]
        cursor = page["next_cursor"]

    assert seen == ["3", "4", "5", "6"]


def test_parked_rows_are_found_by_reason_or_record(either: Door) -> None:
    for record_id in ("101", "102"):
        either.keep(record_id, Happening.MERGED)
    drain(either.services, either.account_id)

    with either.services.store.reading() as unit:
        assert len(unit.parked_events(None)) == 2
        assert len(unit.parked_events(either.account_id, "keyerr")) == 2
        assert len(unit.parked_events(either.account_id, "101")) == 1
        assert unit.parked_events(either.account_id, "%") == []
        assert unit.parked_writes(either.account_id, "x") == []


def test_every_route_answers(either: Door) -> None:
    profile_id = either.lead()
    one = f"connections/{either.connection_id}"

    for path in (
        *("profiles?email=a&record_id=b&object=contact&connection_id=c&slot=3", "batches"),
        *(f"profiles/{profile_id}", f"profiles/{profile_id}/moves", "holds", "pipeline"),
        *("connections", f"{one}/mapping", f"{one}/unmapped", "inbox?state=parked"),
        *(
            "outbox?state=held",
            "reports/funnel",
            "reports/feedback?by=owner",
            "status",
            "batches?cursor=none",
        ),
    ):
        assert either.get(path).status_code == 200, path
