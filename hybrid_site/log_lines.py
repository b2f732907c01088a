"""What a refused request and an outage of the database leave in the log."""

from __future__ import annotations

import logging

from hybrid_site.failures import chain, is_database_away


class RefusalInOneLine(logging.Filter):
    """Drops the traceback of a request that Django refused (a foreign Host, a forged session): it shows our code, which is right."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True


class OutageInOneLine(logging.Filter):
    """While a server is away, every request and every look of a worker fails: one line each says why, where a traceback would say
    a hundred times where. A statement that took too long keeps its traceback, and so does whatever SQLite says."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if is_database_away(error) and _is_about_the_connection(error):
            record.msg = f"{record.getMessage()}: {' '.join(str(error).split())}"
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


def _is_about_the_connection(error: BaseException | None) -> bool:
    """PostgreSQL's classes 08 (connection) and 57P (shutdown), or none at all: nobody answered."""
    codes = [found.sqlstate for found in chain(error) if hasattr(found, "sqlstate")]
    return bool(codes) and all(code is None or code.startswith(("08", "57P")) for code in codes)
