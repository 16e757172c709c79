"""A backup's file: frames of compressed lines behind a header, and a digest over all at the end.

Whoever reads it reads it to the end first: a file that was cut off or altered is refused before
anything of it is believed. With a passphrase each frame is encrypted and authenticated as well.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from connector.domain.errors import ConnectorError
from connector.runtime.folder import sync_folder

MAGIC = b"breadbutter backup 1\n"
FRAME = 1024 * 1024  # bytes of lines in a frame, before compression
MOST = 64 * 1024 * 1024  # bytes of a frame that can be true
_LENGTH = struct.Struct(">I")
_SCRYPT = {"n": 2**15, "r": 8, "p": 1}
_READ = 1024 * 1024

Code = Callable[[bytes], bytes]


class BackupRefused(ConnectorError):
    """A file can't be written or read as a backup."""


@contextmanager
def kept_whole(path: Path, *, overwrite: bool) -> Iterator[IO[bytes]]:
    """Open a file that appears under its name when it is complete and on disk, or not at all."""
    if path.exists() and not overwrite:
        advice = "choose another name, or give --overwrite"
        raise BackupRefused(f"{path} is there already", advice=advice)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _publish(draft, path, overwrite=overwrite)
    except OSError as error:
        raise BackupRefused(f"{path} can't be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path, *, overwrite: bool) -> None:
    if overwrite:
        draft.replace(path)
    else:
        path.hardlink_to(draft)  # never over one that came meanwhile
    sync_folder(path.parent)


def write(file: IO[bytes], lines: Iterable[Any], passphrase: str | None) -> None:
    """Write values, each a line of JSON."""
    digest = hashlib.sha256()

    def put(piece: bytes) -> None:
        digest.update(piece)
        file.write(piece)

    salt = secrets.token_bytes(16) if passphrase else b""
    head = {"scrypt": {**_SCRYPT, "salt": base64.b64encode(salt).decode()}} if salt else {}
    put(MAGIC)
    put(json.dumps(head).encode() + b"\n")
    lock: Code = _box(passphrase, salt, _SCRYPT).encrypt if passphrase else bytes
    for number, frame in enumerate(_frames(lines)):
        sealed = lock(zlib.compress(_LENGTH.pack(number) + frame, 6))
        put(_LENGTH.pack(len(sealed)) + sealed)
    put(_LENGTH.pack(0))
    file.write(digest.digest())


def read(path: Path, passphrase: str | None) -> Iterator[Any]:
    """Return the values of a file that `check` has found whole, one after the other."""
    try:
        with path.open("rb") as file:
            unlock = _opened(file, passphrase)
            for number, sealed in enumerate(_sealed(file)):
                yield from _lines(path, unlock, sealed, number)
    except OSError as error:
        raise BackupRefused(f"{path} can't be read: {error.strerror or error}") from error


def check(path: Path) -> None:
    """Refuse a file that is no backup, was cut off or altered."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise BackupRefused(f"{path} is no backup of this product")
            digest = hashlib.sha256(MAGIC)
            left = size - len(MAGIC) - digest.digest_size
            while left > 0 and (piece := file.read(min(left, _READ))):
                digest.update(piece)
                left -= len(piece)
            whole = left == 0 and file.read() == digest.digest()
    except OSError as error:
        raise BackupRefused(f"{path} can't be read: {error.strerror or error}") from error
    if not whole:
        raise BackupRefused(f"{path} was cut off or altered", advice="use another backup")


def _frames(lines: Iterable[Any]) -> Iterator[bytes]:
    frame = bytearray()
    for line in lines:
        frame += json.dumps(line, separators=(",", ":"), default=_bytes).encode() + b"\n"
        if len(frame) >= FRAME:
            yield bytes(frame)
            frame.clear()
    if frame:
        yield bytes(frame)


def _opened(file: IO[bytes], passphrase: str | None) -> Code:
    """Read the header; return how a frame is opened."""
    file.read(len(MAGIC))
    kept = json.loads(file.readline()).get("scrypt")
    if kept is None:
        return bytes
    if not passphrase:
        raise BackupRefused("the backup is encrypted", advice="give its passphrase: --passphrase -")
    salt = base64.b64decode(kept.pop("salt"))
    if kept != _SCRYPT:
        raise BackupRefused("the backup's key was made in a way that is not known here")
    return _box(passphrase, salt, kept).decrypt


def _box(passphrase: str, salt: bytes, cost: dict[str, int]) -> Fernet:
    key = Scrypt(salt=salt, length=32, **cost).derive(passphrase.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def _sealed(file: IO[bytes]) -> Iterator[bytes]:
    while length := _LENGTH.unpack(file.read(_LENGTH.size))[0]:
        yield file.read(min(length, MOST))


def _lines(path: Path, unlock: Code, sealed: bytes, number: int) -> Iterator[Any]:
    try:
        frame = zlib.decompress(unlock(sealed))
    except InvalidToken as error:
        raise BackupRefused(f"{path}: the passphrase is not the right one") from error
    except zlib.error as error:
        raise BackupRefused(f"{path} was altered") from error
    if _LENGTH.unpack(frame[: _LENGTH.size])[0] != number:
        raise BackupRefused(f"{path} was altered: its parts are out of order")
    for line in frame[_LENGTH.size :].splitlines():
        yield json.loads(line, object_hook=_from_bytes)


def _bytes(value: object) -> dict[str, str]:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": base64.b64encode(bytes(value)).decode()}
    raise TypeError(type(value).__name__)


def _from_bytes(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["bytes"]) if value.keys() == {"bytes"} else value
