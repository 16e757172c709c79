"""The data folder: private to its owner, the secret keys in it, one supervisor at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from connector.domain.errors import ConnectorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PRIVATE = 0o700


class FolderRefused(ConnectorError):
    """The data folder can't be used as it is."""


class AlreadyUp(ConnectorError):
    """Another supervisor works on this data folder."""

    advice = "stop it first, or set CONNECTOR_DATA_DIR to another folder"


def make_private(path: Path) -> None:
    """Make a folder that only its owner can enter; refuse one that belongs to someone else."""
    with _explained(path):
        path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    if path.stat().st_uid not in (os.getuid(), 0):
        raise FolderRefused(
            f"{path} belongs to another user",
            advice="set CONNECTOR_DATA_DIR to a folder of your own",
        )


def make_socket_folder(path: Path) -> None:
    """Make the folder of a socket in a shared place: whoever may write there could pose as us."""
    with _explained(path):
        path.mkdir(mode=PRIVATE, exist_ok=True)
    found = path.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    if not ours or stat.S_IMODE(found.st_mode) & 0o077:
        raise FolderRefused(
            f"{path} is not a private folder of ours",
            advice="remove it, or set CONNECTOR_DATA_DIR to a shorter path",
        )


def read_or_make_keys(path: Path, *, fresh: bool) -> str:
    """Return the secret keys in a file; make the file on the first start, once for all starters.

    `fresh` says that nothing was encrypted yet: else a lost file must not be replaced silently.
    """
    with _explained(path):
        if not path.exists():
            if not fresh:
                raise FolderRefused(
                    f"{path} is missing, but the database beside it is there",
                    advice="restore the file from your backup or set CONNECTOR_SECRET_KEYS",
                )
            _make_keys(path)
        return path.read_text(encoding="ascii").strip().replace("\n", ",")


def add_keys(path: Path, keys: Iterable[str]) -> None:
    """Put keys in front of those in a file: what they lock can be read, what was can be still."""
    with _explained(path):
        old = path.read_text(encoding="ascii").split() if path.exists() else []
        whole = "\n".join(dict.fromkeys([*keys, *old])) + "\n"
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            _write_durably(draft, whole.encode("ascii"))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(path.parent)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a data folder; the kernel lets go of it when this process ends, however it ends."""
    with (folder / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "?"
            raise AlreadyUp(f"{folder} is in use by process {holder}") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _make_keys(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        _write_durably(draft, Fernet.generate_key() + b"\n")
        # A hard link appears whole or not at all, and never over one that is there.
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # another process was first: its keys are everyone's
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def _write_durably(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Have the names in a folder on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FolderRefused(
            f"{path} can't be used: {error.strerror or error}",
            advice="make it writable, or set CONNECTOR_DATA_DIR",
        ) from error
