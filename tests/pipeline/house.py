"""One account with its CRMs, a real store and a clock that the test turns."""

from __future__ import annotations

import atexit
import itertools
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import select

from connector.adapters import platform
from connector.adapters.hubspot import read_events
from connector.adapters.hubspot.fields import BULK_ORIGINS
from connector.domain.facts import AccountId, ConnectionId, ProfileId, RecordKey
from connector.domain.slots import Pipeline, Slot
from connector.domain.steps import Actor, Kind
from connector.mapping.document import preset
from connector.mapping.lookup import Lookup
from connector.mapping.table import Deal, Vocabulary
from connector.mapping.table import Mapping as Table
from connector.pipeline import moving
from connector.pipeline.drain import drain
from connector.pipeline.outgoing import deliver
from connector.pipeline.services import Keep, Line, Services
from connector.pipeline.split import split
from connector.pipeline.turns import conclude, leased, look, retold
from connector.pipeline.winning import wins_without_person
from connector.store import tables as t
from connector.store.engine import Database
from connector.store.migrate import upgrade
from connector.store.secrets import SecretBox
from connector.store.store import Store
from connector.stored import Connection, LedgerMove, OwnStep, Parcel, Profile
from tests.pipeline.crm import APP, PORTAL, FakeCrm, Row
from tests.pipeline.visiting_reader import read as read_journeys

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
KEY = Fernet.generate_key().decode()
ACCOUNT = AccountId("acc_1")
CONNECTION = ConnectionId("con_1")
PIPELINE = Pipeline(labels={Slot.SEVENTH: "Demo held", Slot.POST_SALE: "Churned"})


class Clock:
    """A clock that moves only when told to, in whole milliseconds as a CRM's does."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def pass_(self, seconds: float = 0.001) -> None:
        self.time += timedelta(milliseconds=round(seconds * 1000))


class House:
    """What a test holds in its hands: the CRM, the services, and a way to put events through."""

    def __init__(self, url: str, **more: Any) -> None:
        self.clock = Clock()
        self.store = Store(Database(url), SecretBox([KEY]), "test")
        self.crms: dict[ConnectionId, FakeCrm] = {}
        self.woken: set[tuple[str, str]] = set()
        self.numbers = itertools.count(1)
        self.services = Services(
            store=self.store,
            wake=self._wake,
            dial=self._dial,
            readers={"hubspot": read_events},
            platform=platform,
            bulk_origins={"hubspot": BULK_ORIGINS},
            apps={"hubspot": APP},
            now=self.clock.now,
            new_id=lambda prefix: f"{prefix}_{next(self.numbers):06}",
            pause=self.clock.pass_,
            **{"journey_readers": {"site": read_journeys}} | more,
        )
        with self.store.writing() as unit:
            unit.add_account("ours", (ACCOUNT, "hash", "a-seal"), self.clock.now())
            unit.set_pipeline(ACCOUNT, PIPELINE)
        self.crm = self.connect(CONNECTION)

    def connect(
        self, id_: ConnectionId, portal: str = PORTAL, table: Table | None = None
    ) -> FakeCrm:
        crm = FakeCrm(self.clock.now, portal)
        crm.slot_of = lambda kind, record_id: self._slot_of(id_, kind, record_id)
        crm.slot_of_email = self._slot_of_email
        self.crms[id_] = crm
        draft = Connection(
            *(id_, ACCOUNT, "hubspot", portal, APP), *("https://crm", "v3", "active", "", 0)
        )
        words = _vocabulary(crm)
        with self.store.writing() as unit:
            secrets = {"access_token": "t", "client_secret": "s"}
            made = unit.connect(draft, secrets, None, self.clock.now())
            unit.set_vocabulary(id_, words, self.clock.now())
            unit.add_version(made, Lookup(table or preset("hubspot"), PIPELINE, words), START)
        crm.calls.clear()
        return crm

    def _wake(self, job: str, id_: str) -> bool:
        self.woken.add((job, id_))
        return True

    def _dial(
        self, connection: Connection, _secrets: Mapping[str, str], _keep: Keep, _note: Any, /
    ) -> Line:
        return Line(self.crms[connection.id], lambda: None)

    def remap(self, **changes: Any) -> None:
        """Change the connection's mapping, as an admin would."""
        with self.store.writing() as unit:
            connection = unit.connection(CONNECTION)
            now = unit.lookups(ACCOUNT)[CONNECTION][connection.version]
            table = replace(now.mapping, **changes)
            unit.add_version(connection, replace(now, mapping=table), self.clock.now())

    # In

    def keep(
        self, rows: Sequence[Row] | bytes, connection: ConnectionId | None = CONNECTION
    ) -> None:
        body = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
        owner = (ACCOUNT, connection) if connection else None
        self.store.keep(Parcel("hubspot", owner, body, self.clock.now(), "trace"))

    def hear(self, rows: Sequence[Row] | None = None) -> None:
        """Take in webhooks (those that the CRM has for us) up to the drain; write nothing."""
        self.keep(self.crm.told() if rows is None else rows)
        self.drain()

    def drain(self) -> None:
        split(self.services)
        drain(self.services, ACCOUNT)

    def deliver(self, connection: ConnectionId = CONNECTION) -> int:
        return deliver(self.services, connection)

    def run(self, rounds: int = 12) -> None:
        """Let every worker do what waits, until nothing does; webhooks stay in the CRM."""
        for _ in range(rounds):
            self.clock.pass_(1.1)
            self.woken.clear()
            self.drain()
            for connection in self.crms:
                self.deliver(connection)
            if not self.woken:
                return

    def sync(self, rounds: int = 8) -> None:
        """Run, with the CRM's webhooks coming in, echoes of our own writes among them."""
        for _ in range(rounds):
            told = self.crm.told()
            if told:
                self.keep(told)
            self.run()
            if not self.crm.rows:
                return

    # By hand

    def move(self, profile_id: str, goal: int, reason: str = "because") -> bool:
        return moving.move(self.services, ACCOUNT, profile_id, Slot(goal), reason)

    def raise_(self, profile_id: str, goal: int, cause: str = "rule:pricing") -> None:
        """Move a profile as a rule will."""
        self.raise_all([profile_id], goal, cause)

    def raise_all(self, profiles: Iterable[str], goal: int, cause: str = "rule:pricing") -> None:
        ids = [ProfileId(one) for one in profiles]
        with leased(self.services, ACCOUNT) as fence:
            scene = look(self.services, ACCOUNT, ids)
            batch = scene.batch((cause,), cause, Actor.RULE)
            for one in ids:
                scene.take(
                    OwnStep(
                        scene.new_id("stp"),
                        one,
                        *(Kind.RAISE, Actor.RULE, scene.now, scene.now, PIPELINE.funnel),
                        slot=Slot(goal),
                        cause=cause,
                        batch_id=batch,
                    )
                )
            conclude(self.services, ACCOUNT, fence, scene, retold(scene, ids))

    # What came of it

    def profile_of(self, record_id: str, connection: ConnectionId = CONNECTION) -> str:
        found = self.rows(t.record, connection_id=connection, object="contact", record_id=record_id)
        return str(found[0].profile_id) if found and found[0].profile_id else ""

    def profile(self, record_id: str) -> Profile:
        with self.store.reading() as unit:
            found = unit.people.profile(ACCOUNT, self.profile_of(record_id))
        assert found is not None, record_id
        return found

    def slot(self, record_id: str) -> int | None:
        found = self.profile(record_id).slot
        return None if found is None else int(found)

    def moves(self, record_id: str) -> list[LedgerMove]:
        return self.ledger(self.profile_of(record_id))

    def ledger(self, profile_id: str) -> list[Any]:
        with self.store.reading() as unit:
            return list(unit.people.moves(ACCOUNT, ProfileId(profile_id)))

    def steps(self, record_id: str) -> list[tuple[int | None, int]]:
        return [(move.start, move.goal) for move in self.moves(record_id)]

    def rows(self, table: Any, **wanted: Any) -> list[Any]:
        query = select(table).where(*(table.c[name] == value for name, value in wanted.items()))
        with self.store.database.reading() as tx:
            return list(tx.execute(query))

    def outbox(self, **wanted: Any) -> list[Any]:
        return self.rows(t.outbox, **wanted)

    def waiting(self, purpose: str) -> list[Any]:
        return self.outbox(purpose=purpose, state="pending")

    def notes(self, what: str) -> list[str]:
        return [row.detail for row in self.rows(t.audit, what=what)]

    def connection(self) -> Connection:
        with self.store.reading() as unit:
            return unit.connection(CONNECTION)

    def known(self, record_id: str) -> Any:
        key = RecordKey(CONNECTION, "contact", record_id)
        with self.store.reading() as unit:
            return unit.records([key])[key]

    def companies(self, record_id: str) -> dict[str, str]:
        """Return the stage of each company that a contact is shown with."""
        key = RecordKey(CONNECTION, "contact", record_id)
        with self.store.reading() as unit:
            found = unit.ties.companies(ACCOUNT, [key]).get(key, [])
        return {company.key.record_id: company.lifecycle for company in found}

    def wins(self) -> list[str]:
        """Return the won deals that nobody is on."""
        return [win.record_id for win in wins_without_person(self.services, self.connection())]

    def own(self, record_id: str, name: str = "slot") -> str:
        names = {"slot": "bnb_lead_slot", "since": "bnb_slot_since", "profile": "bnb_profile_id"}
        return self.crm.value(record_id, names.get(name, f"bnb_{name}"))

    def _slot_of(self, connection: ConnectionId, kind: str, record_id: str) -> int | None:
        if kind != "contact" or not (found := self.profile_of(record_id, connection)):
            return None
        slot: int | None = self.rows(t.profile, id=found)[0].slot
        return slot

    def _slot_of_email(self, email: str) -> int | None:
        found = self.rows(t.record, email=email)
        slots = [self.rows(t.profile, id=row.profile_id)[0].slot for row in found if row.profile_id]
        return max((one for one in slots if one), default=None)

    def close(self) -> None:
        self.store.database.close()


def _vocabulary(crm: FakeCrm) -> Vocabulary:
    options = {
        field.name: {option.value: option.label for option in field.options}
        for field in crm.fields("contact")
    }
    stages = {stage.value: Deal(stage.outcome) for stage in crm.deal_stages()}
    return Vocabulary({"contact": options, "company": options}, stages)


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="bnb-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    upgrade(f"sqlite:///{folder / 'empty.db'}")
    return folder / "empty.db"


@contextmanager
def quick_house(**more: Any) -> Iterator[House]:
    """Build a house on SQLite in memory, where the disk's patience does not count."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        path = Path(folder, "house.db")
        shutil.copyfile(_template(), path)
        house = House(f"sqlite:///{path}", **more)
        try:
            yield house
        finally:
            house.close()
