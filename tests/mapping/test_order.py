"""A CRM whose stage order disagrees with the funnel is pointed out."""

from __future__ import annotations

from connector.domain.slots import Pipeline
from connector.mapping.document import preset
from connector.mapping.lookup import Lookup
from connector.mapping.order import disagreements
from connector.mapping.table import Vocabulary

STAGES = ("lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")


def lookup(*stages: str) -> Lookup:
    options = {"contact": {"lifecyclestage": {stage: stage for stage in stages}}}
    return Lookup(preset("hubspot"), Pipeline(), Vocabulary(options))


def test_the_vendor_s_own_order_agrees_with_the_default_funnel() -> None:
    assert disagreements(lookup(*STAGES)) == []


def test_a_stage_that_an_admin_moved_is_named() -> None:
    moved = lookup("lead", "salesqualifiedlead", "marketingqualifiedlead", "customer")

    (fault,) = disagreements(moved)

    assert "'salesqualifiedlead' (slot 4) before 'marketingqualifiedlead' (slot 6)" in fault


def test_a_portal_that_told_us_nothing_disagrees_with_nothing() -> None:
    assert disagreements(Lookup(preset("hubspot"))) == []
