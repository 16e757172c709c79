from __future__ import annotations

import pytest

from connector.domain.errors import ConfigurationRefused
from connector.mapping.journey_words import USUAL, Words, dump, parse

DOCUMENT = {
    "system": "platform",
    "fields": {"email": "user.email_address", "id": "event.id"},
    "types": {"billing_page": "page_view", "Opt-Out!": "opt_out"},
    "capture": True,
}


def faults(document: object) -> tuple[str, ...]:
    with pytest.raises(ConfigurationRefused) as refused:
        parse(document)
    return refused.value.faults


def test_words_come_back_as_the_document_they_were_read_from() -> None:
    words, capture = parse(DOCUMENT)

    assert words.fields == {"email": ("user", "email_address"), "id": ("event", "id")}
    assert dump(words, capture=capture) == DOCUMENT


def test_nothing_said_is_the_usual() -> None:
    assert parse({}) == (Words(), False)
    assert Words().paths == USUAL


def test_every_fault_is_named_at_once() -> None:
    found = faults(
        {
            "system": "hubspot",
            "fields": {"e_mail": "x", "email": ["x"], "id": "a..b", "code": ""},
            "types": {"x": "Page View", "": "page_view", "y": 7},
            "capture": "yes",
            "extra": 1,
        }
    )

    assert [fault.split(" ")[0].rstrip(":") for fault in found] == [
        "mapping",
        "system",
        "fields.email",
        "fields.id",
        "fields.code",
        "types.x",
        "types,",
        "types.y",
        "mapping",
        "capture",
    ]


@pytest.mark.parametrize("document", [None, [], "x", {"fields": []}, {"types": "x"}])
def test_what_is_no_object_is_refused(document: object) -> None:
    assert len(faults(document)) == 1


def test_a_path_may_not_be_endless() -> None:
    assert "no path" in faults({"fields": {"id": ".".join("abcdefghijk")}})[0]
