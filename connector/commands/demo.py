"""The command that shows everything at work, beside a simulated CRM."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from connector.domain.errors import ConnectorError

if TYPE_CHECKING:
    from connector.demo.run import Run

INTERRUPTED = 130


@click.command()
@click.option("--once", is_flag=True, help="Stop everything after the story; print it as JSON.")
@click.option("--json", "json_", is_flag=True, help="Print JSON, also while everything runs on.")
def demo(*, once: bool, json_: bool) -> None:
    """Play a story through the whole product and a HubSpot twin, then leave both running."""
    try:
        sys.exit(_play(once=once, json_=json_))
    except ConnectorError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _play(*, once: bool, json_: bool) -> int:
    from connector.demo.run import run  # noqa: PLC0415 - other commands start without it
    from connector.demo.shown import Teller  # noqa: PLC0415

    teller = Teller()
    with run(teller) as played:
        summary = played.outcome.summary()
        stays = played.outcome.ok and not once
        if stays:
            click.echo(json.dumps({**summary, **played.where()}) if json_ else _places(played))
            _stay(played)
    if once or (json_ and not stays):
        click.echo(json.dumps(summary))
    return 0 if played.outcome.ok else 1


def _stay(played: Run) -> None:
    try:
        played.stay()
    except KeyboardInterrupt:
        click.echo("\nstopping everything", err=True)


def _places(played: Run) -> str:
    where = played.where()
    api, twin = where["api"], where["twin"]
    headers = f'-H "Authorization: Bearer {where["api_token"]}"'
    contact = where["contact_id"]
    change = {"id": contact, "properties": {"lifecyclestage": "marketingqualifiedlead"}}
    body = f"-H 'Content-Type: application/json' -d '{json.dumps(change)}'"
    return "\n".join(
        (
            "",
            f"API    {api}",
            f"token  {where['api_token']}",
            f"twin   {twin}",
            f"data   {where['data_dir']}",
            "",
            f"curl {headers} '{api}/profiles?slot=8'",
            f"curl {headers} '{api}/outbox?state=pending'",
            f"curl {body} {twin}/_twin/edit",
            f"curl {headers} '{api}/profiles?record_id={contact}&object=contact'",
            f"curl {twin}/_twin/record/contacts/{contact}",
            "",
            "Everything runs until Ctrl-C.",
        )
    )


COMMANDS = (demo,)
