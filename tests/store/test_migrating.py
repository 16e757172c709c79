"""Migrations run once however many ask, lose nothing that comes meanwhile, and only add."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from connector import bootstrap
from connector.app import make_app
from connector.domain.errors import StoreBusy
from connector.store import migrate
from connector.store.engine import Database
from tests.webhooks.conftest import Sender, change

ROOT = Path(__file__).parents[2]
EXTRA = '''
"""A made-up migration that takes its time"""
import pathlib, time
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "{head}", None, None
FOLDER = pathlib.Path({folder!r})


def upgrade():
    op.create_table("made_up", sa.Column("pid", sa.Integer))
    op.add_column("account", sa.Column("made_up", sa.Text, server_default="new", nullable=False))
    op.execute("INSERT INTO made_up VALUES (1)")
    (FOLDER / "begun").touch()
    until = time.monotonic() + 60
    while not (FOLDER / "go").exists() and time.monotonic() < until:
        time.sleep(0.02)


def downgrade():
    op.drop_column("account", "made_up")
    op.drop_table("made_up")
'''
MIGRATE = """
import pathlib, sys
from connector.store.migrate import upgrade
upgrade(sys.argv[1], pathlib.Path(sys.argv[2]))
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Return the migrations of a later version: ours and one more, which waits for a file `go`."""
    folder = tmp_path / "later"
    shutil.copytree(migrate.SCRIPTS, folder)
    head = max(path.name[:4] for path in (folder / "versions").glob("0*.py"))
    extra = EXTRA.format(head=head, folder=str(folder))
    (folder / "versions" / "9999_made_up.py").write_text(extra)
    return folder


@pytest.fixture
def sender(database_url: str, tmp_path: Path) -> Iterator[Sender]:
    made = Sender(database_url, tmp_path)
    yield made
    made.services.store.database.close()


def let_go(scripts: Path) -> None:
    (scripts / "go").touch()


def wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.02)


def made_up(url: str) -> list[int]:
    with closing(Database(url)) as database, database.reading() as tx:
        return list(tx.execute(text("SELECT pid FROM made_up")).scalars())


def test_processes_that_start_at_once_migrate_once(database_url: str, scripts: Path) -> None:
    command = [sys.executable, "-c", MIGRATE, database_url, str(scripts)]
    starters = [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]
    wait_for(scripts / "begun")

    let_go(scripts)

    assert [one.wait(60) for one in starters] == [0, 0, 0]
    assert made_up(database_url) == [1]


def test_no_event_is_lost_while_a_migration_runs(sender: Sender, scripts: Path) -> None:
    url = sender.settings.database_url
    sender.post([change(eventId=1, objectId=1)])
    runner = threading.Thread(target=migrate.upgrade, args=(url, scripts))
    runner.start()
    wait_for(scripts / "begun")

    meanwhile = sender.post([change(eventId=2, objectId=2)])
    let_go(scripts)
    runner.join()
    later = sender.post([change(eventId=2, objectId=2)])

    assert (meanwhile.status_code, later.status_code) in {(503, 204), (204, 204)}
    sender.work()  # code that is older than the schema by now
    assert sender.slots() == {6: 2}


def test_older_code_runs_on_a_newer_schema_and_leaves_it_alone(
    sender: Sender, scripts: Path
) -> None:
    let_go(scripts)
    url = sender.settings.database_url
    migrate.upgrade(url, scripts)

    migrate.upgrade(url)
    again = bootstrap.build(sender.settings)
    ready = make_app(again, sender.settings).test_client().get("/readyz")
    with again.store.writing() as unit:
        unit.add_account("another", ("acc_2", "another hash", "seal"), again.now())
    again.store.database.close()

    with closing(Database(url)) as database:
        assert migrate.schema(database) == "newer"
    assert ready.status_code == 200
    assert made_up(url) == [1]


def test_who_finds_no_end_of_a_migration_says_so(database_url: str, scripts: Path) -> None:
    migrate.upgrade(database_url)
    runner = threading.Thread(target=migrate.upgrade, args=(database_url, scripts))
    runner.start()
    wait_for(scripts / "begun")

    with pytest.raises(StoreBusy):
        migrate.upgrade(database_url, scripts, patience=0.1)

    let_go(scripts)
    runner.join()


def test_a_schema_that_is_complete_is_not_locked(database_url: str) -> None:
    migrate.upgrade(database_url)

    with closing(Database(database_url)) as database, database.writing():
        migrate.upgrade(database_url, patience=0.0)
