"""Journeys come in from a file: silent, once per event id."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from connector.domain.journeys import JourneyEvent
from connector.pipeline.importing import Imported, csv_lines, import_journeys
from connector.ports import Unread
from connector.stored import Delivery
from tests.pipeline.acts import lead
from tests.pipeline.house import House
from tests.pipeline.visiting_reader import Told, read
from tests.pipeline.visitors import SITE, Site


def read_lines(services: object, delivery: Delivery) -> list[JourneyEvent | Unread]:
    """Read one event a line."""
    told = b"[" + b",".join(delivery.body.splitlines()) + b"]"
    return read(services, replace(delivery, body=told))


@pytest.fixture
def site(house: House) -> Site:
    object.__setattr__(house.services, "journey_readers", {"site": read_lines})
    return Site(house)


def take(site: Site, told: list[Told], *more: str) -> Imported:
    with site.house.store.reading() as unit:
        connection = unit.connection(SITE)
    site.house.clock.pass_(40 * 86400)
    lines = [*(json.dumps(one) for one in told), *more]
    return import_journeys(site.house.services, connection, lines, lambda _count: None)


def test_history_comes_in_once_however_often_it_is_imported(site: Site) -> None:
    told = [site.told("page_view", n, device_id=f"d{n % 3}") for n in range(9)]

    assert take(site, told) == take(site, told) == Imported(9, 0)

    assert len(site.kept(silent=True)) == 9
    assert len(site.profiles()) == 3


def test_an_import_moves_profiles_but_writes_our_own_fields_only(site: Site) -> None:
    lead(site.house, email="ann@x.io")
    typed = {"device_id": "d1", "email": "ann@x.io"}

    take(site, [site.told("identity_conversion", 1, **typed)])
    take(site, [site.told("stage_changed", 2, **typed, lead_stage=6)])
    site.house.run()

    assert site.house.slot("11") == 6
    assert site.house.own("11") == "6"
    assert site.house.crm.value("11", "lifecyclestage") == "lead"


def test_all_that_an_import_moves_is_one_batch(site: Site) -> None:
    take(site, [site.told("page_view", 1, device_id=f"d{n}") for n in range(1200)])

    batches = {site.house.ledger(one.id)[0].batch_id for one in site.profiles()}
    assert len(site.profiles()) == 1200
    assert len(batches) == 1


def test_a_line_that_is_no_event_is_named_and_the_rest_comes_in(site: Site) -> None:
    found = take(site, [site.told("page_view", device_id="d1")], "{oops", '{"key": "k"}')

    assert (found.events, found.unread) == (1, 2)
    assert "oops" in found.first_fault or "occurred_at" in found.first_fault


def test_a_csv_row_is_an_event_with_its_parts_in_their_places() -> None:
    rows = "id,type,occurred_at,email,page.url,utm_source\ne1,page_view,2026-05-01,a@x.io,/p,ads\n"

    (line,) = csv_lines(io.StringIO(rows))

    event = json.loads(line)
    assert event["visitor"] == {"email": "a@x.io"}
    assert event["page"] == {"url": "/p"}
    assert event["origin"] == {"utm_source": "ads"}
    assert (event["id"], event["type"]) == ("e1", "page_view")


def test_a_csv_row_without_an_id_gets_the_same_one_each_time() -> None:
    rows = "type,email\npage_view,a@x.io\npage_view,b@x.io\n"

    first, second = ([json.loads(one)["id"] for one in csv_lines(io.StringIO(rows))] for _ in "12")

    assert first == second
    assert len(set(first)) == 2
