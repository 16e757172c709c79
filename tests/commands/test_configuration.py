from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tests.commands.conftest import slot

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.hubspot.testing import Twin
    from tests.commands.conftest import Shell


def test_a_mapping_goes_out_and_comes_back_the_same(
    shell: Shell, connection: str, tmp_path: Path
) -> None:
    file = tmp_path / "mapping.yaml"
    shell.ask("mapping", "export", str(file))

    told = shell.ask("mapping", "import", str(file), "--connection", connection)

    assert (told["would_move"], told["batch_id"]) == (0, None)
    assert shell.run("mapping", "export").stdout == file.read_text()


def test_a_mapping_is_tried_kept_and_applied(
    shell: Shell, connection: str, profile: str, tmp_path: Path
) -> None:
    document = shell.ask("mapping", "export")
    document["slots"].insert(0, {"lifecycle": ["lead"], "role": "sal"})
    file = tmp_path / "mapping.yaml"
    file.write_text(yaml.safe_dump(document))

    trial = shell.ask("mapping", "import", str(file), "--dry-run")
    assert trial["items"] == [{"profile_id": profile, "from": 3, "to": 5}]
    assert "version 2" in shell.run("mapping", "import", str(file)).stdout
    assert slot(connection, profile) == 3

    assert shell.ask("mapping", "import", str(file), "--reevaluate")["batch_id"]
    assert slot(connection, profile) == 5


def test_every_fault_of_a_file_is_one_line(shell: Shell, connection: str, tmp_path: Path) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text("system: hubspot\nfields: {}\nslots: [{role: emperor}]\ncolour: red\n")

    said = shell.refusal("mapping", "import", str(file), "--connection", connection)

    assert said.count("error: ") == len(said.splitlines()) >= 3


def test_a_mapping_of_another_crm_is_refused(shell: Shell, connection: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("system: salesforce\nfields: {}\n")

    assert "hubspot" in shell.refusal("mapping", "import", "x.yaml", "--connection", connection)


def test_a_pipeline_goes_out_and_comes_back(shell: Shell, account: str, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text("labels: {7: Trial}\n")

    trial = shell.ask("pipeline", "import", str(file), "--dry-run", "--account", account)
    assert trial["pipeline"]["labels"]["7"] == "Trial"
    assert shell.ask("pipeline", "export")["labels"]["7"] == ""

    shell.ask("pipeline", "import", str(file))
    shell.ask("pipeline", "export", str(file))
    assert shell.ask("pipeline", "import", str(file))["pipeline"]["labels"]["7"] == "Trial"


def test_a_dry_run_sees_what_a_mapping_needs(shell: Shell, connection: str, tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("labels: {7: Trial}\n")
    shell.ask("pipeline", "import", "pipeline.yaml")
    document = shell.ask("mapping", "export")
    document["slots"].append({"lifecycle": ["trial"], "slot": 7})
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(document))
    shell.ask("mapping", "import", "mapping.yaml", "--connection", connection)
    (tmp_path / "pipeline.yaml").write_text("labels: {7: ''}\n")

    assert "slot 7" in shell.refusal("pipeline", "import", "pipeline.yaml", "--dry-run")
    assert "slot 7" in shell.refusal("pipeline", "import", "pipeline.yaml")


def test_with_two_of_them_one_has_to_be_named(shell: Shell, twin: Twin, connection: str) -> None:
    assert connection
    shell.account("theirs")

    assert "--account" in shell.refusal("pipeline", "export")
    assert shell.run("mapping", "export").exit_code == 0
    assert twin.url


def test_a_file_that_is_not_there_is_said(shell: Shell, account: str) -> None:
    assert "can't be read" in shell.refusal("pipeline", "import", "no.yaml", "--account", account)
    assert "can't be written" in shell.refusal("pipeline", "export", "no/such/folder.yaml")
    assert "0 connections" in shell.refusal("mapping", "export")
