"""What an address that was only typed may not do to the people whose it is."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pipeline.house import quick_house
from tests.pipeline.visitors import Site


def contact(site: Site, record_id: str, email: str) -> None:
    site.house.crm.create(record_id, email=email, lifecyclestage="lead")
    site.house.sync()


Act = Callable[[Site], None]
BORROWED: dict[str, Act] = {
    "types": lambda site: site.do("form_submitted", 0, device_id="d1", email="victim@x.io"),
    "signs in": lambda site: site.do("verified_conversion", 1, device_id="d1", email="me@x.io"),
    "victim": lambda site: contact(site, "11", "victim@x.io"),
    "me": lambda site: contact(site, "12", "me@x.io"),
}


@settings(deadline=None)
@given(st.permutations(sorted(BORROWED)))
def test_who_types_anothers_address_and_signs_in_stays_somebody_else(order: list[str]) -> None:
    with quick_house() as house:
        site = Site(house)
        for one in order:
            BORROWED[one](site)

        house.crm.edit("11", hs_email_optout="true")
        house.sync()

        assert house.profile_of("11") != house.profile_of("12")
        assert (house.slot("11"), house.slot("12")) == (10, 3)
