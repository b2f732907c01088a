"""Invented orders, the same ones every time: page 3 today is page 3 tomorrow."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

TOTAL = 60
MAX_PAGE_SIZE = 100
FIRST_PLACED = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
REGIONS = ("EU", "US", "APAC")
CUSTOMERS = ("Aster Books", "Birch & Sons", "Cobalt Cycles", "Dune Coffee", "Ember Lighting", "Fjord Outdoor", "Grove Pharmacy")
ARTICLES = {"A-100": 12.5, "A-220": 49.0, "B-310": 8.75, "C-415": 119.0, "C-960": 249.9, "D-505": 3.2}


def page(number: int, size: int) -> dict[str, Any]:
    """`{"page", "pages", "total", "orders"}`; behind the last page `orders` is empty."""
    first = (number - 1) * size
    orders = [order(index) for index in range(first, min(first + size, TOTAL))]
    return {"page": number, "pages": -(-TOTAL // size), "total": TOTAL, "orders": orders}


def order(index: int) -> dict[str, Any]:
    chance = random.Random(index)
    lines = [_line(chance) for _ in range(chance.randint(1, 4))]
    return {
        "id": f"ORD-{10_000 + index}",
        "customer": chance.choice(CUSTOMERS),
        "region": chance.choice(REGIONS),
        "status": chance.choices(("paid", "shipped", "cancelled"), weights=(5, 4, 1))[0],
        "placed_at": (FIRST_PLACED + timedelta(minutes=37 * index)).isoformat(),
        "lines": lines,
        "total": round(sum(line["quantity"] * line["price"] for line in lines), 2),
    }


def _line(chance: random.Random) -> dict[str, Any]:
    article, price = chance.choice(list(ARTICLES.items()))
    return {"article": article, "quantity": chance.randint(1, 6), "price": price}
