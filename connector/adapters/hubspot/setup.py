"""Installs our own fields in a portal, and removes them; the only file that knows the SDK.

The SDK is imported when first used (half a second and 23 MB). It has neither a timeout nor a
sane retry of its own, and its exceptions quote whole answers, so that none is chained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from connector.adapters.hubspot.client import NO_CONTENT, TIMEOUT, Client, lowered
from connector.adapters.hubspot.failures import Reply, innermost
from connector.adapters.hubspot.fields import GROUP, GROUP_LABEL, definition, path_word
from connector.adapters.hubspot.shapes import Json, decode, results, rows, text
from connector.domain.errors import CrmDown, CrmRefused
from connector.ports import OwnField, SetupStep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_GOOD = range(200, 300)
_MISSING = 404
_EXISTS = 409
_SAME_TEXT = ("label", "description", "type", "fieldType", "groupName")


class Desk:
    """The set-up calls of one object, each with a timeout, the limiter, and our errors."""

    def __init__(self, client: Client, kind: str) -> None:
        self._client = client
        self._object = path_word(kind)
        self._token = ""
        self._apis: Any = None

    def fields(self) -> dict[str, Json]:
        """Return the live fields by name."""
        found = self._ask("set-up fields", lambda crm: crm.core_api.get_all, self._object)
        return {text(row.get("name")): row for row in results(found)}

    def groups(self) -> set[str]:
        """Return the names of the field groups."""
        found = self._ask("set-up groups", lambda crm: crm.groups_api.get_all, self._object)
        return {text(row.get("name")) for row in results(found)}

    def create_group(self) -> None:
        """Create our group; that it exists is as good."""
        body = {"name": GROUP, "label": GROUP_LABEL, "displayOrder": -1}
        self._tolerant(
            _EXISTS, "set-up group create", lambda crm: crm.groups_api.create, self._object, body
        )

    def create(self, own: OwnField) -> Json:
        """Create a field, or bring an archived one back, and return what the portal has now."""
        body = {"name": own.name, **definition(own)}
        found = self._tolerant(
            _EXISTS, "set-up create", lambda crm: crm.core_api.create, self._object, body
        )
        if found is not None:
            return found
        return self._ask(
            "set-up field", lambda crm: crm.core_api.get_by_name, self._object, own.name
        )

    def update(self, name: str, changes: Mapping[str, object]) -> None:
        """Change a field's definition."""
        self._ask(
            "set-up update", lambda crm: crm.core_api.update, self._object, name, dict(changes)
        )

    def remove(self, name: str) -> None:
        """Archive a field with its data; that it is gone is as good."""
        self._tolerant(
            _MISSING, "set-up remove", lambda crm: crm.core_api.archive, self._object, name
        )

    def remove_group(self) -> None:
        """Archive our group; that it is gone is as good."""
        self._tolerant(
            _MISSING, "set-up group remove", lambda crm: crm.groups_api.archive, self._object, GROUP
        )

    def _tolerant(
        self, status: int, what: str, pick: Callable[[Any], Any], *words: object
    ) -> Json | None:
        try:
            return self._ask(what, pick, *words)
        except CrmRefused as error:
            if error.status == status:
                return None
            raise

    def _ask(self, what: str, pick: Callable[[Any], Any], *words: object) -> Json:
        reply = self._client.authorized(lambda token: self._send(what, pick, token, words), what)
        if reply.status in _GOOD:
            return {} if reply.status == NO_CONTENT else decode(reply.content, what)
        raise self._client.refusal(reply, what)

    def _send(
        self, what: str, pick: Callable[[Any], Any], token: str, words: Sequence[object]
    ) -> Reply:
        from hubspot.crm.properties.exceptions import ApiException  # noqa: PLC0415  see above

        make = pick(self._open(token))
        self._client.limiter.take()
        try:
            answer = make(*words, _preload_content=False, _request_timeout=TIMEOUT)
            reply = Reply(answer.status, lowered(answer.headers), answer.data)
        except ApiException as error:
            reply = Reply(error.status or 0, lowered(error.headers or {}), error.body or b"")
        except (OSError, HTTPError) as error:
            raise CrmDown(f"HubSpot can't be reached ({what})") from innermost(error)
        self._client.limiter.heard(reply.headers)
        return reply

    def _open(self, token: str) -> Any:
        """Return the SDK's API objects; they keep the token that they were made with."""
        from hubspot import HubSpot  # noqa: PLC0415  see above

        if self._apis is None or token != self._token:
            once = Retry(
                total=0, redirect=0, respect_retry_after_header=False, raise_on_status=False
            )
            sdk = HubSpot(access_token=token, host=self._client.base_url, retry=once)
            self._token, self._apis = token, _Apis(sdk)
        return self._apis


class _Apis:
    """The SDK makes a new API object with new connections at each access: keep them."""

    def __init__(self, sdk: Any) -> None:
        self.core_api = sdk.crm.properties.core_api
        self.groups_api = sdk.crm.properties.groups_api


def install(client: Client, own: Sequence[OwnField], *, apply: bool) -> list[SetupStep]:
    """Plan, or apply, our group and fields on each object; what is as it should be is kept."""
    steps = []
    for kind, fields in _by_object(own).items():
        desk = Desk(client, kind)
        missing = GROUP not in desk.groups()
        if missing and apply:
            desk.create_group()
        steps.append(_step(_group(kind), "create" if missing else "keep", apply=apply))
        live = desk.fields()
        steps += [_install_field(desk, live.get(one.name), one, apply=apply) for one in fields]
    return steps


def uninstall(
    client: Client, own: Sequence[OwnField], *, drop_fields: bool, apply: bool
) -> list[SetupStep]:
    """Plan, or apply, the removal; fields are only dropped, with their data, on request."""
    return [
        step
        for kind, fields in _by_object(own).items()
        for step in _uninstall(Desk(client, kind), kind, fields, (drop_fields, apply))
    ]


def _uninstall(
    desk: Desk, kind: str, own: Sequence[OwnField], how: tuple[bool, bool]
) -> list[SetupStep]:
    drop_fields, apply = how
    live = desk.fields()
    ours = [one.name for one in own if one.name in live]
    others = [name for name, row in live.items() if _is_foreign(name, row, ours)]
    drop_group = drop_fields and not others and GROUP in desk.groups()
    if apply and drop_fields:
        for name in ours:
            desk.remove(name)
    if apply and drop_group:
        desk.remove_group()
    action = "remove" if drop_fields else "keep"
    steps = [_step(f"field {name}", action, apply=apply) for name in ours]
    return [*steps, _step(_group(kind), "remove" if drop_group else "keep", apply=apply)]


def _by_object(own: Sequence[OwnField]) -> dict[str, list[OwnField]]:
    """Group fields by their object; contacts come first, with or without a field."""
    found: dict[str, list[OwnField]] = {"contact": []}
    for one in own:
        found.setdefault(one.object, []).append(one)
    return found


def _group(kind: str) -> str:
    return f"group {GROUP}" if kind == "contact" else f"group {GROUP} of {path_word(kind)}"


def differences(live: Json, own: OwnField) -> dict[str, object]:
    """Return the parts of an own field's definition that the portal has otherwise."""
    wanted = definition(own)
    changes = {key: wanted[key] for key in _SAME_TEXT if text(live.get(key)) != wanted[key]}
    if _choices(live) != [(option.value, option.label) for option in own.options]:
        changes["options"] = wanted["options"]
    return changes


def _install_field(desk: Desk, live: Json | None, own: OwnField, *, apply: bool) -> SetupStep:
    what = f"field {own.name}"
    if live is None and not apply:
        return _step(what, "create", apply=apply)
    action = "update" if live else "create"
    changes = differences(live if live is not None else desk.create(own), own)
    if changes and apply:
        desk.update(own.name, changes)
    return _step(what, action if changes or not live else "keep", apply=apply)


def _choices(live: Json) -> list[tuple[str, str]]:
    options = sorted(rows(live, "options"), key=lambda row: _order(row.get("displayOrder")))
    return [(text(row.get("value")), text(row.get("label"))) for row in options]


def _order(place: object) -> int:
    return place if isinstance(place, int) else 0


def _is_foreign(name: str, row: Json, ours: Sequence[str]) -> bool:
    return text(row.get("groupName")) == GROUP and name not in ours


def _step(what: str, action: str, *, apply: bool) -> SetupStep:
    return SetupStep(what, action, done=apply or action == "keep")
