"""API tokens: to look at and to revoke. They are made by `manage.py create_token`, which shows them once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from workflows_app.admin.base import BaseAdmin
from workflows_app.models import ApiToken


@admin.register(ApiToken)
class ApiTokenAdmin(BaseAdmin):
    list_display = ("name", "prefix", "user", "created_at", "expires_at", "last_used_at")
    list_select_related = ("user",)
    exclude = ("digest",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
