"""One poison thing must not hold up the rest: it is found by halving, and put aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from connector.domain.errors import LeaseLost, StoreBusy

T = TypeVar("T")


def work_off(
    things: Sequence[T],
    apply: Callable[[Sequence[T]], None],
    park: Callable[[T, Exception], None],
) -> None:
    """Apply things together; one that breaks the batch is found by halving and put aside."""
    if not things:
        return
    try:
        apply(things)
    except (LeaseLost, StoreBusy):
        raise
    except Exception as error:  # noqa: BLE001 - a poison event may raise anything
        if len(things) == 1:
            park(things[0], error)
            return
        half = len(things) // 2
        work_off(things[:half], apply, park)
        work_off(things[half:], apply, park)
