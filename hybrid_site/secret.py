"""The keys that sign sessions and queue messages and encrypt stored secrets, made at first start."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet


def signing_key() -> str:
    return secrets.token_urlsafe(64)


def fernet_key() -> str:
    """A key for stored secrets (https://github.com/fernet/spec)."""
    return Fernet.generate_key().decode()


def from_file(path: Path, *, make: Callable[[], str] = signing_key) -> str:
    """The key kept in `path` (mode 0600); the first caller writes it, and racing callers all read the same one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _write_once(path, make())
    return path.read_text().strip()


def _write_once(path: Path, key: str) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
