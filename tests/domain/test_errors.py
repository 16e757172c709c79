from __future__ import annotations

import pytest

from connector.domain.errors import (
    ConfigurationRefused,
    CrmBusy,
    CrmDenied,
    CrmRefused,
    DeliveryRefused,
    StoreBusy,
)


def test_an_error_says_what_to_do_next() -> None:
    assert str(CrmDenied("no scope")).startswith("no scope; grant the missing scope")
    assert str(CrmBusy("HubSpot said 429")) == "HubSpot said 429"
    assert str(CrmBusy("HubSpot said 429", advice="wait")) == "HubSpot said 429; wait"


@pytest.mark.parametrize(("asked", "waited"), [(None, 10.0), (3.0, 3.0), (0.0, 0.0)])
def test_an_error_says_when_to_try_again(asked: float | None, waited: float) -> None:
    assert CrmBusy("busy", retry_in=asked).retry_in == waited


def test_a_refused_configuration_names_every_fault() -> None:
    refusal = ConfigurationRefused(["slot 1 is locked", "slot 8 needs a label"])

    assert refusal.faults == ("slot 1 is locked", "slot 8 needs a label")
    assert str(refusal) == "slot 1 is locked; slot 8 needs a label"


def test_refusals_carry_their_http_status() -> None:
    assert DeliveryRefused("stale", status=401).status == 401
    assert CrmRefused("no such option").status == 400


def test_a_busy_store_is_tried_again() -> None:
    assert StoreBusy("locked").retry_in == 2.0
