"""The shop's own tasks: one that computes, one that waits, one that must not happen twice."""

from __future__ import annotations

import asyncio
import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from workflows_app.actions.base import Context, Fail, Retry
from workflows_app.actions.tasks import task

Params = dict[str, Any]
PRICES = {"ink": 7.25, "paper": 3.5, "pens": 1.2}


@task
def low_stock(params: Params, context: Context) -> list[dict[str, Any]]:
    """The articles of a CSV text (`article,count`) of which there are fewer than `minimum`. A plain function: it computes."""
    rows = list(csv.DictReader(io.StringIO(params["stock"])))
    low = []
    for number, row in enumerate(rows, start=1):
        if context.cancelled:
            raise Fail(f"Stopped at row {number} of {len(rows)}")
        if int(row["count"]) < params["minimum"]:
            low.append({"article": row["article"], "wanted": params["minimum"] - int(row["count"])})
        context.progress(number / len(rows))
    context.log(f"{len(low)} of {len(rows)} articles are low")
    return low


@task(name="ask_supplier", timeout=30)
async def ask(params: Params, context: Context) -> dict[str, Any]:
    """What an article costs at the supplier's. A coroutine: hundreds of them wait side by side."""
    await asyncio.sleep(params.get("seconds", 0.1))  # a real one would ask over the network
    price = PRICES.get(params["article"])
    if price is None:
        raise Retry(f"The supplier has no price for {params['article']} yet", kind="no_price")
    return {**params, "price": price, "cost": round(price * params["wanted"], 2)}


@task
def place_order(params: Params, context: Context) -> dict[str, Any]:
    """Write an order into the shop's book, once: an attempt after a crash finds what an earlier one wrote."""
    book = Path(params["book"])
    book.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(book)) as database, database:
        database.execute("CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, key TEXT UNIQUE, total REAL)")
        written = database.execute("INSERT OR IGNORE INTO orders (key, total) VALUES (?, ?)", (context.idempotency_key, params["total"]))
        (number,) = database.execute("SELECT number FROM orders WHERE key = ?", (context.idempotency_key,)).fetchone()
    context.log(f"Order {number} {'is placed' if written.rowcount else 'had been placed before'}")
    return {"order": number, "total": params["total"]}
