"""What a CRM in memory keeps for sales: who owns, deals and tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from connector.ports import Owner

Answer = TypeVar("Answer")


class Sales:
    """A part of the fake CRM; each call goes through `_run`, so that it can be interrupted."""

    def __init__(self) -> None:
        self.staff: Sequence[str] = ()
        self.absent: set[str] = set()

    def owners(self) -> list[Owner]:
        return self._run("owners", "", (), (), self._owners)

    def _owners(self) -> list[Owner]:
        return [Owner(one, one, active=one not in self.absent) for one in self.staff]

    def _run(
        self, name: str, kind: str, ids: Sequence[str], fields: Any, work: Callable[[], Answer]
    ) -> Answer:
        raise NotImplementedError
