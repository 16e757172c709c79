from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Shell

TEXT = """
rules:
- name: pricing
  trigger: {event: page_view, url: {prefix: "https://example.com/pricing"}}
  to: 6
- name: never
  trigger: {score_crosses: 8}
  conditions: {slot_at_least: 4}
  to: 6
"""


def test_rules_go_out_and_come_back_the_same(shell: Shell, account: str, tmp_path: Path) -> None:
    (tmp_path / "in.yaml").write_text(TEXT)
    trial = shell.ask("rules", "import", "in.yaml", "--dry-run", "--account", account)
    assert [one["what"] for one in trial["rules"]] == ["made", "made"]
    assert shell.ask("rules", "export") == {"rules": []}

    told = shell.ask("rules", "import", "in.yaml")
    shell.ask("rules", "export", "out.yaml")
    again = shell.ask("rules", "import", "out.yaml")

    (warning,) = told["warnings"]
    assert (warning["kind"], warning["rule_id"]) == ("unreachable", told["rules"][1]["id"])
    assert [one["what"] for one in again["rules"]] == ["same", "same"]
    out = yaml.safe_load((tmp_path / "out.yaml").read_text())
    out["rules"][0]["to"] = 5
    (tmp_path / "out.yaml").write_text(yaml.safe_dump(out))
    changed = shell.ask("rules", "import", "out.yaml")
    assert sorted(one["what"] for one in changed["rules"]) == ["changed", "same"]


def test_every_fault_of_a_file_of_rules_is_one_line(
    shell: Shell, account: str, tmp_path: Path
) -> None:
    (tmp_path / "in.yaml").write_text("rules: [{name: a, to: 8}, {id: rul_x, to: 6}]")

    said = shell.refusal("rules", "import", "in.yaml", "--account", account)

    assert said.count("error: ") == len(said.splitlines()) == 4
