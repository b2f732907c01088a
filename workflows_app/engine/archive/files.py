"""The files of an archive, opened from its directories' descriptors: no name leads out of them and no link is followed."""

from __future__ import annotations

import os
import secrets
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

STATE, DEFINITION = "state.json", "definition.json"
MAX_STATE_BYTES, MAX_DEFINITION_BYTES = 32_000_000, 10_000_000
MAX_SHOWN = 300
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe without a writer would hold a plain open up
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Unfit(ValueError):
    """Something in an archive is not what it should be; the message names the file, the field if there is one, and what is wrong.
    It is one line that a terminal can show, whatever stands in the file."""

    def __init__(self, file: str, message: str, *, field: str = "") -> None:
        super().__init__(": ".join(_shown(part) for part in (file, field, message) if part))


def _shown(text: str) -> str:
    plain = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text[:MAX_SHOWN])
    return f"{plain}…" if len(text) > MAX_SHOWN else plain


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """The archive itself, by the path that the operator gave."""
    descriptor = os.open(path, _DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def names(archive: int) -> list[str]:
    """What stands in it under a UUID, in order; everything else in the directory is somebody else's."""
    return sorted(name for name in os.listdir(archive) if _is_uuid(name))


def _is_uuid(name: str) -> bool:
    with suppress(ValueError):
        return str(uuid.UUID(name)) == name
    return False


@contextmanager
def inside(archive: int, name: str) -> Iterator[int]:
    """The directory of one workflow. Raises Unfit."""
    try:
        descriptor = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=archive)
    except (FileNotFoundError, NotADirectoryError):
        raise Unfit(name, "is no directory (links are not followed)") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def made(archive: int, name: str) -> Iterator[int]:
    """The same, made if nothing has this name. Raises Unfit."""
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=archive)
        os.fsync(archive)
    with inside(archive, name) as descriptor:
        yield descriptor


def read(directory: int, name: str, *, most: int) -> bytes | None:
    """The whole file; None when there is none. Raises Unfit when it is larger than `most`, a link or no regular file."""
    descriptor = _descriptor(directory, name)
    if descriptor is None:
        return None
    with open(descriptor, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Unfit(name, f"is larger than {most:,} bytes, the most that is read")
    return data


def head(directory: int, name: str, *, size: int) -> bytes | None:
    """How the file begins; None when there is none. Raises Unfit."""
    descriptor = _descriptor(directory, name)
    if descriptor is None:
        return None
    with open(descriptor, "rb") as file:
        return file.read(size)


def _descriptor(directory: int, name: str) -> int | None:
    try:
        descriptor = os.open(name, _READ, dir_fd=directory)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unfit(name, f"cannot be read ({error.strerror}; links are not followed)") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unfit(name, "is no regular file")
    return descriptor


def write(directory: int, name: str, data: bytes) -> None:
    """Put the file there whole, in place of an earlier one: a crash leaves the earlier one, or this one on the disk."""
    temporary = f".{name}.{secrets.token_hex(8)}"
    try:
        with open(os.open(temporary, _NEW, 0o600, dir_fd=directory), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=directory)
        raise
    os.fsync(directory)
