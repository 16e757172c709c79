"""Reads documents that a stranger may have written: every fault is noted with its place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

import yaml

from connector.domain.errors import ConfigurationRefused
from connector.domain.slots import Slot

Word = TypeVar("Word", bound=StrEnum)

LONGEST_TEXT = 100_000
LONGEST_LIST = 500
LONGEST_WORD = 500
DEEPEST = 10
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def load_yaml(text: str, longest: int = LONGEST_TEXT, deepest: int = DEEPEST) -> object:
    """Read YAML that a stranger may have written: no aliases, no depth, no key twice."""
    if len(text) > longest:
        raise ConfigurationRefused([f"the file is longer than {longest} characters"])
    try:
        document: object = Strict(text, deepest).get_single_data()
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigurationRefused([f"not YAML: {' '.join(str(error).split())}"]) from error
    return document


@dataclass(frozen=True, slots=True)
class Place:
    """A value and where it stands in a document; its faults go on the document's list."""

    value: object
    name: str
    faults: list[str]

    def refuse(self, fault: str) -> None:
        """Note a fault."""
        self.faults.append(f"{self.name}: {fault}")

    def conclude(self) -> None:
        """Refuse the document if anything was noted."""
        if self.faults:
            raise ConfigurationRefused(self.faults)

    def entries(self, known: Collection[str], needed: Collection[str] = ()) -> dict[str, Place]:
        """Return the entries of an object; unknown keys and missing ones are faults."""
        if not isinstance(self.value, dict):
            self.refuse("must be an object")
            return {}
        for key in self.value:
            if key not in known:
                self.refuse(f"unknown key {shown(key)}: choose from {', '.join(known)}")
        for key in needed:
            if key not in self.value:
                self.refuse(f"{key!r} is missing")
        prefix = "" if self.name in {"mapping", "pipeline"} else f"{self.name}."
        inside = {key: self.value[key] for key in known if key in self.value}
        return {key: replace(self, value=inside[key], name=f"{prefix}{key}") for key in inside}

    def items(self) -> list[Place]:
        """Return the items of a list."""
        if not isinstance(self.value, list) or len(self.value) > LONGEST_LIST:
            self.refuse(f"must be a list of at most {LONGEST_LIST}")
            return []
        inside = enumerate(self.value)
        return [replace(self, value=value, name=f"{self.name}[{n}]") for n, value in inside]

    def text(self, *, blank: bool = False) -> str:
        """Return a text."""
        if not isinstance(self.value, str):
            self.refuse("must be text: put it in quotes")
        elif len(self.value) > LONGEST_WORD or _UNPRINTABLE.search(self.value):
            self.refuse(f"must be at most {LONGEST_WORD} printable characters")
        elif not blank and not self.value.strip():
            self.refuse("must not be empty")
        else:
            return self.value
        return ""

    def words(self, *, blank: bool = False) -> frozenset[str]:
        """Return a list of texts as a set."""
        words = frozenset(place.text(blank=blank) for place in self.items())
        if self.value == []:
            self.refuse("must not be empty: leave it out instead")
        return words

    def choice(self, words: type[Word]) -> Word | None:
        """Return one of some words, None if it is another."""
        if isinstance(self.value, str) and self.value in list(words):
            return words(self.value)
        self.refuse(f"{shown(self.value)} is unknown: choose from {', '.join(words)}")
        return None

    def number(self, known: Collection[Slot]) -> Slot | None:
        """Return one of some slots by its number, None if it is another."""
        if isinstance(self.value, int) and not isinstance(self.value, bool) and self.value in known:
            return Slot(self.value)
        numbers = ", ".join(str(slot.value) for slot in sorted(known))
        self.refuse(f"{shown(self.value)} is no slot to name here: choose from {numbers}")
        return None

    def flag(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            self.refuse("must be true or false")
        return self.value is True


def shown(value: object) -> str:
    """Return a value as a fault quotes it: short, and never a whole document."""
    return f"{value!r:.60}" if isinstance(value, str | int | float | None) else "this"


class Strict(yaml.SafeLoader):
    """Refuses what lets a small file grow big, and keys that hide each other."""

    depth = 0

    def __init__(self, text: str, deepest: int = DEEPEST) -> None:
        super().__init__(text)
        self.deepest = deepest

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Read one node, refusing aliases, depth and doubled keys."""
        self.depth += 1
        if self.depth > self.deepest or self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(f"no aliases, and no more than {self.deepest} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        for key, count in Counter(str(key.value) for key, _ in pairs).items():
            if count > 1:
                raise yaml.MarkedYAMLError(f"{key!r} stands there {count} times")
        return node
