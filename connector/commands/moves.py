"""Commands about moves: batches, undoing them, re-consent."""

from __future__ import annotations

import csv
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import click

from connector import bootstrap
from connector.commands.chosen import only_account, profile_by_email, profile_by_id
from connector.commands.shown import as_json, guarded, show, table
from connector.domain.errors import ConnectorError, NotFound
from connector.pipeline import consent, undoing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connector.domain.facts import AccountId
    from connector.pipeline.services import Services

_BATCH = ["batch_id", "created_at", "cause", "actor", "moves", "undone_at", "reason"]


@click.command()
@click.option("--account", "account_id", help="Only this account's.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@as_json
@guarded
def batches(account_id: str | None, limit: int, *, json_: bool) -> None:
    """List batches of moves with one cause, newest first."""
    services = bootstrap.services()
    own = only_account(services, account_id).id if account_id else None
    with services.store.reading() as unit:
        rows = [
            {
                "batch_id": row.id,
                "account_id": row.account_id,
                "cause": row.cause,
                "actor": row.actor,
                "reason": row.reason,
                "moves": row.moves,
                "created_at": row.created_at.isoformat(),
                "undone_at": row.undone_at.isoformat() if row.undone_at else None,
            }
            for row in unit.people.batches(own, "", limit)
        ]
    show({"items": rows}, table([*rows], _BATCH, "no moves yet"), json_=json_)


@click.command()
@click.argument("batch_id")
@click.option("--dry-run", is_flag=True, help="Say who would go back.")
@as_json
@guarded
def undo(batch_id: str, *, dry_run: bool, json_: bool) -> None:
    """Put back what a batch moved; what has moved since is skipped and listed."""
    services = bootstrap.services()
    with services.store.reading() as unit:
        batch = unit.people.batch(batch_id)
    if batch is None:
        advice = "run `connector batches` to see which there are"
        raise NotFound(f"there is no batch {batch_id}", advice=advice)
    told = undoing.undo(services, batch.account_id, batch_id, dry_run=dry_run)
    verb = "would go back" if dry_run else "went back"
    _show_moved({**told, "dry_run": dry_run}, verb, json_=json_)


@click.command()
@click.argument("profile_id", required=False)
@click.option("--file", "path", help="A CSV with a column profile_id or email.")
@click.option("--reason", required=True, help="The document: where and how consent was given.")
@click.option("--account", "account_id", help="Whose addresses the file holds.")
@as_json
@guarded
def reconsent(
    profile_id: str | None, path: str | None, reason: str, account_id: str | None, *, json_: bool
) -> None:
    """Lead profiles out of slot 10 on a documented re-consent, which is kept in the audit."""
    if (profile_id is None) is (path is None):
        raise ConnectorError("give either a profile's id or --file")
    if not reason.strip():
        raise ConnectorError("--reason must not be empty")
    services = bootstrap.services()
    rows = [{"profile_id": profile_id or ""}] if path is None else _rows(path)
    wanted, missing = _found(services, rows, account_id)
    told: dict[str, Any] = {"batch_ids": [], "moved": [], "skipped": missing}
    for own, profiles in wanted.items():
        part = consent.reconsent(services, own, profiles, reason.strip())
        told["batch_ids"].append(part["batch_id"])
        told["moved"] += part["moved"]
        told["skipped"] += part["skipped"]
    _show_moved(told, "left slot 10", json_=json_)
    if path is None and told["skipped"]:
        raise ConnectorError(f"nothing was changed: {told['skipped'][0]['why']}")


def _rows(path: str) -> list[dict[str, str]]:
    try:
        with click.open_file(path, encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise ConnectorError(f"{path} can't be read as CSV: {error}") from error
    if rows and not {"profile_id", "email"} & rows[0].keys():
        raise ConnectorError(f"{path} needs a column called profile_id or email in its first line")
    return rows


def _found(
    services: Services, rows: Iterable[dict[str, str]], account_id: str | None
) -> tuple[dict[AccountId, list[str]], list[dict[str, str]]]:
    """Return the profiles that rows mean, by account, and the rows that mean none."""
    wanted: dict[AccountId, list[str]] = defaultdict(list)
    missing = []
    for row in rows:
        found = _one(services, row, account_id)
        if found is None:
            name = row.get("profile_id") or row.get("email") or ""
            missing.append({"profile_id": name, "why": "no such profile"})
        elif found[1] not in wanted[found[0]]:
            wanted[found[0]].append(found[1])
    return wanted, missing


def _one(
    services: Services, row: dict[str, str], account_id: str | None
) -> tuple[AccountId, str] | None:
    if row.get("profile_id"):
        found = profile_by_id(services, row["profile_id"].strip())
        outside = found is None or account_id not in {None, found[0].id}
        return None if found is None or outside else (found[0].id, found[1].id)
    account = only_account(services, account_id)
    profile = profile_by_email(services, account, row.get("email") or "")
    return (account.id, profile.id) if profile else None


def _show_moved(told: dict[str, Any], verb: str, *, json_: bool) -> None:
    lines = [f"{len(told['moved'])} {verb}"]
    lines += [f"skipped {one['profile_id']}: {one['why']}" for one in told["skipped"]]
    show(told, "\n".join(lines), json_=json_)


COMMANDS = (batches, undo, reconsent)
