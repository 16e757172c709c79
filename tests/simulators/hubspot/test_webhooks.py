import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from simulators.hubspot import signatures

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.hubspot.testing import Twin

    from .conftest import Api, Listener

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
URI = "https://www.example.com/webhook_uri"


def told(twin: "Twin", kind: str, **more: Any) -> list[Any]:
    """Return the events of a type, with those fields."""
    return [
        one
        for one in twin.events()
        if one["subscriptionType"] == kind and more.items() <= one.items()
    ]


def test_the_v3_vector_of_the_vendor_is_met() -> None:
    body = b"{'example_field':'example_value'}"

    signed = signatures.v3(SECRET, "POST", URI, body, "1693657560000")
    assert signed == "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="


@pytest.mark.parametrize(
    ("method", "body", "signed"),
    [
        (
            "POST",
            b'{"example_field":"example_value"}',
            "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900",
        ),
        ("GET", b"", "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"),
    ],
)
def test_the_v2_vectors_of_the_vendor_are_met(method: str, body: bytes, signed: str) -> None:
    assert signatures.v2(SECRET, method, URI, body) == signed


def test_twelve_escapes_are_decoded_and_no_other() -> None:
    assert signatures.decoded("%3a%2F%3F%40%21%24%27%28%29%2A%2c%3B%20%25") == ":/?@!$'()*,;%20%25"


def test_a_post_is_signed_for_its_target(sending: "Twin", listener: "Listener") -> None:
    sending.edit("contacts", firstname="Ann")
    sending.wait_until_sent()

    [(headers, body)] = listener.posts
    stamp = headers["X-HubSpot-Request-Timestamp"]
    v3 = signatures.v3("twin-secret", "POST", listener.url, body, stamp)
    assert headers["X-HubSpot-Signature-v3"] == v3
    assert headers["X-HubSpot-Signature"] == signatures.v1("twin-secret", body)
    assert headers["X-HubSpot-Signature-Version"] == "v1"
    assert abs(int(stamp) - time.time() * 1000) < 5000


def test_a_write_of_ours_comes_back_as_integration(api: "Api", twin: "Twin") -> None:
    ann = api.contact(firstname="Ann")

    [event] = told(twin, "contact.creation")
    assert (event["objectId"], event["changeFlag"]) == (int(ann), "CREATED")
    assert (event["changeSource"], event["sourceId"]) == ("INTEGRATION", "1001")
    assert (event["portalId"], event["appId"], event["attemptNumber"]) == (4242, 1001, 0)


def test_another_apps_write_has_another_source(
    start: "Callable[..., Twin]", login: "Callable[..., Api]"
) -> None:
    twin = start(tokens={"other": 2002})
    login(twin, "other").contact(firstname="Ann")

    assert told(twin, "contact.creation")[0]["sourceId"] == "2002"


def test_a_persons_edit_tells_the_value_and_the_person(twin: "Twin") -> None:
    ann = twin.edit("contacts", firstname="Ann")
    twin.edit("contacts", ann, lifecyclestage="customer")

    [event] = told(
        twin, "contact.propertyChange", propertyName="lifecyclestage", propertyValue="customer"
    )
    assert (event["changeSource"], event["sourceId"]) == ("CRM_UI", "userId:9001")


def test_a_cleared_value_is_told_as_empty(twin: "Twin") -> None:
    ann = twin.edit("contacts", firstname="Ann", city="Rome")
    twin.edit("contacts", ann, city="")

    values = [
        one["propertyValue"] for one in told(twin, "contact.propertyChange", propertyName="city")
    ]
    assert values == ["Rome", ""]


def test_a_value_that_stays_is_not_told(api: "Api", twin: "Twin") -> None:
    ann = api.contact(firstname="Ann", lifecyclestage="customer")
    before = len(twin.events())

    api.patch(ann, firstname="Ann", lifecyclestage="lead")
    assert len(twin.events()) == before


def test_read_only_properties_are_not_told_but_the_opt_out_is(api: "Api", twin: "Twin") -> None:
    api.contact(email="ann@x.example", lifecyclestage="customer")
    twin.opt_out("ann@x.example")

    names = {one["propertyName"] for one in told(twin, "contact.propertyChange")}
    assert names == {"email", "lifecyclestage", "closedate", "hs_email_optout"}


def test_deleting_and_restoring_are_told(twin: "Twin") -> None:
    ann = twin.edit("contacts", firstname="Ann")
    twin.delete("contacts", ann)
    twin.restore("contacts", ann)

    assert told(twin, "contact.deletion")[0]["changeFlag"] == "DELETED"
    assert len(told(twin, "contact.restore", objectId=int(ann))) == 1


def test_a_privacy_deletion_is_told_twice(twin: "Twin") -> None:
    ann = twin.edit("contacts", email="ann@x.example")
    twin.erase(ann)

    assert len(told(twin, "contact.privacyDeletion", objectId=int(ann))) == 1
    assert len(told(twin, "contact.deletion", objectId=int(ann))) == 1


def test_a_merge_tells_all_three_ids(twin: "Twin") -> None:
    twin.settings(merge_makes_new_id=True)
    ann, old = twin.seed(count=2)
    third = twin.merge("contacts", ann, old)

    [event] = told(twin, "contact.merge")
    ids = event["primaryObjectId"], event["mergedObjectIds"], event["newObjectId"]
    assert ids == (int(ann), [int(old)], int(third))


def test_a_primary_association_is_told_twice_from_each_end(twin: "Twin") -> None:
    ann, firm = twin.edit("contacts", firstname="Ann"), twin.edit("companies", name="X")
    ends = {"to_object": "companies", "to_id": firm, "primary": True}
    twin.act("associate", {"object": "contacts", "id": ann, **ends})

    events = told(twin, "contact.associationChange", associationType="CONTACT_TO_COMPANY")
    assert [one["isPrimaryAssociation"] for one in events] == [False, True]
    assert events[0]["fromObjectId"] == int(ann)
    assert events[0]["associationRemoved"] is False
    assert len(told(twin, "company.associationChange")) == 2


def test_the_generic_form_names_the_object_type(twin: "Twin") -> None:
    twin.settings(event_forms=["generic"])
    ann = twin.edit("contacts", email="ann@x.example")
    twin.erase(ann)

    assert told(twin, "object.creation")[0]["objectTypeId"] == "0-1"
    kinds = {one["subscriptionType"] for one in twin.events()}
    assert kinds - {"object.propertyChange"} == {
        "object.creation",
        "object.deletion",
        "contact.privacyDeletion",
    }


def test_only_what_is_subscribed_is_told(twin: "Twin") -> None:
    twin.settings(
        event_types=["contact.propertyChange"], event_properties={"contacts": ["lifecyclestage"]}
    )
    twin.edit("contacts", firstname="Ann", lifecyclestage="lead")

    names = [(one["subscriptionType"], one["propertyName"]) for one in twin.events()]
    assert names == [("contact.propertyChange", "lifecyclestage")]


def test_dates_are_told_in_milliseconds(twin: "Twin") -> None:
    twin.edit("contacts", firstname="Ann", closedate="2026-01-01")

    [event] = told(twin, "contact.propertyChange", propertyName="closedate")
    assert event["propertyValue"] == "1767225600000"


def test_a_post_holds_at_most_a_hundred_events(sending: "Twin", listener: "Listener") -> None:
    sending.settings(collect_seconds=0.5)
    for n in range(60):
        sending.edit("contacts", firstname=f"n{n}")
    sending.wait_until_sent()

    sizes = [len(json.loads(body)) for _, body in listener.posts]
    assert max(sizes) <= 100
    assert len(sizes) > 1
    assert sum(sizes) == len(sending.events())


def test_a_failed_post_is_sent_again_with_the_same_ids(
    sending: "Twin", listener: "Listener"
) -> None:
    listener.statuses = [500, 404, 204]
    sending.edit("contacts", firstname="Ann")
    sending.wait_until_sent()

    bodies = [json.loads(body) for _, body in listener.posts]
    assert [body[0]["attemptNumber"] for body in bodies] == [0, 1, 2]
    assert len({body[0]["eventId"] for body in bodies}) == 1
    assert [one["status"] for one in sending.deliveries()] == [500, 404, 204]


def test_after_ten_retries_it_gives_up(sending: "Twin", listener: "Listener") -> None:
    listener.statuses = [503] * 20
    sending.edit("contacts", firstname="Ann")
    sending.wait_until_sent()

    assert len(listener.posts) == 11


def test_a_slow_target_has_failed(sending: "Twin", start: "Callable[..., Twin]") -> None:
    slow = start(limit=1000)
    slow.fault("timeout", seconds=1)
    sending.settings(target=f"{slow.url}/hooks", webhook_timeout=0.1, retry_delays=[])
    sending.edit("contacts", firstname="Ann")
    sending.wait_until_sent()

    [only] = sending.deliveries()
    assert (only["status"], only["error"]) == (0, "ReadTimeout")


def test_a_target_that_is_down_gets_it_when_it_is_back(
    sending: "Twin", listener: "Listener"
) -> None:
    sending.settings(target_down=True, retry_delays=[0.05] * 10)
    sending.edit("contacts", firstname="Ann")
    time.sleep(0.1)
    sending.settings(target_down=False)
    sending.wait_until_sent()

    assert sending.deliveries()[0]["error"] == "connection refused"
    assert "contact.creation" in listener.types()


def test_a_delivery_may_come_twice(sending: "Twin", listener: "Listener") -> None:
    sending.webhook_fault("duplicate")
    sending.edit("contacts", firstname="Ann")
    sending.wait_until_sent()

    assert len(listener.posts) == 2
    assert listener.posts[0][1] == listener.posts[1][1]


def test_a_delivery_may_be_overtaken(sending: "Twin", listener: "Listener") -> None:
    sending.webhook_fault("delay", "creation", seconds=0.3)
    ann = sending.edit("contacts", firstname="Ann")
    time.sleep(0.1)
    sending.delete("contacts", ann)
    sending.wait_until_sent()

    assert listener.types()[0] == "contact.deletion"


def test_events_may_come_in_reverse(sending: "Twin", listener: "Listener") -> None:
    sending.webhook_fault("reorder")
    sending.settings(collect_seconds=0.2)
    ann = sending.edit("contacts", firstname="Ann")
    sending.delete("contacts", ann)
    sending.wait_until_sent()

    assert (listener.types()[0], listener.types()[-1]) == ("contact.deletion", "contact.creation")


def test_a_delivery_may_be_lost_and_resent(sending: "Twin", listener: "Listener") -> None:
    sending.webhook_fault("drop")
    sending.edit("contacts", firstname="Ann")
    sending.wait_until_sent()
    assert listener.posts == []

    assert sending.resend() == len(sending.events())
    sending.wait_until_sent()
    assert [one["eventId"] for one in listener.events] == [
        one["eventId"] for one in sending.events()
    ]


def test_a_delivery_may_be_forged(sending: "Twin", listener: "Listener") -> None:
    sending.webhook_fault("bad_signature")
    sending.edit("contacts", firstname="Ann")
    sending.wait_until_sent()

    [(headers, body)] = listener.posts
    assert headers["X-HubSpot-Signature"] != signatures.v1("twin-secret", body)


def test_paused_webhooks_wait(sending: "Twin", listener: "Listener") -> None:
    sending.pause()
    sending.edit("contacts", firstname="Ann")
    time.sleep(0.1)
    assert listener.posts == []

    sending.resume()
    sending.wait_until_sent()
    assert "contact.creation" in listener.types()
