from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from simulators.hubspot.testing import Twin

    from .conftest import Api

BATCH = "/crm/objects/2026-09/contacts/batch"


def rows(ids: list[str], **values: str) -> list[dict[str, Any]]:
    return [{"id": one, "properties": values} for one in ids]


def test_a_batch_writes_every_row(api: "Api", twin: "Twin") -> None:
    ids = twin.seed(count=100)

    reply = api("POST", f"{BATCH}/update", {"inputs": rows(ids, city="Rome")})
    assert (reply.status_code, len(reply.json()["results"])) == (200, 100)
    assert twin.value("contacts", ids[99], "city") == "Rome"


@pytest.mark.parametrize("verb", ["read", "update", "create", "upsert", "archive"])
def test_a_batch_holds_at_most_a_hundred(api: "Api", verb: str) -> None:
    inputs = rows([str(n) for n in range(101)])

    assert api("POST", f"{BATCH}/{verb}", {"inputs": inputs}).status_code == 400


def test_a_missing_row_of_an_update_is_a_row_error(api: "Api", twin: "Twin") -> None:
    [ann] = twin.seed()

    reply = api("POST", f"{BATCH}/update", {"inputs": rows([ann, "99"], city="Rome")})
    [error] = reply.json()["errors"]
    assert (reply.status_code, error["category"]) == (207, "OBJECT_NOT_FOUND")
    assert error["context"] == {"ids": ["99"]}
    assert twin.value("contacts", ann, "city") == "Rome"


def test_a_missing_row_of_a_read_is_a_row_error(api: "Api", twin: "Twin") -> None:
    [ann] = twin.seed()

    reply = api("POST", f"{BATCH}/read", {"inputs": [{"id": "99"}, {"id": ann}]})
    assert (reply.status_code, reply.json()["numErrors"]) == (207, 1)
    assert [row["id"] for row in reply.json()["results"]] == [ann]


@pytest.mark.parametrize("name", ["nothing", "hs_email_optout", "lifecyclestage"])
def test_one_refused_value_refuses_the_whole_batch(api: "Api", twin: "Twin", name: str) -> None:
    ann, bob = twin.seed(count=2)

    inputs = rows([ann], city="Rome") + rows([bob], **{name: "x"})
    reply = api("POST", f"{BATCH}/update", {"inputs": inputs})
    assert reply.status_code == 400
    assert reply.json()["errors"][0]["context"] == {"propertyName": [name]}
    assert twin.value("contacts", ann, "city") is None


def test_a_record_twice_in_a_batch_is_refused(api: "Api", twin: "Twin") -> None:
    [ann] = twin.seed()

    assert api("POST", f"{BATCH}/update", {"inputs": rows([ann, ann])}).status_code == 400


def test_a_read_may_be_by_address_and_with_history(api: "Api") -> None:
    ann = api.contact(email="ann@x.example")
    api.patch(ann, email="ann@new.example")

    body = {
        "idProperty": "email",
        "inputs": [{"id": "ann@new.example"}],
        "propertiesWithHistory": ["email"],
    }
    [found] = api("POST", f"{BATCH}/read", body).json()["results"]
    past = [one["value"] for one in found["propertiesWithHistory"]["email"]]
    assert past == ["ann@new.example", "ann@x.example"]


def test_a_read_with_history_holds_at_most_fifty(api: "Api", twin: "Twin") -> None:
    ids = [{"id": one} for one in twin.seed(count=51)]

    body = {"inputs": ids, "propertiesWithHistory": ["email"]}
    assert api("POST", f"{BATCH}/read", body).status_code == 400
    assert api("POST", f"{BATCH}/read", {**body, "inputs": ids[1:]}).status_code == 200


def test_a_traced_create_fails_row_by_row(api: "Api") -> None:
    api.contact(email="ann@x.example")
    inputs = [
        {"objectWriteTraceId": name, "properties": {"email": f"{name}@x.example"}}
        for name in ("ann", "bob")
    ]

    reply = api("POST", f"{BATCH}/create", {"inputs": inputs})
    [error], [made] = reply.json()["errors"], reply.json()["results"]
    assert (reply.status_code, made["objectWriteTraceId"]) == (207, "bob")
    assert error["context"] == {"objectWriteTraceId": ["ann"]}


def test_an_untraced_create_fails_as_a_whole(api: "Api", twin: "Twin") -> None:
    api.contact(email="ann@x.example")
    inputs = [{"properties": {"email": f"{name}@x.example"}} for name in ("bob", "ann")]

    assert api("POST", f"{BATCH}/create", {"inputs": inputs}).status_code == 409
    assert len(twin.ask("GET", "records/contacts")["ids"]) == 1


def test_an_address_twice_in_a_batch_writes_nothing(api: "Api", twin: "Twin") -> None:
    ids = twin.seed(count=2)

    inputs = rows(ids, email="same@x.example")
    assert api("POST", f"{BATCH}/update", {"inputs": inputs}).status_code == 409
    assert twin.value("contacts", ids[0], "email") == "person1@seed.example"


def test_an_upsert_says_what_is_new(api: "Api") -> None:
    api.contact(email="ann@x.example")
    inputs = [
        {"id": f"{name}@x.example", "idProperty": "email", "properties": {"city": "Rome"}}
        for name in ("ann", "bob")
    ]

    reply = api("POST", f"{BATCH}/upsert", {"inputs": inputs})
    assert [row["new"] for row in reply.json()["results"]] == [False, True]


def test_an_upsert_needs_a_unique_property(api: "Api") -> None:
    inputs = [{"id": "Rome", "idProperty": "city", "properties": {}}]

    assert api("POST", f"{BATCH}/upsert", {"inputs": inputs}).status_code == 400


def test_a_batch_archives(api: "Api", twin: "Twin") -> None:
    ids = twin.seed(count=2)

    inputs = [{"id": one} for one in ids]
    assert api("POST", f"{BATCH}/archive", {"inputs": inputs}).status_code == 204
    assert twin.ask("GET", "records/contacts")["ids"] == []


def test_the_old_paths_serve_batches_too(api: "Api", twin: "Twin") -> None:
    [ann] = twin.seed()

    path = "/crm/v3/objects/0-1/batch/update"
    assert api("POST", path, {"inputs": rows([ann], city="Rome")}).status_code == 200
