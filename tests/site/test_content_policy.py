"""The Content-Security-Policy of each page."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def policy(path: str) -> dict[str, str]:
    header = Client().get(path)["Content-Security-Policy"]
    return {part.split()[0]: " ".join(part.split()[1:]) for part in header.split("; ")}


@pytest.mark.parametrize("path", ["/workflows", "/workers", "/templates", "/login", "/api/workflows", "/api/health", "/no/such/page"])
def test_pages_are_strict(path: str) -> None:
    found = policy(path)
    assert found["default-src"] == "'self'"
    assert "unsafe" not in str(found)
    assert {found[name] for name in ("base-uri", "object-src", "frame-ancestors")} == {"'none'"}
    assert found["form-action"] == "'self'"


@pytest.mark.parametrize("path", ["/admin/", "/admin/workflows_app/workflow/", "/api/docs", "/v1/docs"])
def test_admin_and_swagger_may_style_inline_and_nothing_more(path: str) -> None:
    found = policy(path)
    assert "'unsafe-inline'" in found["style-src"]
    assert "script-src" not in found and found["default-src"] == "'self'"
    assert "unsafe-eval" not in str(found)


def test_only_swagger_may_draw_from_data_urls() -> None:
    assert policy("/api/docs")["img-src"] == "'self' data:"
    assert "img-src" not in policy("/admin/")


@pytest.mark.parametrize("path", ["/workflows", "/api/health", "/admin/"])
def test_other_protecting_headers_are_set(path: str) -> None:
    response = Client().get(path)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
