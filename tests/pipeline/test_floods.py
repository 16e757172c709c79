"""Telling a flood from single edits: what one source did in the last minute."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from connector.store import tables as t
from connector.stored import LIVE
from tests.pipeline.conftest import Build
from tests.pipeline.house import CONNECTION, House


def test_what_a_source_made_over_a_minute_ago_makes_nothing_bulk(build: Build) -> None:
    house = build(bulk_per_minute=2)
    for number in range(6):
        house.crm.create(str(1000 + number))
        house.hear()
        house.clock.pass_(61)

    assert {row.lane for row in house.rows(t.event)} == {LIVE}


def test_looking_for_a_flood_reads_one_index_and_not_all_that_is_kept(house: House) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(
        house.store.database.engine,
        "before_cursor_execute",
        lambda _c, _cursor, sql, values, *_: asked.append((sql, values)),
    )
    with house.store.reading() as unit:
        unit.recent_of(CONNECTION, ("CRM_UI", "userId:7"), house.clock.now(), 300)
        sql, values = asked[-1]
        plan = unit.tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()

    steps = " ".join(str(row[-1]) for row in plan)
    assert "ix_event_origin (connection_id=? AND origin=? AND origin_id=?" in steps
