"""The key that signs sessions and queue messages, made at first start."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def from_file(path: Path) -> str:
    """The key kept in `path` (mode 0600); the first caller writes it, and racing callers all read the same one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _write_once(path)
    return path.read_text().strip()


def _write_once(path: Path) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(64))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
