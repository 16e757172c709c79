from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin

    from .conftest import Api

ROOTS = ["/communication-preferences/v4", "/communication-preferences/2026-09"]
ALL = f"{ROOTS[1]}/statuses/ann@x.example/unsubscribe-all"


@pytest.mark.parametrize("root", ROOTS)
def test_opting_out_marks_the_contact(api: "Api", twin: "Twin", root: str) -> None:
    ann = api.contact(email="ann@x.example")

    path = f"{root}/statuses/ann@x.example/unsubscribe-all"
    assert api("GET", path, channel="EMAIL").json()["results"] == []
    assert api("POST", path, channel="EMAIL").status_code == 200
    [state] = api("GET", path, channel="EMAIL").json()["results"]
    assert (state["status"], state["wideStatusType"]) == ("UNSUBSCRIBED", "PORTAL_WIDE")
    assert twin.value("contacts", ann, "hs_email_optout") == "true"


def test_opting_out_again_changes_nothing(api: "Api", twin: "Twin") -> None:
    ann = api.contact(email="ann@x.example")
    for _ in range(2):
        api("POST", ALL, channel="EMAIL")

    assert len(twin.history("contacts", ann, "hs_email_optout")) == 1


def test_an_opt_out_outlives_the_contact(api: "Api", twin: "Twin") -> None:
    ann = api.contact(email="ann@x.example")
    api("POST", ALL, channel="EMAIL")
    twin.erase(ann)

    again = api.contact(email="ann@x.example")
    assert twin.value("contacts", again, "hs_email_optout") == "true"


def test_the_channel_must_be_named(api: "Api") -> None:
    assert api("POST", ALL).status_code == 400


def test_many_addresses_opt_out_at_once(api: "Api", twin: "Twin") -> None:
    ann = api.contact(email="ann@x.example")
    root, body = f"{ROOTS[1]}/statuses/batch/unsubscribe-all", {"inputs": ["ann@x.example"]}
    assert api("POST", root, body, channel="EMAIL").status_code == 200

    [row] = api("POST", f"{root}/read", body, channel="EMAIL").json()["results"]
    assert (row["subscriberIdString"], len(row["wideStatuses"])) == ("ann@x.example", 1)
    assert twin.value("contacts", ann, "hs_email_optout") == "true"


def test_without_the_scope_nobody_opts_out(api: "Api", twin: "Twin") -> None:
    twin.settings(missing_scopes=["communication_preferences.write"])

    reply = api("POST", ALL, channel="EMAIL")
    assert (reply.status_code, reply.json()["category"]) == (403, "MISSING_SCOPES")


def test_one_subscription_can_be_left(api: "Api") -> None:
    path = f"{ROOTS[1]}/statuses/ann@x.example"
    body = {"subscriptionId": 1001, "channel": "EMAIL", "statusState": "UNSUBSCRIBED"}
    assert api("POST", path, body).status_code == 200

    found = api("GET", path, channel="EMAIL").json()["results"]
    assert [row["status"] for row in found] == ["UNSUBSCRIBED", "NOT_SPECIFIED"]


def test_a_person_opts_out_and_in_again(api: "Api", twin: "Twin") -> None:
    ann = api.contact(email="ann@x.example")
    twin.opt_out("ann@x.example")
    twin.ask("POST", "optout", {"email": "ann@x.example", "out": False})

    told = [one["value"] for one in twin.history("contacts", ann, "hs_email_optout")]
    assert told == ["", "true"]
