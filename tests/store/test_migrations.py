from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from connector.store import migrate, tables


def test_migrations_go_up_down_and_up_again(database_url: str) -> None:
    migrate.upgrade(database_url)
    migrate.downgrade(database_url)
    left = tables_in(database_url)
    migrate.upgrade(database_url)

    assert left <= {"alembic_version"}
    assert tables_in(database_url) >= set(tables.metadata.tables)


def test_migrations_leave_nothing_to_generate(database_url: str) -> None:
    migrate.upgrade(database_url)

    assert differences(database_url) == []


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    migrate.upgrade(database_url)
    before = tables_in(database_url)
    migrate.upgrade(database_url)

    assert tables_in(database_url) == before


def tables_in(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def differences(url: str) -> list[Any]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            return list(compare_metadata(context, tables.metadata))
    finally:
        engine.dispose()
