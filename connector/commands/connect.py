"""Commands that make accounts, and connect CRMs and the platform to them."""

from __future__ import annotations

import secrets as random
from base64 import b64encode

import click

from connector import bootstrap
from connector.commands.shown import account_option, as_json, guarded, read_secrets, show
from connector.domain.errors import ConnectorError
from connector.domain.facts import AccountId
from connector.mapping.order import disagreements
from connector.pipeline.connecting import Request
from connector.pipeline.connecting import connect as link
from connector.pipeline.hooking import Keys, hook
from connector.settings import current
from connector.store.secrets import fingerprint
from connector.stored import Connection


@click.group()
def account() -> None:
    """Manage accounts."""


@account.command("create")
@click.argument("name")
@as_json
@guarded
def create_account(name: str, *, json_: bool) -> None:
    """Create an account; its API token is shown once."""
    if not name.strip():
        raise ConnectorError("an account needs a name")
    services = bootstrap.services()
    made, token = services.new_id("acc"), f"bnb_{random.token_urlsafe(32)}"
    with services.store.writing() as unit:
        unit.add_account(name, (made, fingerprint(token), random.token_hex(32)), services.now())
    result = {"account_id": made, "api_token": token}
    show(result, f"account {made}\nAPI token (shown once): {token}", json_=json_)


@account.command("list")
@as_json
@guarded
def list_accounts(*, json_: bool) -> None:
    """List accounts."""
    with bootstrap.services().store.reading() as unit:
        rows = [{"account_id": one.id, "name": one.name} for one in unit.accounts()]
    lines = "\n".join(f"{row['account_id']}  {row['name']}" for row in rows)
    show({"items": rows}, lines or "no accounts yet: connector account create NAME", json_=json_)


@click.group()
def connect() -> None:
    """Connect a CRM or the platform to an account."""


@connect.command("hubspot")
@account_option
@click.option("--portal-id", required=True, type=int, help="The HubSpot account's id.")
@click.option("--app-id", required=True, type=int, help="The app whose webhooks will come.")
@click.option("--api-url", help="Another address of the API, for simulators.")
@click.option("--signature", type=click.Choice(["v3", "v1"]), default="v3", show_default=True)
@click.option("--secrets", "source", required=True, help="Secrets as JSON: - for stdin, or a file.")
@as_json
@guarded
def hubspot(  # noqa: PLR0913 - one parameter an option
    account_id: str,
    portal_id: int,
    app_id: int,
    api_url: str | None,
    signature: str,
    source: str,
    *,
    json_: bool,
) -> None:
    """Connect a HubSpot portal; the credentials are proven before they are saved."""
    own = current()
    secrets = read_secrets(source)
    _check_secrets(secrets, own.hubspot_client_id)
    request = Request(
        AccountId(account_id),
        "hubspot",
        str(portal_id),
        str(app_id),
        bootstrap.check_crm_url(api_url or own.hubspot_api_url, "hubspot", own),
        signature,
        secrets,
    )
    connection = link(bootstrap.services(), request)
    warn(connection)
    url = f"{own.public_url}/webhooks/hubspot/{connection.id}"
    result = {"connection_id": connection.id, "webhook_url": url}
    show(result, f"connection {connection.id}\nwebhooks go to {url}", json_=json_)


@connect.command("platform")
@account_option
@click.option("--rotate", is_flag=True, help="New keys; the ones before are good for a day.")
@as_json
@guarded
def platform(account_id: str, *, rotate: bool, json_: bool) -> None:
    """Connect the platform; again: the same connection, and its keys once more.

    Its webhooks are signed with the secret (Standard Webhooks); a sender that can't sign posts to
    the URL that ends in a token, which is as secret.
    """
    services = bootstrap.services()
    connection, keys = hook(services, AccountId(account_id), fresh_keys(), rotate=rotate)
    url = f"{current().public_url}/webhooks/platform/{connection.id}"
    token_url = f"{url}/{keys.token}"
    result = {"connection_id": connection.id, "webhook_url": url, "secret": keys.secret}
    text = f"connection {connection.id}\nwebhooks go to {url}\nsigned with {keys.secret}"
    show(
        {**result, "token_url": token_url},
        f"{text}\nwho can't sign posts to {token_url}",
        json_=json_,
    )


def fresh_keys() -> Keys:
    """Make keys for the platform's webhooks."""
    secret = b64encode(random.token_bytes(32)).decode()
    return Keys(f"whsec_{secret}", random.token_urlsafe(32))


def warn(connection: Connection) -> None:
    """Point out where the CRM's stage order disagrees with the account's funnel."""
    with bootstrap.services().store.reading() as unit:
        versions = unit.lookups(connection.account_id)[connection.id]
    for fault in disagreements(versions[max(versions)]):
        click.echo(f"warning: {fault}", err=True)


def _check_secrets(secrets: dict[str, str], client_id: str | None) -> None:
    if not secrets.get("client_secret"):
        raise ConnectorError("client_secret is missing: webhooks are verified with it")
    if not secrets.get("access_token") and not secrets.get("refresh_token"):
        raise ConnectorError("give an access_token, or a refresh_token with a client_id")
    if secrets.get("refresh_token") and not (secrets.get("client_id") or client_id):
        raise ConnectorError("a refresh_token needs the app's client_id")


COMMANDS = (account, connect)
