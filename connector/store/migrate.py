"""Brings a database to the newest schema, or (in tests) back."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from connector.domain.errors import StoreBusy
from connector.store.engine import Database

log = structlog.get_logger(__name__)

Schema = Literal["current", "newer", "older"]
Action = Callable[[Config], None]
SCRIPTS = Path(__file__).parent / "migrations"
# Another process may be migrating a large database just now.
PATIENCE = 600.0
_LOOK_EVERY = 0.2
_LOCK = 0x626E62  # "bnb": PostgreSQL's advisory lock of migrations


def upgrade(url: str, scripts: Path = SCRIPTS, patience: float = PATIENCE) -> None:
    """Apply what is missing, once however many processes ask; a no-op on newer schemas.

    What others do meanwhile is turned away for the moment, never lost: a webhook with 503.
    """
    database = Database(url)
    until = time.monotonic() + patience
    try:
        while schema(database, scripts) == "older":
            try:
                with database.writing() as connection:
                    bring(connection, scripts=scripts)
            except StoreBusy:
                if time.monotonic() > until:
                    raise
                log.warning("migration_waits", why="the database is busy")
                time.sleep(_LOOK_EVERY)
    finally:
        database.close()


def bring(connection: Connection, revision: str = "head", scripts: Path = SCRIPTS) -> None:
    """Bring the schema to a revision inside of a transaction; a newer one is left as it is."""
    _alone(connection)
    if _compare(connection, scripts) != "newer":
        _act(connection, scripts, lambda config: command.upgrade(config, revision))


def downgrade(url: str, scripts: Path = SCRIPTS) -> None:
    """Take everything back; for tests."""
    database = Database(url)
    try:
        with database.writing() as connection:
            _alone(connection)
            _act(connection, scripts, lambda config: command.downgrade(config, "base"))
    finally:
        database.close()


def schema(database: Database, scripts: Path = SCRIPTS) -> Schema:
    """Say whether the schema is this program's, made by older code, or by newer."""
    with database.reading() as connection:
        return _compare(connection, scripts)


def revision_of(connection: Connection) -> str:
    """Return the revision of a schema, "" for none."""
    return ",".join(sorted(_heads(connection)))


def is_known(revision: str, scripts: Path = SCRIPTS) -> bool:
    """Say whether this program can make a schema of that revision."""
    return revision in _revisions(scripts)[0]


def _compare(connection: Connection, scripts: Path) -> Schema:
    found = _heads(connection)
    known, newest = _revisions(scripts)
    if found == newest:
        return "current"
    return "newer" if found - known else "older"


def _alone(connection: Connection) -> None:
    """Keep other migrations away until the end of the transaction; SQLite's writer is one."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _act(connection: Connection, scripts: Path, action: Action) -> None:
    config = _config(scripts)
    config.attributes["connection"] = connection
    action(config)


def _config(scripts: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    return config


def _heads(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


@cache
def _revisions(scripts: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return every revision that this program knows, and the newest."""
    found = ScriptDirectory.from_config(_config(scripts))
    known = frozenset(script.revision for script in found.walk_revisions())
    return known, frozenset(found.get_heads())
