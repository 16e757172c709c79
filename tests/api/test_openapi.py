from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.conftest import Door


def described(door: Door) -> Any:
    """Return the document; it needs no token."""
    return door.app.test_client().get("/api/v1/openapi.json").json


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def test_every_route_is_described_and_nothing_else(door: Door) -> None:
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method)
        for rule in door.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }

    assert {(path, method) for path, method, _ in operations(described(door))} == served


def test_every_reference_leads_somewhere(door: Door) -> None:
    document = described(door)

    for name in re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', _text(door)):
        assert name in document["components"]["schemas"], name


def test_every_operation_is_named_once_and_says_how_it_may_fail(door: Door) -> None:
    found = [one for path, _, one in operations(described(door)) if "openapi" not in path]

    assert len({one["operationId"] for one in found}) == len(found)
    assert all({"401", "422"} <= one["responses"].keys() for one in found)
    assert all({"200", "201", "202"} & one["responses"].keys() for one in found)


def test_every_place_in_a_path_is_a_parameter(door: Door) -> None:
    for path, _, one in operations(described(door)):
        places = {each["name"] for each in one.get("parameters", []) if each["in"] == "path"}
        assert places == set(re.findall(r"\{(\w+)\}", path))


def test_it_says_what_a_move_is_made_of(door: Door) -> None:
    schemas = described(door)["components"]["schemas"]

    assert {"from", "to", "occurred_at"} <= schemas["MoveAnswer"]["properties"].keys()
    assert schemas["MoveBody"]["required"] == ["slot"]


def _text(door: Door) -> str:
    return door.app.test_client().get("/api/v1/openapi.json").text
