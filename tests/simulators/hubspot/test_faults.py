import time
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin

    from .conftest import Api

CONTACTS = "/crm/objects/2026-09/contacts"
DETAILS = "/account-info/2026-09/details"


def test_a_status_is_answered_without_doing_anything(api: "Api", twin: "Twin") -> None:
    twin.fault("status", status=477, headers={"Retry-After": 60}, method="POST")

    reply = api("POST", CONTACTS, {"properties": {"firstname": "Ann"}})
    assert (reply.status_code, reply.headers["Retry-After"]) == (477, "60")
    assert twin.ask("GET", "records/contacts")["ids"] == []


def test_a_fault_strikes_the_calls_it_is_meant_for(api: "Api", twin: "Twin") -> None:
    twin.fault("status", r"details$", status=503, times=2, skip=1)

    assert api("GET", CONTACTS).status_code == 200
    assert [api("GET", DETAILS).status_code for _ in range(4)] == [200, 503, 503, 200]
    assert twin.faults()[0]["struck"] == 2


def test_a_429_is_the_real_one(api: "Api", twin: "Twin") -> None:
    twin.fault("429", policy="DAILY", retry_after=7)

    reply = api("GET", DETAILS)
    assert (reply.status_code, reply.json()["policyName"]) == (429, "DAILY")
    assert reply.headers["Retry-After"] == "7"


@pytest.mark.parametrize(("do", "written"), [("reset", False), ("drop_reply", True)])
def test_a_line_breaks_before_or_after_the_work(
    api: "Api", twin: "Twin", do: str, *, written: bool
) -> None:
    [ann] = twin.seed()
    twin.fault(do)

    with pytest.raises(requests.ConnectionError):
        api("PATCH", f"{CONTACTS}/{ann}", {"properties": {"city": "Rome"}})
    assert (twin.value("contacts", ann, "city") == "Rome") is written


@pytest.mark.parametrize(("do", "written"), [("timeout", False), ("hang", True)])
def test_an_answer_that_comes_too_late(api: "Api", twin: "Twin", do: str, *, written: bool) -> None:
    [ann] = twin.seed()
    twin.fault(do, seconds=5)

    with pytest.raises(requests.Timeout):
        requests.patch(
            f"{twin.url}{CONTACTS}/{ann}",
            json={"properties": {"city": "Rome"}},
            headers={"Authorization": f"Bearer {twin.token}"},
            timeout=0.2,
        )
    assert (twin.value("contacts", ann, "city") == "Rome") is written
    assert api("GET", DETAILS).status_code == 200


def test_a_delay_only_delays(api: "Api", twin: "Twin") -> None:
    twin.fault("delay", seconds=0.2)
    started = time.monotonic()

    assert api("GET", DETAILS).status_code == 200
    assert time.monotonic() - started >= 0.2


def test_a_gateway_answers_html(api: "Api", twin: "Twin") -> None:
    twin.fault("html502")

    reply = api("GET", DETAILS)
    assert (reply.status_code, reply.headers["Content-Type"]) == (502, "text/html")


def test_json_may_be_cut(api: "Api", twin: "Twin") -> None:
    twin.fault("bad_json")

    with pytest.raises(requests.JSONDecodeError):
        api("GET", DETAILS).json()


def test_some_rows_may_fail(api: "Api", twin: "Twin") -> None:
    ann, bob = twin.seed(count=2)
    twin.fault("partial", ids=[bob], category="LOCKED")

    inputs = [{"id": one, "properties": {"city": "Rome"}} for one in (ann, bob)]
    reply = api("POST", f"{CONTACTS}/batch/update", {"inputs": inputs})
    [error] = reply.json()["errors"]
    assert (reply.status_code, error["category"]) == (207, "LOCKED")
    assert error["context"] == {"ids": [bob]}
    assert [twin.value("contacts", one, "city") for one in (ann, bob)] == ["Rome", None]


@pytest.mark.parametrize(("do", "value"), [("before", "Rome"), ("after", "Bonn")])
def test_a_person_edits_around_our_write(api: "Api", twin: "Twin", do: str, value: str) -> None:
    [ann] = twin.seed()
    twin.fault(do, method="PATCH", object="contacts", id=ann, properties={"city": "Bonn"})

    api.patch(ann, city="Rome")
    assert twin.value("contacts", ann, "city") == value
    assert {one["value"] for one in twin.history("contacts", ann, "city")} == {"Rome", "Bonn"}


def test_an_unknown_fault_is_refused(twin: "Twin") -> None:
    with pytest.raises(RuntimeError, match="do must be one of"):
        twin.fault("explode")


def test_faults_can_be_cleared(api: "Api", twin: "Twin") -> None:
    twin.fault("status", status=500)
    twin.clear_faults()

    assert api("GET", DETAILS).status_code == 200
