"""Brings a database to the newest schema, or (in tests) back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from connector.store.engine import Database

Action = Callable[[Config], None]
_LOCK = 0x626E62  # "bnb": PostgreSQL's advisory lock of migrations


def upgrade(url: str) -> None:
    """Apply what is missing; safe from several processes at once, a no-op on newer schemas."""
    _run(url, lambda config: command.upgrade(config, "head"))


def downgrade(url: str) -> None:
    """Take everything back; for tests."""
    _run(url, lambda config: command.downgrade(config, "base"))


def is_current(url: str) -> bool:
    """Say whether nothing is missing."""
    database = Database(url)
    try:
        with database.reading() as connection:
            return _known(connection, _config())
    finally:
        database.close()


def _run(url: str, action: Action) -> None:
    database = Database(url)
    try:
        with database.writing() as connection:
            if not database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            config = _config()
            if not _is_newer(connection, config):
                config.attributes["connection"] = connection
                action(config)
    finally:
        database.close()


def _config() -> Config:
    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def _heads(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


def _known(connection: Connection, config: Config) -> bool:
    return set(ScriptDirectory.from_config(config).get_heads()) == _heads(connection)


def _is_newer(connection: Connection, config: Config) -> bool:
    """Say whether the schema was made by code newer than this; older code runs on it as it is."""
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    return bool(_heads(connection) - known)
