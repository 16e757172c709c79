"""Sales in a campaign: what the portal itself must show, and that a planted fault is seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulators.hubspot.testing import Twin
from soak.sales import CONNECTED, SQL, Lead, Sales
from tests.soak.test_visitors import Heard


class Shown:
    """An installation in which everybody stands in slot 4."""

    def items(self, path: str, **_: str) -> Iterator[dict[str, Any]]:
        if path == "profiles":
            yield {"id": "p1", "slot": 4}


@pytest.fixture
def sales() -> Iterator[Sales]:
    with Twin() as twin:
        yield Sales(Shown(), twin, Heard("", ""), seed=1)  # type: ignore[arg-type]


def connected(sales: Sales) -> Lead:
    values = {"hs_lead_status": CONNECTED, "lifecyclestage": SQL}
    made = sales.twin.edit("contacts", email="l0@x.io", **values)
    sales.leads.append(Lead(made, 0, by_hand=True, qualified=True, word=CONNECTED, connected=True))
    return sales.leads[-1]


def test_one_deal_for_who_was_connected_is_right(sales: Sales) -> None:
    sales.twin.deal([connected(sales).id])

    assert sales.check() == ([], [])


def test_a_second_deal_is_doubled(sales: Sales) -> None:
    lead = connected(sales)
    deals = [sales.twin.deal([lead.id]) for _ in range(2)]

    assert sales.check()[0] == [f"lead {lead.id}: deals {deals}"]


def test_a_deal_that_was_never_made_has_diverged(sales: Sales) -> None:
    lead = connected(sales)

    assert sales.check()[1] == [f"lead {lead.id}: connected, but deals [], {SQL}, slot 4"]


def test_a_deal_of_nobody_is_doubled(sales: Sales) -> None:
    deal = sales.twin.deal([])

    assert sales.check()[0] == [f"deal {deal} of nobody"]


def test_a_rep_s_word_that_was_overwritten_has_diverged(sales: Sales) -> None:
    lead = connected(sales)
    sales.twin.deal([lead.id])
    sales.twin.edit("contacts", lead.id, hs_lead_status="NEW")

    assert f"lead {lead.id}: status NEW instead of CONNECTED" in sales.check()[1]


def test_a_seed_plays_the_same_sales_again(sales: Sales) -> None:
    for _ in range(40):
        sales.act()
    first = [(one.by_hand, one.qualified, one.word) for one in sales.leads]

    with Twin() as twin:
        again = Sales(sales.own, twin, Heard("", ""), seed=1)
        for _ in range(40):
            again.act()
    assert [(one.by_hand, one.qualified, one.word) for one in again.leads] == first
