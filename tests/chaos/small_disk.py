"""A small disk of its own: in memory, soon full, soon free again."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from tests import with_postgres
from tests.chaos.outages import _turn_to

PIECE = bytes(64 * 1024)


class Disk:
    def __init__(self, place: Path) -> None:
        self.place = place
        self._filler = place / "filler"

    def fill(self) -> None:
        """To the last byte; again, when it was and something was given back."""
        descriptor = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        size = len(PIECE)
        try:
            while size:
                try:
                    os.write(descriptor, PIECE[:size])
                except OSError as error:
                    assert error.errno == errno.ENOSPC
                    size //= 2
        finally:
            os.close(descriptor)

    def stay_full(self, seconds: float) -> None:
        """Whatever is given back meanwhile, such as PostgreSQL's log before a checkpoint, is taken at once."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.fill()
            time.sleep(0.02)

    def free(self) -> None:
        self._filler.unlink()


@contextmanager
def small_disk(megabytes: int) -> Iterator[Disk]:
    """Mounted somewhere until the block ends, for every user; skips the test where nobody may mount."""
    place = Path(tempfile.mkdtemp(prefix="hybrid-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"a file system in memory cannot be mounted here: {done.stderr.strip()}")
        try:
            yield Disk(place)
        finally:
            subprocess.run(["umount", "-l", str(place)], check=True)
    finally:
        place.rmdir()


@contextmanager
def server_on(disk: Disk) -> Iterator[with_postgres.Server]:
    """A PostgreSQL whose data is on this disk, with small pieces of log so that it needs a new one soon; the ORM of this process
    uses it until the block ends."""
    before, programs = dict(connection.settings_dict), with_postgres.binaries()
    assert programs
    directory = Path(tempfile.mkdtemp(dir=disk.place))
    with_postgres._own(directory)
    initdb = [str(programs / "initdb"), "-D", str(directory / "data"), "-U", "hybrid", "-A", "trust", "-E", "UTF8", "--locale=C"]
    with_postgres._call([*initdb, "--no-sync", "--wal-segsize=1"])
    server = with_postgres.Server(programs, directory, ["-c", "min_wal_size=2MB", "-c", "max_wal_size=4MB", "-c", "wal_recycle=off"])
    server.start()
    try:
        address = psycopg.conninfo.conninfo_to_dict(server.url)
        _turn_to(NAME=address["dbname"], USER=address["user"], PASSWORD="", HOST=address["host"], PORT=address["port"])
        call_command("migrate", verbosity=0, interactive=False)
        yield server
    finally:
        _turn_to(**before)
        server.stop()
