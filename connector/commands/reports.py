"""Reports on the command line: where everybody is, and what sales did with its leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from connector import bootstrap
from connector.api.reports import FEEDBACK_COLUMNS, FUNNEL_COLUMNS
from connector.api.sheets import sheet
from connector.commands.chosen import only_account
from connector.commands.shown import as_json, guarded, show, table
from connector.pipeline.reporting import KEYS, feedback, span

account_option = click.option("--account", "account_id", help="The account's id.")
as_csv = click.option("--csv", "csv_", is_flag=True, help="Print CSV.")
Rows = list[Mapping[str, Any]]


@click.group()
def report() -> None:
    """Count profiles by slot, or what sales did with the leads it was given."""


@report.command("funnel")
@account_option
@as_csv
@as_json
@guarded
def funnel(account_id: str | None, *, csv_: bool, json_: bool) -> None:
    """Count the profiles in each slot."""
    services = bootstrap.services()
    account = only_account(services, account_id)
    with services.store.reading() as unit:
        counts = unit.people.funnel(account.id)
    rows: Rows = [
        {"slot": slot.value, "label": label, "profiles": counts.get(slot.value, 0)}
        for slot, label in sorted(account.pipeline.labels.items())
    ]
    _show(FUNNEL_COLUMNS, rows, ["slot", "label", "profiles"], csv_=csv_, json_=json_)


@report.command("feedback")
@account_option
@click.option("--by", type=click.Choice([*KEYS]), default="source", show_default=True)
@click.option("--from", "since", default="", help="Entries to MQL from this day or time on.")
@click.option("--to", "until", default="", help="Up to this time; a day counts whole.")
@as_csv
@as_json
@guarded
def feedback_(
    account_id: str | None, by: str, since: str, until: str, *, csv_: bool, json_: bool
) -> None:
    """Say what sales did with the leads that became MQLs, by where they came from."""
    services = bootstrap.services()
    account = only_account(services, account_id)
    found = feedback(services, account.id, by, *span(since, until))
    rows: Rows = [asdict(row) for row in found]
    names = ["key", "mql", "accepted", "sql", "touched", "median_hours_to_first_touch"]
    names += ["mql_to_sql", "dispositions"]
    _show(FEEDBACK_COLUMNS, rows, names, csv_=csv_, json_=json_)


def _show(columns: Sequence[str], rows: Rows, names: list[str], *, csv_: bool, json_: bool) -> None:
    text = sheet(columns, rows).rstrip() if csv_ else table(rows, names, "nobody has become an MQL")
    show({"items": [dict(row) for row in rows]}, text, json_=json_ and not csv_)


COMMANDS = (report,)
