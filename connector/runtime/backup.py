"""Backup and restore: the database and the keys that open it, in one file for any database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from connector.domain.errors import ConnectorError
from connector.runtime import archive
from connector.runtime.archive import BackupRefused
from connector.store import dump, migrate
from connector.store.dump import Block
from connector.store.engine import Database


@dataclass(frozen=True, slots=True)
class Told:
    """What is in a backup."""

    made_at: str
    revision: str
    keys: tuple[str, ...]
    rows: dict[str, int]


def save(
    database: Database,
    keys: tuple[str, ...],
    path: Path,
    now: datetime,
    passphrase: str | None,
    *,
    overwrite: bool,
) -> Told:
    """Write everything as it is now into a file, while everything runs."""
    counts: Counter[str] = Counter()
    with (
        archive.kept_whole(path, overwrite=overwrite) as file,
        dump.picture(database) as picture,
    ):
        head: dict[str, Any] = {
            "made_at": now.isoformat(),
            "revision": picture.revision,
            "program": version("breadbutter-connector"),
            "keys": list(keys),
        }
        archive.write(file, _lines(head, picture.blocks, counts), passphrase)
    return Told(head["made_at"], picture.revision, keys, dict(counts))


def look(path: Path, passphrase: str | None) -> Told:
    """Read a backup to its end; refuse one that is damaged, or newer than this program."""
    archive.check(path)
    counts: Counter[str] = Counter()
    lines = archive.read(path, passphrase)
    head = next(lines)
    table, end = "", None
    for line in lines:
        if isinstance(line, dict):
            end = line
        elif line and not isinstance(line[0], str):
            counts[table] += len(line)
        else:
            table = line[0]
            counts[table] += 0
    if end != {"rows": dict(counts)}:
        raise BackupRefused(f"{path} does not hold as many rows as it says")
    if not migrate.is_known(head["revision"]):
        raise BackupRefused(
            f"{path} was made by a newer program (schema {head['revision']})",
            advice="restore it with that version or a later one",
        )
    return Told(head["made_at"], head["revision"], tuple(head["keys"]), dict(counts))


def load(
    database: Database, path: Path, told: Told, passphrase: str | None, *, paused: bool
) -> None:
    """Put a backup that was looked at in the place of whatever a database holds."""
    blocks = _blocks(archive.read(path, passphrase))
    dump.fill(database, told.revision, blocks, paused=paused)


def check_target(database: Database, living: Iterable[str], *, replace: bool) -> None:
    """Refuse a database that is in use, or holds something that nobody said may go."""
    alive = sorted(living)
    if alive:
        raise ConnectorError(
            f"processes work on this database: {', '.join(alive)}",
            advice="stop them first; one that was killed counts as alive for 45 s",
        )
    if not replace and not dump.is_empty(database):
        raise ConnectorError(
            "the database is not empty",
            advice="restore into an empty one, or give up what it holds with --replace",
        )


def _lines(head: dict[str, Any], blocks: Iterable[Block], counts: Counter[str]) -> Iterator[Any]:
    """Spell a backup: a head, then for each table its name and columns and its rows, an end."""
    yield head
    for block in blocks:
        if block.table not in counts:
            yield [block.table, *block.columns]
        counts[block.table] += len(block.rows)
        if block.rows:
            yield block.rows
    yield {"rows": dict(counts)}


def _blocks(lines: Iterator[Any]) -> Iterator[Block]:
    next(lines)
    table, columns = "", tuple[str, ...]()
    for line in lines:
        if isinstance(line, dict):
            return
        if isinstance(line[0], str):
            table, columns = line[0], tuple(line[1:])
        else:
            yield Block(table, columns, line)
