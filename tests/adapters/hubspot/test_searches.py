"""What changed is found, whatever shares a change date, and the archive is read."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from connector.adapters.hubspot import Limiter, open_hubspot
from connector.domain.errors import CrmBusy, CrmDown
from simulators.hubspot import search as twins_search

if TYPE_CHECKING:
    from responses import RequestsMock

    from connector.adapters.hubspot import HubSpot
    from simulators.hubspot.testing import Twin

API = "https://api.hubapi.com"
SEARCH = f"{API}/crm/objects/2026-09/contacts/search"
SAME = "2026-05-01T12:00:00.000Z"
SINCE = datetime(2026, 5, 1, tzinfo=UTC)


def walk(portal: HubSpot, kind: str = "contact", since: datetime = SINCE) -> list[str]:
    """Return the ids that a walk over all changes finds, as often as it does."""
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        try:
            page = portal.changed(kind, since, after or None)
        except CrmBusy as error:
            time.sleep(error.retry_in or 0)
            continue
        found += [mark.record_id for mark in page.marks]
        after = page.after
    return found


@pytest.fixture
def quick(twin: Twin) -> HubSpot:
    """Return a portal and a twin without the limit on searches."""
    twin.settings(search_limit=10_000)
    return open_hubspot(twin.url, "2026-09", lambda: twin.token, Unlimited())


class Unlimited(Limiter):
    """Counts no search."""

    def take_search(self) -> None: ...


@pytest.mark.parametrize("kind", ["contact", "company", "deal"])
def test_what_changed_is_found_oldest_first(twin: Twin, portal: HubSpot, kind: str) -> None:
    words = {"contact": "contacts", "company": "companies", "deal": "deals"}
    old, new = twin.seed(object=words[kind], count=2)
    time.sleep(0.002)
    twin.edit(words[kind], old, hubspot_owner_id="")

    found = portal.changed(kind, SINCE, None)

    assert [mark.record_id for mark in found.marks] == [str(new), str(old)]
    assert found.after is None
    assert portal.changed(kind, found.marks[1].stamp, None).marks == [found.marks[1]]


def test_more_than_search_will_page_through_are_found(
    twin: Twin, quick: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twins_search, "MOST_RESULTS", 150)
    before = twin.seed(count=30, modified_at="2026-05-01T11:00:00Z")
    same = twin.seed(count=420, first=100, modified_at=SAME)
    behind = twin.seed(count=130, first=900, modified_at="2026-05-01T12:00:00.001Z")

    found = walk(quick)

    assert set(found) == {str(one) for one in before + same + behind}
    assert len(found) < 2 * len(set(found))


def test_a_deleted_record_is_in_the_archive_only(twin: Twin, portal: HubSpot) -> None:
    ann = twin.edit("contacts", email="ann@x.example", lifecyclestage="lead")
    twin.edit("contacts", ann, lifecyclestage="customer")
    twin.delete("contacts", ann)

    (gone,) = portal.archive("contact", None, ["email"], ["lifecyclestage"]).readings

    assert portal.changed("contact", SINCE, None).marks == []
    assert gone.archived
    assert gone.ended_at is not None
    assert [held.value for held in gone.history["lifecyclestage"]] == ["lead", "customer"]


def test_a_survivor_tells_which_ids_it_was_and_since_when(twin: Twin, portal: HubSpot) -> None:
    ann, bob = (twin.edit("contacts", email=f"{name}@x.example") for name in ("ann", "bob"))
    twin.merge("contacts", ann, bob)

    (found,) = portal.read("contact", [ann], ["email"], ["email"])

    (when,) = found.merged.values()
    assert list(found.merged) == [bob]
    assert when is not None
    assert abs(when - datetime.now(UTC)) < timedelta(minutes=1)


def test_searches_have_a_budget_of_their_own(twin: Twin) -> None:
    portal = open_hubspot(twin.url, "2026-09", lambda: twin.token, Limiter(per_window=4))
    for _ in range(4):
        portal.changed("contact", SINCE, None)

    with pytest.raises(CrmBusy) as busy:
        portal.changed("contact", SINCE, None)

    assert 0 < (busy.value.retry_in or 0) <= 1.1
    assert portal.prove() == "4242"


def test_a_refused_search_holds_up_searches_only(vendor: RequestsMock, hubspot: HubSpot) -> None:
    vendor.post(SEARCH, status=429, json={"policyName": "SECONDLY"})
    vendor.get(f"{API}/account-info/2026-09/details", json={"portalId": 4242})

    for _ in range(2):
        with pytest.raises(CrmBusy) as busy:
            hubspot.changed("contact", SINCE, None)

    assert 0 < (busy.value.retry_in or 0) <= 1
    assert len(vendor.calls) == 1
    assert hubspot.prove() == "4242"


def test_a_search_beyond_the_day_s_limit_holds_up_everything(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    vendor.post(SEARCH, status=429, json={"policyName": "DAILY"})

    with pytest.raises(CrmBusy):
        hubspot.changed("contact", SINCE, None)
    with pytest.raises(CrmBusy):
        hubspot.prove()


def test_the_lease_s_next_holder_knows_of_the_searches() -> None:
    limiter = Limiter()
    for _ in range(4):
        limiter.take_search()
    following = Limiter()
    following.restore(limiter.state())

    with pytest.raises(CrmBusy):
        following.take_search()


@pytest.mark.parametrize(
    "row",
    [
        {"id": "1", "properties": {}},
        {"id": "one", "properties": {"lastmodifieddate": SAME}},
    ],
)
def test_a_row_without_id_or_date_is_no_answer(
    vendor: RequestsMock, hubspot: HubSpot, row: dict[str, Any]
) -> None:
    vendor.post(SEARCH, json={"results": [row]})

    with pytest.raises(CrmDown):
        hubspot.changed("contact", SINCE, None)


def test_a_search_that_answers_the_same_again_is_found_out(
    vendor: RequestsMock, hubspot: HubSpot
) -> None:
    row = {"id": "7", "properties": {"lastmodifieddate": SAME}}
    vendor.post(SEARCH, json={"results": [row], "paging": {"next": {"after": "1"}}})
    page = hubspot.changed("contact", SINCE, None)
    page = hubspot.changed("contact", SINCE, page.after)

    with pytest.raises(CrmDown, match="move on"):
        hubspot.changed("contact", SINCE, page.after)
