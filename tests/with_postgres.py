"""Run a command against a PostgreSQL cluster of its own: `python -m tests.with_postgres pytest tests/engine`."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from tests import tether

ROOT = Path("/usr/lib/postgresql")
OPTIONS = ("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=100", "-c", "log_min_messages=warning", "-c", "fsync=off")


class NoPostgres(RuntimeError):
    """There is no PostgreSQL server on this machine, or it does not start; the message says which."""


def binaries() -> Path | None:
    """The directory of the newest PostgreSQL server's programs, if there is one."""
    found = sorted(ROOT.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


class Server:
    """A cluster on a port of its own, that may be stopped and started again. `options` come after ours: the last counts."""

    def __init__(self, programs: Path, directory: Path, options: Sequence[str] = ()) -> None:
        self._programs, self._directory = programs, directory
        self._port = _free_port()
        self._command = [str(programs / "postgres"), "-D", str(directory / "data"), "-p", str(self._port), "-k", str(directory)]
        self._command += [*OPTIONS, *options]

    @property
    def url(self) -> str:
        return f"postgres://hybrid@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Until it answers. Raises NoPostgres."""
        with (self._directory / "log").open("ab") as log:
            self._process = tether.popen(
                self._command,
                cwd="/",
                stdout=log,
                stderr=log,
                start_new_session=True,
                at_the_end=signal.SIGQUIT,
                **_as_server_user(),
            )
        _wait_until_ready(self._programs, self._process, self._port, self._directory / "log")

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """A fast shutdown, which disconnects the clients; with SIGQUIT it does not even say good-bye."""
        self._process.send_signal(number)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)


@contextmanager
def server(*options: str) -> Iterator[Server]:
    """A new cluster on a free port, running. It is stopped and removed in any case. Raises NoPostgres."""
    programs = binaries()
    if programs is None:
        raise NoPostgres(f"There is no PostgreSQL server under {ROOT} or in PATH: install the package postgresql, or run make test")
    directory = Path(tempfile.mkdtemp(prefix="hybrid-postgres-"))
    try:
        _own(directory)
        _init(programs, directory / "data")
        found = Server(programs, directory, options)
        try:
            found.start()
            yield found
        finally:
            found.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def cluster(*options: str) -> Iterator[str]:
    """A new cluster on a free port; its URL. It is stopped and removed in any case. Raises NoPostgres."""
    with server(*options) as running:
        yield running.url


def database_of_its_own() -> str:
    """What `DATABASE_URL` is for another product than this process: in the cluster of this run a new database, else nothing."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        return ""
    name = f"product_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    return f"{url.rpartition('/')[0]}/{name}"


def _init(programs: Path, data: Path) -> None:
    _call([str(programs / "initdb"), "-D", str(data), "-U", "hybrid", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])


def _wait_until_ready(programs: Path, server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """pg_isready waits by itself for an answer; a refused connection comes back at once."""
    ask = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
    while subprocess.run(ask, check=False).returncode:
        if server.poll() is not None:
            raise NoPostgres(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")


def _own(directory: Path) -> None:
    """PostgreSQL refuses to run as root: then the cluster belongs to the user `postgres`."""
    if os.geteuid() == 0:
        owner = _server_user()
        os.chown(directory, owner.pw_uid, owner.pw_gid)


def _server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres" if os.geteuid() == 0 else getpass.getuser())
    except KeyError:
        raise NoPostgres("PostgreSQL does not run as root and there is no user 'postgres' to run it as") from None


def _as_server_user() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    owner = _server_user()
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _call(command: list[str]) -> None:
    done = subprocess.run(command, cwd="/", check=False, capture_output=True, text=True, **_as_server_user())
    if done.returncode:
        raise NoPostgres(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(command: Sequence[str]) -> int:
    """Run the command with DATABASE_URL set; its exit code (128 + n when signal n ended it)."""
    with cluster() as url:
        child = tether.popen(command, env={**os.environ, "DATABASE_URL": url}, at_the_end=signal.SIGTERM)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: child.send_signal(number))
        code = child.wait()
    return code if code >= 0 else 128 - code


def main(arguments: Sequence[str]) -> int:
    if not arguments:
        print("Usage: python -m tests.with_postgres COMMAND [ARGUMENT...]", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # also before the command runs, clean up
    try:
        return run(arguments)
    except (NoPostgres, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
