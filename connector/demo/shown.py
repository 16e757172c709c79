"""How the story is told in a terminal; programs read the JSON."""

from __future__ import annotations

import time

from rich.console import Console
from rich.table import Table
from rich.text import Text

from connector.demo.stage import Step
from connector.demo.story import Outcome


class Teller:
    """Tells each step as it happens, and all of them at the end, on stderr."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._scene = self._deed = ""
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Tell something that is no step, with the seconds since the beginning."""
        self._console.print(Text(f"{time.monotonic() - self._began:6.2f} s  {text}", style="dim"))

    def step(self, step: Step) -> None:
        """Tell one step under the scene and the deed that it belongs to."""
        if step.scene != self._scene:
            self._console.print(Text(f"\n{step.scene}", style="bold"))
        if (step.scene, step.deed) != (self._scene, self._deed):
            self._console.print(Text(f"  {step.deed}"))
        self._scene, self._deed = step.scene, step.deed
        self._console.print(_line(step))

    def end(self, outcome: Outcome, log: str) -> None:
        """Tell what came of it; on a terminal as a table too."""
        if self._console.is_terminal:
            self._console.print(_table(outcome))
        lines, style = (_good(outcome), "green") if outcome.ok else (_bad(outcome, log), "red")
        self._console.print(Text("\n".join(["", *lines]), style=f"bold {style}"))


def _good(outcome: Outcome) -> list[str]:
    middle = outcome.summary()["median_seconds"]
    told = f"{len(outcome.steps)} checks, all as expected"
    return [f"{told}; {middle} s from an edit in HubSpot to its slot (median)"]


def _bad(outcome: Outcome, log: str) -> list[str]:
    """Say which checks failed, and where to look."""
    lines = [f"the demo failed: {len(outcome.failed)} of {len(outcome.steps)} checks"]
    for step in outcome.failed:
        wanted = f"{step.read_from} should be {step.expected or 'blank'}"
        found = f"is {step.read or 'blank'} after {step.seconds:.1f} s"
        lines += [f"  {step.scene}: {step.deed}", f"    {wanted}, but {found}"]
    if outcome.not_played:
        lines.append(f"  not played: {', '.join(outcome.not_played)}")
    return [*lines, f"Are web, worker and clock running? Their log is {log}"]


def _line(step: Step) -> Text:
    mark, style = ("ok", "green") if step.ok else ("NOT", "bold red")
    shown = step.read or "blank"
    found = shown if step.ok else f"{shown}, not {step.expected or 'blank'}"
    return Text.assemble(
        (f"    {mark:>3} ", style),
        (f"{step.seconds:6.2f} s  ", "cyan"),
        f"{step.read_from} = {found}",
    )


def _table(outcome: Outcome) -> Table:
    table = Table(title="connector demo", title_justify="left")
    for name in ("scene", "what happened", "read from", "expected", "read"):
        table.add_column(name, overflow="fold")
    table.add_column("s", justify="right")
    table.add_column("")
    scene = deed = ""
    for step in outcome.steps:
        shown = ("" if step.scene == scene else step.scene, "" if step.deed == deed else step.deed)
        scene, deed = step.scene, step.deed
        told = (step.read_from, step.expected or "blank", step.read or "blank")
        mark = Text("ok", "green") if step.ok else Text("NOT", "bold red")
        table.add_row(*map(Text, (*shown, *told, f"{step.seconds:.2f}")), mark)
    return table
