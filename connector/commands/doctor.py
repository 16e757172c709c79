"""The command that looks at everything and says what to do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import click

from connector import bootstrap
from connector.commands.checks import check_database, check_house
from connector.commands.crm_checks import check_crm
from connector.commands.findings import Finding
from connector.commands.model_checks import check_models
from connector.commands.platform_checks import check_platform
from connector.commands.shown import as_json, guarded
from connector.domain.errors import ConnectorError
from connector.domain.systems import PLATFORM
from connector.settings import current

# How a connection to what is no CRM is looked at.
CHECKS = {PLATFORM: check_platform}


@click.command()
@as_json
@guarded
def doctor(*, json_: bool) -> None:
    """Check every dependency and connection; exit 1 if anything is wrong."""
    findings = []
    for finding in _examine():
        findings.append(finding)
        if not json_:
            click.echo(_line(finding))
    fine = all(finding.fine for finding in findings)
    if json_:
        click.echo(json.dumps({"ok": fine, "checks": [_row(one) for one in findings]}))
    sys.exit(0 if fine else 1)


def _examine() -> Iterator[Finding]:
    own = current()
    try:
        services = bootstrap.services()
        database = check_database(services)
    except ConnectorError as error:
        advice = "check CONNECTOR_DATABASE_URL, the disk, and whether the database runs"
        database = Finding("database", fine=False, text=str(error), advice=advice)
    yield database
    if not database.fine:
        return
    yield from check_house(own, services)
    yield from check_models(services)
    with services.store.reading() as unit:
        connections = unit.connections()
    for connection in connections:
        check = CHECKS.get(connection.system, check_crm)
        yield from check(own, services, connection)


def _line(finding: Finding) -> str:
    mark = "ok   " if finding.fine else "WRONG"
    line = f"{mark} {finding.name}: {finding.text}"
    return line if finding.fine else f"{line}\n      -> {finding.advice}"


def _row(finding: Finding) -> dict[str, object]:
    row = {"name": finding.name, "ok": finding.fine, "text": finding.text}
    return row if finding.fine else {**row, "advice": finding.advice}


COMMANDS = (doctor,)
