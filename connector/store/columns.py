"""The few kinds of columns and indexes that the tables are made of."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, MetaData, Text, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def words(name: str, default: str | None = "") -> Column[str]:
    """Make a text column that is never null unless it has no default."""
    return Column(name, Text, nullable=default is None, server_default=default)


def whole(name: str, default: int = 0) -> Column[int]:
    """Make a whole number, zero unless said otherwise."""
    return Column(name, Integer, nullable=False, server_default=str(default))


def flag(name: str) -> Column[bool]:
    """Make a flag that is off unless said otherwise."""
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def of_account() -> Column[str]:
    """Make the column that names the account."""
    return Column("account_id", Text, ForeignKey("account.id"), nullable=False)


def of_connection() -> Column[str]:
    """Make the column that names the connection."""
    return Column("connection_id", Text, ForeignKey("connection.id"), nullable=False)


def waiting(name: str, *columns: str, when: str) -> Index:
    """Make an index over the few rows that wait for something."""
    return Index(name, *columns, sqlite_where=text(when), postgresql_where=text(when))
