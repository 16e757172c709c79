"""What an admin may make of rules."""

from __future__ import annotations

from typing import Any

import pytest

from connector.domain.errors import ConfigurationRefused
from connector.pipeline.legislating import save
from tests.pipeline.house import ACCOUNT, House
from tests.pipeline.ruling import PRICING, TWICE, Ruling

RULE: dict[str, Any] = {"name": "pricing", "trigger": PRICING, "to": 6}


@pytest.fixture
def ruling(house: House) -> Ruling:
    return Ruling(house)


def test_a_rule_counts_no_further_back_than_events_are_kept(ruling: Ruling) -> None:
    longer = {**TWICE, "count": {**PRICING, "within": "731d"}}

    with pytest.raises(ConfigurationRefused, match="within 731d, events are kept 730d"):
        save(ruling.house.services, ACCOUNT, RULE | {"conditions": longer})
