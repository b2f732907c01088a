"""The one class behind every page of the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class BaseAdmin(ModelAdmin):
    """Counting a million rows to write "1,000,000 results" is not worth the wait."""

    show_full_result_count = False
