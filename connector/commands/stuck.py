"""Commands about what is stuck: held writes, parked rows, wins that are nobody's."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

import click

from connector import bootstrap
from connector.commands.chosen import connection_argument, connection_of
from connector.commands.shown import as_json, guarded, show, table
from connector.domain.errors import NotFound
from connector.pipeline import operating
from connector.pipeline.winning import wins_without_person

_HOLD = ["hold_id", "account_id", "cause", "writes", "opened_at"]


@click.command()
@as_json
@guarded
def held(*, json_: bool) -> None:
    """List what the brake holds: writes that one cause wanted too many of."""
    with bootstrap.services().store.reading() as unit:
        rows = [
            {
                "hold_id": hold["id"],
                "account_id": hold["account_id"],
                "cause": hold["cause"],
                "reason": hold["reason"],
                "writes": hold["writes"],
                "opened_at": hold["opened_at"].isoformat(),
            }
            for hold in unit.holds()
        ]
    show({"items": rows}, table([*rows], _HOLD, "nothing is held"), json_=json_)


@click.command()
@click.argument("hold_id")
@as_json
@guarded
def release(hold_id: str, *, json_: bool) -> None:
    """Let the writes of a hold go."""
    services = bootstrap.services()
    try:
        count = operating.release(services, None, hold_id)
    except NotFound as error:
        raise NotFound(str(error), advice="run `connector held` to see which there are") from error
    show({"hold_id": hold_id, "released": count}, f"{count} writes go now", json_=json_)


@click.command()
@click.argument("what", type=click.Choice(["inbox", "outbox"]), default="outbox")
@click.option("--filter", "text", default="", help="Only those whose reason or record has this.")
@click.option("--dry-run", is_flag=True, help="Say how many there are.")
@as_json
@guarded
def replay(what: str, text: str, *, dry_run: bool, json_: bool) -> None:
    """Put parked rows back in line; what is no longer wanted is dropped as it goes."""
    choice = operating.Choice(text=text)
    box = cast("operating.Box", what)
    count = operating.replay(bootstrap.services(), None, box, choice, dry_run=dry_run)
    verb = "would go back" if dry_run else "went back"
    result = {"what": what, "rows": count, "dry_run": dry_run}
    show(result, f"{count} rows of the {what} {verb} in line", json_=json_)


@click.command()
@connection_argument
@as_json
@guarded
def wins(connection_id: str, *, json_: bool) -> None:
    """List won deals that no person is on: they make nobody a Customer."""
    services = bootstrap.services()
    found = wins_without_person(services, connection_of(services, connection_id))
    rows = [asdict(win) | {"won_at": win.won_at and win.won_at.isoformat()} for win in found]
    listed = table([*rows], ["record_id", "stage", "won_at"], "every won deal has a person on it")
    show({"items": rows}, listed, json_=json_)


COMMANDS = (held, release, replay, wins)
