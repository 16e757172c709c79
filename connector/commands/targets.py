"""Where moves are told, on the command line."""

from __future__ import annotations

import click

from connector import bootstrap
from connector.commands.chosen import connection_argument, connection_of
from connector.commands.shown import as_json, guarded, read_secrets, show
from connector.pipeline import notifying


@click.command()
@connection_argument
@click.option("--url", help="Tell moves there; it has to be https.")
@click.option(
    "--secrets", "source", help='{"secret": "whsec_..."} as JSON: - for stdin, or a file.'
)
@click.option("--silent", is_flag=True, help="Tell what bulk changes move too.")
@click.option("--remove", is_flag=True, help="Tell moves nobody any more.")
@as_json
@guarded
def target(
    connection_id: str,
    url: str | None,
    source: str | None,
    *,
    silent: bool,
    remove: bool,
    json_: bool,
) -> None:
    """Show or set where a platform connection's moves are told."""
    services = bootstrap.services()
    connection = connection_of(services, connection_id)
    own = {"connection_id": connection.id}
    if remove:
        notifying.unaim(services, connection)
        show(own, "moves are told nobody", json_=json_)
    elif url:
        secret = read_secrets(source).get("secret", "") if source else ""
        set_ = notifying.aim(services, connection, url, secret, silent=silent)
        result = own | {"url": set_.url, "silent": set_.silent, "secret": set_.secret}
        show(result, f"moves are told to {set_.url}, signed with {set_.secret}", json_=json_)
    else:
        held, counts = notifying.aimed(services, connection)
        line = f"moves are told to {held.url}; {counts.get('parked', 0)} were put aside"
        show(own | {"url": held.url, "silent": held.silent, "states": counts}, line, json_=json_)


COMMANDS = (target,)
