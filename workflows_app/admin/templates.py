"""Templates: every save publishes a version."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from workflows_app.admin.base import BaseAdmin
from workflows_app.admin.template_form import TemplateForm
from workflows_app.catalog.publish import SlugTaken, VersionConflict, publish
from workflows_app.catalog.withdraw import withdraw
from workflows_app.engine.clock import database_now
from workflows_app.models import Template


@admin.register(Template)
class TemplateAdmin(BaseAdmin):
    """Withdrawn templates do not show; publishing their slug brings them back."""

    form = TemplateForm
    fields = ("slug", "source", "note", "expect_version")
    list_display = ("slug", "name", "version", "is_bundled", "is_edited", "updated_at")
    list_select_related = ("current",)
    search_fields = ("slug", "name")
    ordering = ("slug",)

    @admin.display(description="version", ordering="current__number")
    def version(self, template: Template) -> str:
        return f"v{template.current.number}" if template.current else "–"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        return super().get_queryset(request).filter(deleted_at__isnull=True).select_related("current")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("slug",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Template, form: Any, change: bool) -> None:
        """The row is written by the verb, never by the form."""
        version = publish(
            slug=obj.slug,
            source=form.cleaned_data["source"],
            dialect=form.current.dialect if form.current else "template",
            note=form.cleaned_data["note"],
            by=request.user,  # type: ignore[arg-type]  # the admin is for users only
            now=database_now(),
            expect_version=form.cleaned_data["expect_version"],
        )
        obj.pk = version.template_id
        obj.refresh_from_db()

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Somebody may publish between the form's check and the verb's."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except (SlugTaken, VersionConflict) as error:
            messages.error(request, f"Not saved: {error}.")
            return HttpResponseRedirect(request.get_full_path())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Withdrawing deletes no row, so nothing else goes with it."""
        return [str(template) for template in objs], {"templates": len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Template) -> None:
        withdraw(slug=obj.slug, now=database_now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Template]) -> None:
        for template in queryset:
            withdraw(slug=template.slug, now=database_now())
