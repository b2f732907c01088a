"""How the database is reached: SQLite's pragmas; PostgreSQL's timeouts and keepalives, before which a URL's own options go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url

from hybrid_site.env import Env

WAL_BYTES = 64_000_000
SQLITE_PRAGMAS = (
    "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-8000; "
    f"PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit={WAL_BYTES};"  # the first only before the first table
)
KEEPALIVES = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
PREPARE_AFTER = 2
POSTGRES = "hybrid_site.postgresql"


def configured(env: Env, data_dir: Path) -> dict[str, Any]:
    """Django's entry for the one database."""
    if not env.database_url:
        return _sqlite(str(data_dir / "hybrid.sqlite3"))
    parsed: dict[str, Any] = dict(dj_database_url.parse(env.database_url, conn_max_age=None, conn_health_checks=True))
    if parsed["ENGINE"].endswith("sqlite3"):
        return _sqlite(parsed["NAME"])
    engine = POSTGRES if parsed["ENGINE"].endswith("postgresql") else parsed["ENGINE"]
    return parsed | {"ENGINE": engine, "OPTIONS": _postgres_options(env, parsed.get("OPTIONS", {}))}


def prefer_indexes(settings: dict[str, Any]) -> None:
    """For processes that only ask for a few rows by their keys, again and again by prepared statements: a plan that was made while
    a table was small must not read all of it for ever after. Call before they connect."""
    if settings["ENGINE"].endswith("postgresql"):
        settings["OPTIONS"]["options"] += " -c enable_seqscan=off"


def _sqlite(path: str) -> dict[str, Any]:
    options = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": SQLITE_PRAGMAS}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": options, "CONN_MAX_AGE": None}


def _postgres_options(env: Env, given: dict[str, Any]) -> dict[str, Any]:
    """What the URL says wins, also of the server's settings: of two `-c` for one of them the last counts."""
    options = " ".join(part for part in (_server_settings(env), str(given.get("options", ""))) if part)
    own = {"connect_timeout": env.database_connect_timeout, "prepare_threshold": PREPARE_AFTER, **KEEPALIVES}
    chosen = {**own, **given, "options": options}
    return chosen | ({"prepare_threshold": None} if chosen["prepare_threshold"] == "none" else {})


def _server_settings(env: Env) -> str:
    """Sent when a connection begins. The statements are short: compiling them would take longer than running them."""
    values = {
        "statement_timeout": _milliseconds(env.database_statement_timeout),
        "lock_timeout": _milliseconds(env.database_lock_timeout),
        "idle_in_transaction_session_timeout": _milliseconds(env.database_idle_timeout),
        "jit": "off",
    }
    return " ".join(f"-c {name}={value}" for name, value in values.items())


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
