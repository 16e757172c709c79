"""What a command is about: found by its id, or the only one there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connector.domain.errors import ConnectorError, NotFound

if TYPE_CHECKING:
    from connector.pipeline.services import Services
    from connector.stored import Account, Connection, Profile

connection_argument = click.argument("connection_id")


def connection_of(services: Services, connection_id: str) -> Connection:
    """Return a connection; an unknown one is an error that says where to look."""
    with services.store.reading() as unit:
        try:
            return unit.connection(connection_id)
        except NotFound as error:
            advice = "run `connector connections` to see which there are"
            raise NotFound(str(error), advice=advice) from error


def only_connection(services: Services, connection_id: str | None) -> Connection:
    """Return the connection that was named, or the only CRM's, or the only one."""
    if connection_id:
        return connection_of(services, connection_id)
    with services.store.reading() as unit:
        found = unit.crms() or unit.connections()
    if len(found) == 1:
        return found[0]
    raise ConnectorError(
        f"there are {len(found)} connections",
        advice="name one with --connection; `connector connections` lists them",
    )


def only_account(services: Services, account_id: str | None) -> Account:
    """Return the account that was named, or the only one."""
    with services.store.reading() as unit:
        if account_id:
            return unit.account(account_id)
        found = unit.accounts()
    if len(found) == 1:
        return found[0]
    raise ConnectorError(
        f"there are {len(found)} accounts",
        advice="name one with --account; `connector account list` lists them",
    )


def profile_by_id(services: Services, profile_id: str) -> tuple[Account, Profile] | None:
    """Return a profile and whose it is."""
    with services.store.reading() as unit:
        for account in unit.accounts():
            profile = unit.people.profile(account.id, profile_id)
            if profile is not None:
                return account, profile
    return None


def profile_by_email(services: Services, account: Account, email: str) -> Profile | None:
    """Return the profile of an account that an address belongs to."""
    with services.store.reading() as unit:
        wanted = {"email": email.strip().lower()}
        found = unit.people.found(account.id, wanted, "", 1)
    return found[0] if found else None
