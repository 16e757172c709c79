"""The table of faults: what can be drawn, where it applies, which answers it allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.faults import crm, deaths, intake

if TYPE_CHECKING:
    from soak.campaign import Campaign, Plan


@dataclass(frozen=True)
class Fault:
    """One fault: how it is done, what it needs, what deliveries may be answered meanwhile."""

    act: Callable[[Campaign], None]
    needs: frozenset[str] = frozenset()
    allow: frozenset[int] = frozenset()
    repeats: bool = False
    """Whether a write may be made again because of it: done, but nobody could note that."""


def _row(act: Callable[[Campaign], None], *needs: str, allow: tuple[int, ...] = ()) -> Fault:
    return Fault(act, frozenset(needs), frozenset(allow))


def _again(act: Callable[[Campaign], None], *needs: str) -> Fault:
    return Fault(act, frozenset(needs), repeats=True)


FAULTS: Mapping[str, Fault] = {
    "kill web": _row(deaths.kill_web),
    "kill a web child": _row(deaths.kill_web_child),
    "kill a worker": _again(deaths.kill_worker),
    "kill all workers": _again(deaths.kill_workers),
    "kill the clock": _row(deaths.kill_clock),
    "freeze the clock": _row(deaths.stop_clock),
    "kill everything": _again(deaths.kill_everything, "procfile"),
    "kill the supervisor": _again(deaths.kill_supervisor, "up"),
    "freeze a worker": _again(deaths.stop_worker),
    "freeze web": _row(deaths.stop_web),
    "freeze Valkey": _row(deaths.stop_valkey),
    "kill Valkey": _row(deaths.kill_valkey),
    "flush Valkey": _row(deaths.flush_valkey, "procfile"),
    "no Valkey from the start": _again(deaths.without_valkey, "procfile"),
    "rolling restart": _again(deaths.rolling_restart, "procfile"),
    "restart up": _again(deaths.restart_up, "up"),
    "two clocks": _again(deaths.two_clocks, "procfile"),
    "two web servers": _row(deaths.two_webs, "procfile"),
    "migrate": _again(deaths.migrate, "procfile"),
    "429": _row(crm.too_many),
    "500": _again(crm.errors_500),
    "502 HTML": _again(crm.html_502),
    "invalid JSON": _again(crm.invalid_json),
    "reset": _again(crm.reset),
    "slow": _again(crm.slow),
    "lost reply": _again(crm.lost_reply),
    "partial batch": _row(crm.partial),
    "token expiry": _row(crm.token_expiry),
    "token revoked": _row(crm.token_revoked),
    "opt-out race": _row(crm.optout_race),
    "duplicates": _row(intake.duplicates),
    "shuffled": _row(intake.shuffled),
    "held back": _row(intake.held_back),
    "clock skew": _row(intake.skew, allow=(401,)),
    "poison": _row(intake.poison),
    "database locked": _again(intake.locked),
    "disk full": _again(intake.disk_full, "fillable"),
    "power loss": _again(intake.power_loss, "sqlite", "procfile"),
    "database gone": _again(intake.database_gone, "postgres"),
}


def fitting(plan: Plan) -> dict[str, Fault]:
    """Return the faults that this plan's database and processes can have."""
    given: set[str] = {plan.database, plan.through}
    if plan.database == "sqlite" or plan.disk == "small":
        given.add("fillable")
    return {name: row for name, row in FAULTS.items() if row.needs <= given}
