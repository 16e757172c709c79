"""An admin changes the pipeline or a mapping: checked, versioned, and applied on request only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Map
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connector.domain.errors import ConfigurationRefused
from connector.domain.facts import AccountId, RecordKey
from connector.domain.rules.rule import follow
from connector.domain.slots import Pipeline, Slot
from connector.domain.slots import check as check_pipeline
from connector.domain.steps import Actor
from connector.mapping.document import check as check_mapping
from connector.mapping.lookup import Lookup
from connector.mapping.table import Mapping, Meaning, Vocabulary
from connector.pipeline.refold import Retold, retell
from connector.pipeline.scene import Scene
from connector.pipeline.services import Services
from connector.pipeline.turns import conclude, leased, look
from connector.stored import Connection, Effect

if TYPE_CHECKING:
    from connector.store.unit import Unit

AT_ONCE = 200
_FOUND_IN_CRM = frozenset({Meaning.LIFECYCLE, Meaning.LEAD_STATUS, Meaning.EMAIL})
_COLUMNS = {Meaning.LIFECYCLE: "lifecycle", Meaning.LEAD_STATUS: "lead_status"}


def save_pipeline(services: Services, account_id: AccountId, pipeline: Pipeline) -> Pipeline:
    """Keep a pipeline; every mapping gets a version that follows it, and so does every rule.

    Raises ConfigurationRefused with every fault.
    """
    with services.store.writing() as unit:
        now = unit.account(account_id).pipeline
        lookups = {one: _current(unit, one) for one in unit.crms(account_id)}
        bound = {one: replace(own, pipeline=pipeline) for one, own in lookups.items()}
        mapped = {slot for lookup in bound.values() for slot in lookup.targets()}
        rules = {one: follow(one, now, pipeline) for one in unit.rules.rules(account_id)}
        check_pipeline(pipeline, mapped | {rule.to for rule in rules.values()})
        _check_nobody_left(pipeline, unit.people.funnel(account_id))
        check_masters(pipeline, bound)
        for lookup in bound.values():
            check_mapping(lookup)
        unit.set_pipeline(account_id, pipeline)
        for rule in (own for before, own in rules.items() if own != before):
            unit.rules.keep(account_id, rule, services.now(), rule.since)
        for connection, lookup in bound.items():
            unit.add_version(connection, lookup, services.now())
            unit.set_labels(connection.id, installed=False)
    for connection in bound:
        services.wake("deliver", connection.id)
    return pipeline


def check_masters(pipeline: Pipeline, connections: Iterable[Connection]) -> None:
    """Refuse masters that are no CRM of the account; raise ConfigurationRefused."""
    known = sorted({name for one in connections for name in (one.system, one.id)})
    faults = [
        f"masters.{slot.value}: {name!r} is not connected: name one of {', '.join(known) or 'none'}"
        for slot, name in sorted(pipeline.masters.items())
        if name not in known
    ]
    if faults:
        raise ConfigurationRefused(faults)


def _check_nobody_left(pipeline: Pipeline, standing: Map[int, int]) -> None:
    """Refuse to take the label of a slot in which profiles stand."""
    faults = [
        f"slot {slot.value} holds {standing[slot]} profiles: move them before you empty its label"
        for slot in Slot
        if pipeline.is_empty(slot) and standing.get(slot)
    ]
    if faults:
        raise ConfigurationRefused(faults)


def _current(unit: Unit, connection: Connection) -> Lookup:
    return unit.lookups(connection.account_id)[connection.id][connection.version]


def save_mapping(
    services: Services,
    connection_id: str,
    mapping: Mapping,
    *,
    dry_run: bool,
    reevaluate: bool,
) -> dict[str, Any]:
    """Keep a mapping as a new version; what is known already moves only if `reevaluate`.

    Says who would move. A re-evaluation is one silent, undoable batch. Raises
    ConfigurationRefused with every fault.
    """
    with services.store.reading() as unit:
        connection = unit.crm(connection_id)
        now = _current(unit, connection)
        keys = unit.people_of(connection)
        _check_fields(mapping, unit.vocabulary(connection.id))
    wanted = replace(now, mapping=mapping, version=connection.version + 1)
    check_mapping(wanted)
    version = connection.version
    if not dry_run:
        with services.store.writing() as unit:
            version = unit.add_version(unit.connection(connection_id), wanted, services.now())
            unit.forget_words(connection_id)
        services.wake("deliver", connection_id)
    again = _Again(services, connection, replace(wanted, version=version or 1), keys)
    batch_id = services.new_id("bat") if reevaluate and not dry_run else None
    items = again.run(batch_id)
    return {"version": version, "would_move": len(items), "items": items, "batch_id": batch_id}


def _check_fields(mapping: Mapping, words: Vocabulary) -> None:
    """Refuse fields that the CRM is known not to have; the lever may not be installed yet."""
    faults = [
        f"fields.{kind}.{meaning}: the CRM has no field {name!r} on a {kind}"
        for kind, fields in mapping.fields.items()
        for meaning, name in fields.items()
        if kind in words.names and meaning in _FOUND_IN_CRM and name not in words.names[kind]
    ]
    if faults:
        raise ConfigurationRefused(faults)


class _Again:
    """Every record of a connection looked at under another mapping."""

    def __init__(
        self,
        services: Services,
        connection: Connection,
        wanted: Lookup,
        keys: Sequence[RecordKey],
    ) -> None:
        self.services = services
        self.connection = connection
        self.wanted = wanted
        self.keys = keys

    def run(self, batch_id: str | None) -> list[dict[str, Any]]:
        """Return who would move, and move them silently where a batch is named."""
        items: list[dict[str, Any]] = []
        for start in range(0, len(self.keys), AT_ONCE):
            some = self.keys[start : start + AT_ONCE]
            items += self._piece(some) if batch_id is None else self._apply(some, batch_id)
        return items

    def _piece(self, keys: Sequence[RecordKey]) -> list[dict[str, Any]]:
        scene = look(self.services, self.connection.account_id, keys=keys)
        return _moved(self._retell(scene, keys))

    def _apply(self, keys: Sequence[RecordKey], batch_id: str) -> list[dict[str, Any]]:
        account_id = self.connection.account_id
        with leased(self.services, account_id) as fence:
            with self.services.store.writing(fence) as unit:
                unit.relearn(self.connection, keys, self.wanted.version)
            scene = look(self.services, account_id, keys=keys)
            scene.bulk_batch = "mapping"
            scene.name_batch(("mapping",), batch_id, "mapping", Actor.PERSON, "re-evaluation")
            told = self._retell(scene, keys)
            scene.changes.effects += [
                Effect(batch_id, one.after.id, one.before.slot, one.after.slot)
                for one in told
                if one.moved and one.after.slot is not None
            ]
            conclude(self.services, account_id, fence, scene, told)
        return _moved(told)

    def _retell(self, scene: Scene, keys: Sequence[RecordKey]) -> list[Retold]:
        version = self.wanted.version
        own = {**scene.lookups[self.connection.id], version: self.wanted}
        scene.lookups = {**scene.lookups, self.connection.id: own}
        around = {peer for key in keys for peer in scene.peers(key)}
        for key in {*keys, *around}:
            scene.facts[key] = {
                name: replace(fact, version=version, silent=True)
                for name, fact in scene.facts[key].items()
            }
        profiles = {scene.records[key].profile_id for key in keys if key in scene.records}
        return [retell(scene, one) for one in sorted(p for p in profiles if p)]


def _moved(told: Iterable[Retold]) -> list[dict[str, Any]]:
    return [
        {"profile_id": one.after.id, "from": one.before.slot, "to": one.after.slot}
        for one in told
        if one.moved
    ]


def unmapped(services: Services, account_id: AccountId, connection_id: str) -> list[dict[str, Any]]:
    """Return the values that records hold and no row knows, with a suggestion for each."""
    with services.store.reading() as unit:
        connection = unit.crm(connection_id)
        lookup = _current(unit, connection)
        counted = {
            meaning: unit.people.words(account_id, connection_id, column)
            for meaning, column in _COLUMNS.items()
        }
    items = []
    for meaning, values in counted.items():
        name = lookup.mapping.name_of("contact", meaning)
        for value, records in values:
            if lookup.is_unmapped(meaning, value):
                slot = lookup.suggest(meaning, value)
                items.append(
                    {
                        "field": name,
                        "value": value,
                        "label": lookup.vocabulary.label("contact", name, value),
                        "records": records,
                        "suggestion": slot,
                    }
                )
    return items
