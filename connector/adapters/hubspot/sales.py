"""Deals and tasks: made once for each key, and found again by it.

HubSpot has no key of its own for a create. A deal carries ours in a field that it holds unique, so
that a second create is refused and the first is read by it. A task carries it in its text and is
found through its record. Both are made with their ties in one call, and neither is looked for
by search, which lags behind by seconds (page "CRM API: search", section "Limitations").
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from connector.adapters.hubspot import catalog, readings
from connector.adapters.hubspot.fields import (
    DEAL_STAGE,
    OWNER,
    PRIMARY_COMPANY,
    TIE_TYPES,
    path_word,
)
from connector.adapters.hubspot.shapes import Json, results, rows, text
from connector.domain.errors import CrmDown, CrmRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from connector.adapters.hubspot.client import Client
    from connector.ports import DealDraft, TaskDraft

KEY_FIELD = "bnb_handoff_key"
_NOT_FOUND = 404
_TAKEN = frozenset({400, 409})
_BODY = "hs_task_body"


def open_deal(client: Client, kind: str, record_id: str) -> str:
    """Return the oldest open deal of a record or of its primary company, "" if there is none."""
    deals = {tie.to_id for tie in readings.ties(client, kind, [record_id], "deal")}
    company = primary_company(client, kind, record_id)
    if company:
        deals |= {tie.to_id for tie in readings.ties(client, "company", [company], "deal")}
    return _first_open(client, sorted(deals, key=_age))


def primary_company(client: Client, kind: str, record_id: str) -> str:
    """Return the company that HubSpot calls a record's primary one, "" if there is none."""
    inputs = {"inputs": [{"id": record_id}]}
    body = client.call("ties", inputs, kind=path_word(kind), to_kind=path_word("company"))
    for row in results(body):
        for goal in rows(row, "to"):
            types = [text(one.get("typeId")) for one in rows(goal, "associationTypes")]
            if str(PRIMARY_COMPANY) in types:
                return text(goal.get("toObjectId", goal.get("id")))
    return ""


def deal_made(client: Client, key: str) -> str:
    """Return the deal that was made under a key, "" if there is none."""
    query = {"idProperty": KEY_FIELD, "properties": KEY_FIELD}
    try:
        found = client.call("read one", query=query, kind=path_word("deal"), id=key)
    except CrmRefused as error:
        if error.status == _NOT_FOUND:
            return ""
        raise
    return _id(found)


def create_deal(client: Client, draft: DealDraft, key: str) -> str:
    """Create a deal with its ties, or return the one that this key made already."""
    fields = {"dealname": draft.name, "pipeline": draft.pipeline, DEAL_STAGE: draft.stage}
    fields |= {OWNER: draft.owner} if draft.owner else {}
    body = {
        "properties": {**draft.fields, **fields, KEY_FIELD: key},
        "associations": _ties("deal", [(draft.kind, draft.record_id)]),
    }
    try:
        return _id(client.call("create", body, kind=path_word("deal")))
    except CrmRefused as error:
        made = deal_made(client, key) if error.status in _TAKEN else ""
        if made:
            return made
        raise


def tie_deal(client: Client, deal_id: str, kind: str, record_id: str) -> None:
    """Tie a deal to a record; that it is tied already is as good."""
    one = {"from": {"id": deal_id}, "to": {"id": record_id}, "types": _types("deal", kind)}
    client.call("tie", {"inputs": [one]}, kind=path_word("deal"), to_kind=path_word(kind))


def add_task(client: Client, draft: TaskDraft, key: str) -> str:
    """Create a task on a record, or return the one that this key made already."""
    made = _task_made(client, draft, key)
    if made:
        return made
    fields = {
        "hs_task_subject": draft.subject,
        _BODY: f"Bread & Butter, {key}",
        "hs_task_status": "NOT_STARTED",
        "hs_task_type": "TODO",
        "hs_timestamp": draft.due_at.astimezone(UTC).isoformat(timespec="milliseconds"),
    }
    fields |= {OWNER: draft.owner} if draft.owner else {}
    ties = _ties("task", [(draft.kind, draft.record_id)])
    body = {"properties": fields, "associations": ties}
    return _id(client.call("create", body, kind=path_word("task")))


def _task_made(client: Client, draft: TaskDraft, key: str) -> str:
    ties = readings.ties(client, draft.kind, [draft.record_id], "task")
    wanted = readings.Wanted("task", [_BODY], [])
    for one in readings.read(client, wanted, [tie.to_id for tie in ties]):
        if key in one.fields[_BODY]:
            return one.record_id
    return ""


def _first_open(client: Client, ids: Sequence[str]) -> str:
    if not ids:
        return ""
    outcomes = {stage.value: stage.outcome for stage in catalog.deal_stages(client)}
    wanted = readings.Wanted("deal", [DEAL_STAGE], [])
    for one in readings.read(client, wanted, ids):
        if outcomes.get(one.fields[DEAL_STAGE], "open") == "open" and not one.archived:
            return one.record_id
    return ""


def _age(record_id: str) -> tuple[int, str]:
    """Order ids as HubSpot gives them out: the shorter number is the older one."""
    return len(record_id), record_id


def _ties(kind: str, goals: Iterable[tuple[str, str]]) -> list[Json]:
    return [{"to": {"id": id_}, "types": _types(kind, to_kind)} for to_kind, id_ in goals]


def _types(kind: str, to_kind: str) -> list[Json]:
    number = TIE_TYPES[kind, to_kind]
    return [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number}]


def _id(row: Json) -> str:
    found = text(row.get("id"))
    if not found:
        raise CrmDown("HubSpot's answer has a record without an id")
    return found
