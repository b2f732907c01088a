"""Answers as JSON text. What `engine.report` made is sent as it is: the schemas document it, tests hold the two together."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse

JSON = "application/json; charset=utf-8"


def answer(data: Any, *, status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(data, ensure_ascii=False, separators=(",", ":")), status=status, content_type=JSON)


def nothing() -> HttpResponse:
    return HttpResponse(status=204)
