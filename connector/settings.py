"""The one Settings class: what an operator may set, from the environment or `.env`."""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from cryptography.fernet import Fernet
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connector.domain.errors import ConnectorError
from connector.runtime.folder import make_private, make_socket_folder, read_or_make_keys

PREFIX = "CONNECTOR_"
DATABASE = "connector.db"
KEYS = "secret.keys"
SOCKET_LIMIT = 100  # bytes; macOS takes 104 with the closing zero, Linux 108
PLAIN_POSTGRES = ("postgres://", "postgresql://")


class SettingsRefused(ConnectorError):
    """A setting makes no sense; the message names each one."""


def _database_url(data: dict[str, Any]) -> str:
    return f"sqlite:///{data['data_dir'] / DATABASE}"


def _embedded_url(data: dict[str, Any]) -> str:
    return f"unix://{embedded_socket(data['data_dir'])}?db=0"


def _public_url(data: dict[str, Any]) -> str:
    return f"http://127.0.0.1:{data['port']}"


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def embedded_socket(data_dir: Path) -> Path:
    """Return where the embedded Valkey listens; a short path where the data folder's is long."""
    path = data_dir / "valkey.sock"
    if len(os.fsencode(path)) <= SOCKET_LIMIT:
        return path
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"connector-{os.getuid()}-{name}" / "valkey.sock"


class Settings(BaseSettings):
    """Every setting, with its default; frozen. `load()` also makes the data folder and the keys."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    data_dir: Path = Path("var")
    database_url: str = Field(default_factory=_database_url, repr=False)
    redis_url: str = Field(default_factory=_embedded_url, repr=False)
    secret_keys: SecretStr | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str = Field(default_factory=_public_url)
    web_workers: int = Field(default=2, ge=1, le=64)
    metrics_token: SecretStr | None = None

    hubspot_api_url: str = "https://api.hubapi.com"
    hubspot_api_version: str = "2026-09"
    hubspot_client_id: str | None = None
    hubspot_client_secret: SecretStr | None = None
    hubspot_app_id: int | None = None
    salesforce_login_url: str = "https://login.salesforce.com"
    salesforce_api_version: str = "66.0"
    allow_loopback_crm: bool = False

    brake_per_hour: int = Field(default=500, ge=1)
    reconcile_minutes: int = Field(default=5, ge=0)  # between passes of the poller; 0: none
    reconcile_overlap_minutes: int = Field(default=5, ge=0)  # search lags behind by some of these

    # Days until rows that are done with are deleted; docs/operations.md has the table.
    keep_inbox_days: int = Field(default=7, ge=3)
    keep_outbox_days: int = Field(default=7, ge=3)
    keep_written_days: int = Field(default=30, ge=7)
    keep_audit_days: int = Field(default=730, ge=30)
    keep_parked_days: int = Field(default=90, ge=7)
    keep_journeys_days: int = Field(default=730, ge=30)  # the counts by day stay

    # What leads an unknown visitor into slot 3, how long a reward stays open, and how many events
    # of one type are kept of a visitor and day.
    capture: Literal["identity_conversion", "verified_conversion"] = "identity_conversion"
    reward_days: int = Field(default=14, ge=1)
    events_per_day: int = Field(default=200, ge=1)

    # What the trainer may take; a training that needs more fails, and the model before serves on.
    trainer_memory_mb: int = Field(default=4096, ge=512)

    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)
    ] = "INFO"
    log_format: Annotated[Literal["json", "console"], BeforeValidator(_lower)] = "json"

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _named_driver(cls, value: str) -> str:
        """Name the driver that we ship where a plain PostgreSQL URL leaves it open."""
        for plain in PLAIN_POSTGRES:
            if value.startswith(plain):
                return "postgresql+psycopg://" + value.removeprefix(plain)
        return value

    @field_validator("public_url", "hubspot_api_url", "salesforce_login_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("secret_keys")
    @classmethod
    def _fernet_keys(cls, value: SecretStr | None) -> SecretStr | None:
        for number, key in enumerate(_split(value), start=1):
            try:
                Fernet(key)
            except ValueError as error:
                raise ValueError(f"key {number} is no Fernet key: {error}") from None
        return value

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the secret keys; the first encrypts, all decrypt."""
        return _split(self.secret_keys)

    @property
    def embedded(self) -> bool:
        """Say whether we run our own Valkey."""
        return "redis_url" not in self.model_fields_set

    @property
    def socket(self) -> Path:
        """Return where the embedded Valkey listens."""
        return embedded_socket(self.data_dir)

    @classmethod
    def load(cls) -> Self:
        """Read the settings; make the data folder and, on the first start, the secret keys."""
        try:
            settings = cls()
        except ValidationError as error:
            raise SettingsRefused("; ".join(_faults(error))) from None
        make_private(settings.data_dir)
        if settings.embedded and settings.socket.parent != settings.data_dir:
            make_socket_folder(settings.socket.parent)
        return settings if settings.secret_keys else settings._with_own_keys()

    def _with_own_keys(self) -> Self:
        fresh = not (self.data_dir / DATABASE).exists()  # asked first: keys come before databases
        path = self.data_dir / KEYS
        keys = SecretStr(read_or_make_keys(path, fresh=fresh))
        try:
            self._fernet_keys(keys)
        except ValueError as error:
            raise SettingsRefused(f"{path}: {error}") from None
        settings = self.model_copy(update={"secret_keys": keys})
        # They were made, not set: the Procfile's processes want to know.
        settings.model_fields_set.discard("secret_keys")
        return settings

    def environment(self) -> dict[str, str]:
        """Return what a child process needs to load the same settings."""
        chosen = {name: getattr(self, name) for name in self.model_fields_set | {"data_dir"}}
        return {PREFIX + name.upper(): _text(value) for name, value in chosen.items()}


@cache
def current() -> Settings:
    """Return the settings of this process, read once."""
    return Settings.load()


def missing_for_procfile(settings: Settings) -> list[str]:
    """Name the variables without which the Procfile's processes refuse to start."""
    needed = ("database_url", "redis_url", "secret_keys")
    return [PREFIX + name.upper() for name in needed if name not in settings.model_fields_set]


def _faults(error: ValidationError) -> list[str]:
    return [
        f"{PREFIX}{str(fault['loc'][0]).upper()}: {fault['msg']}"
        for fault in error.errors()
        if fault["type"] != "default_factory_not_called"  # the one it derives from is named
    ]


def _split(keys: SecretStr | None) -> tuple[str, ...]:
    text = keys.get_secret_value() if keys else ""
    return tuple(key.strip() for key in text.split(",") if key.strip())


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return "" if value is None else str(value)
