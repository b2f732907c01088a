"""What the pages' tests share."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

HX = {"HX-Request": "true", "HX-Request-Type": "partial"}


class Text(HTMLParser):
    """What a reader sees: the text of a page, its spaces collapsed."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def text_of(response: Any) -> str:
    parser = Text()
    parser.feed(response.content.decode())
    return " ".join(" ".join(parser.parts).split())


@pytest.fixture
def reader(db: None) -> Client:
    """A browser of the local user; local mode signs it in."""
    return Client(headers={"host": "localhost"})
