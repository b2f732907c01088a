"""Pages that show rows and change nothing: what ran is changed by verbs only."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from workflows_app.admin.base import BaseAdmin


class ReadOnly(BaseAdmin):
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
