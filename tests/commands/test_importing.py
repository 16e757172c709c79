"""`connector import journeys` says what it lacks."""

from __future__ import annotations

from pathlib import Path

from tests.commands.conftest import Shell


def test_an_account_without_the_platform_imports_nothing(shell: Shell, tmp_path: Path) -> None:
    account = shell.account()
    path = tmp_path / "history.ndjson"
    path.write_text('{"id": "e1"}\n')

    said = shell.refusal("import", "journeys", str(path), "--account", account)

    assert f"connector connect platform --account {account}" in said
