"""Several statements to PostgreSQL and their answers in one exchange, by libpq itself: psycopg's cursors wait, and wake, for each."""

from __future__ import annotations

import re
import select
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from psycopg.adapt import Transformer
from psycopg.errors import OperationalError, error_from_result
from psycopg.pq import ExecStatus, TransactionStatus

Request = tuple[str, Mapping[str, object]]
Row = Sequence[Any]
_PARAMETER = re.compile(r"%\((\w+)\)s")
_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE)
_numbers = count(1)
_prepared: WeakKeyDictionary[Any, dict[bytes, bytes]] = WeakKeyDictionary()


def exchange(driver: Any, requests: Sequence[Request]) -> list[list[Row]]:
    """Execute all in order on a psycopg connection, beginning its transaction when it wants one; the rows of each.
    Raises psycopg's error of the first that fails: those after it were not executed."""
    pgconn = driver.pgconn
    if pgconn.pipeline_status:
        raise RuntimeError("This connection is in a pipeline of psycopg's already")
    is_over = False
    pgconn.enter_pipeline_mode()
    try:
        places = _send(driver, requests)
        answers = list(_results(pgconn))
        is_over = True
    finally:
        if is_over:
            pgconn.exit_pipeline_mode()
        else:
            driver.close()  # nobody knows which answers are still to come
    for answer in answers:
        if answer.status in _FAILED:
            _prepared.pop(driver, None)  # one of these texts may be what it refused
            raise error_from_result(answer, encoding="utf-8")
    return [_rows(driver, answers[place]) for place in places]


def _send(driver: Any, requests: Sequence[Request]) -> list[int]:
    """Where among the answers those of the requests will be: a beginning and a preparation are answered, too."""
    pgconn, places, ahead = driver.pgconn, [], 0
    if not driver.autocommit and driver.info.transaction_status == TransactionStatus.IDLE:
        pgconn.send_query_params(b"BEGIN", None)
        ahead += 1
    for statement, params in requests:
        text, names = _positional(statement)
        values = [_encoded(params[name]) for name in names]
        if driver.prepare_threshold is None:
            pgconn.send_query_params(text, values)
        else:
            ahead += _prepare(driver, text)
            pgconn.send_query_prepared(_prepared[driver][text], values)
        places.append(ahead)
        ahead += 1
    pgconn.pipeline_sync()
    return places


def _prepare(driver: Any, text: bytes) -> bool:
    """Whether it had to be: at its first use on this connection."""
    known = _prepared.setdefault(driver, {})
    if text in known:
        return False
    known[text] = b"engine_%d" % next(_numbers)
    driver.pgconn.send_prepare(known[text], text)
    return True


def _results(pgconn: Any) -> Iterator[Any]:
    """All until the end of the exchange. Sends what is still to be sent meanwhile: the server may wait for us to read."""
    poll = select.poll()
    is_sent = not pgconn.flush()
    poll.register(pgconn.socket, select.POLLIN | (0 if is_sent else select.POLLOUT))
    while True:
        poll.poll()
        pgconn.consume_input()
        if not is_sent and not pgconn.flush():
            is_sent = True
            poll.modify(pgconn.socket, select.POLLIN)
        while not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:  # the end of one statement's answer
                if pgconn.status:
                    raise OperationalError(pgconn.get_error_message())
            elif result.status == ExecStatus.PIPELINE_SYNC:
                return
            else:
                yield result


def _rows(driver: Any, result: Any) -> list[Row]:
    if not result.nfields:
        return []
    reader = Transformer(driver)
    reader.set_pgresult(result)
    rows: list[Row] = reader.load_rows(0, result.ntuples, tuple)
    return rows


@lru_cache(maxsize=512)
def _positional(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """The text with $1, $2, … and the names that these stand for."""
    names = tuple(dict.fromkeys(_PARAMETER.findall(statement)))
    return _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement).encode(), names


def _encoded(value: object) -> bytes | None:
    return None if value is None else str(value).encode()
