from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from connector.runtime.folder import FolderRefused
from connector.settings import Settings, SettingsRefused, missing_for_procfile

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith("CONNECTOR_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_nothing_has_to_be_set(tmp_path: Path) -> None:
    settings = Settings.load()

    assert settings.data_dir == tmp_path / "var"
    assert settings.database_url == f"sqlite:///{tmp_path}/var/connector.db"
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.hubspot_api_version == "2026-09"
    assert settings.salesforce_api_version == "66.0"
    assert not settings.allow_loopback_crm
    assert settings.embedded
    assert (settings.reconcile_minutes, settings.reconcile_overlap_minutes) == (5, 5)


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("CONNECTOR_PORT=9000\nCONNECTOR_HOST=0.0.0.0\nOTHER=1\n")
    monkeypatch.setenv("CONNECTOR_PORT", "9001")

    settings = Settings.load()

    assert (settings.host, settings.port) == ("0.0.0.0", 9001)  # noqa: S104 - only read
    assert settings.public_url == "http://127.0.0.1:9001"


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_REDIS_URL", "")
    monkeypatch.setenv("CONNECTOR_LOG_LEVEL", "debug")

    settings = Settings.load()

    assert settings.embedded
    assert settings.log_level == "DEBUG"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_plain_postgres_url_gets_the_driver_we_ship(scheme: str) -> None:
    settings = Settings(database_url=f"{scheme}://u:p@h/db")

    assert settings.database_url == "postgresql+psycopg://u:p@h/db"


def test_no_secret_shows_in_a_printed_settings() -> None:
    key = Fernet.generate_key().decode()
    settings = Settings.model_validate(
        {
            "database_url": "postgresql://u:hunter2@h/db",
            "redis_url": "redis://:hunter2@h/0",
            "hubspot_client_secret": "hunter2",
            "secret_keys": key,
        }
    )

    assert "hunter2" not in repr(settings)
    assert key not in repr(settings)


def test_every_fault_is_named_and_no_value_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_PORT", "eighty")
    monkeypatch.setenv("CONNECTOR_SECRET_KEYS", "hunter2")

    with pytest.raises(SettingsRefused) as refused:
        Settings.load()

    assert "CONNECTOR_PORT: " in str(refused.value)
    assert "CONNECTOR_SECRET_KEYS: " in str(refused.value)
    assert "PUBLIC_URL" not in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_the_first_start_makes_a_key_that_stays() -> None:
    first, second = Settings.load(), Settings.load()

    assert first.keys == second.keys
    assert Fernet(first.keys[0])
    assert first.data_dir.stat().st_mode & 0o777 == 0o700
    assert (first.data_dir / "secret.keys").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in first.data_dir.iterdir()] == ["secret.keys"]


def test_keys_that_are_set_are_used_and_none_made(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    monkeypatch.setenv("CONNECTOR_SECRET_KEYS", ", ".join(keys))

    settings = Settings.load()

    assert settings.keys == tuple(keys)
    assert list(settings.data_dir.iterdir()) == []


def test_processes_that_start_at_once_agree_on_the_key() -> None:
    code = "from connector.settings import Settings; print(*Settings.load().keys)"
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
        )
        for _ in range(6)
    ]

    keys = [starter.communicate(timeout=60)[0] for starter in starters]

    assert len(set(keys)) == 1
    assert keys[0].strip()


def test_a_lost_key_file_is_not_replaced_in_silence() -> None:
    settings = Settings.load()
    (settings.data_dir / "connector.db").touch()
    (settings.data_dir / "secret.keys").unlink()

    with pytest.raises(FolderRefused, match="restore the file"):
        Settings.load()


def test_a_spoilt_key_file_is_named() -> None:
    Path("var").mkdir()
    Path("var/secret.keys").write_text("spoilt")

    with pytest.raises(SettingsRefused, match=r"secret\.keys: key 1 is no Fernet key"):
        Settings.load()


def test_a_folder_that_cannot_be_made_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").touch()
    monkeypatch.setenv("CONNECTOR_DATA_DIR", "file/var")

    with pytest.raises(FolderRefused, match="CONNECTOR_DATA_DIR"):
        Settings.load()


def test_only_what_was_set_counts_for_the_procfile(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_for_procfile(Settings.load()) == [
        "CONNECTOR_DATABASE_URL",
        "CONNECTOR_REDIS_URL",
        "CONNECTOR_SECRET_KEYS",
    ]

    monkeypatch.setenv("CONNECTOR_REDIS_URL", "redis://h/0")
    monkeypatch.setenv("CONNECTOR_SECRET_KEYS", Fernet.generate_key().decode())

    assert missing_for_procfile(Settings.load()) == ["CONNECTOR_DATABASE_URL"]


def test_a_child_loads_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONNECTOR_HUBSPOT_CLIENT_SECRET", "s")
    monkeypatch.setenv("CONNECTOR_PORT", "9001")
    parent = Settings.load()

    for name, value in parent.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path.parent)

    assert Settings.load() == parent


def test_a_long_path_gets_a_short_socket_in_a_private_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path.parents[1]))
    monkeypatch.setenv("CONNECTOR_DATA_DIR", str(tmp_path / ("long" * 30)))

    settings = Settings.load()

    assert len(str(settings.socket)) <= 100
    assert settings.redis_url == f"unix://{settings.socket}?db=0"
    assert settings.socket.parent.stat().st_mode & 0o777 == 0o700
    settings.socket.parent.chmod(0o777)
    with pytest.raises(FolderRefused, match="not a private folder"):
        Settings.load()
    settings.socket.parent.rmdir()
