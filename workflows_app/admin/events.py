"""Events, to look at; the sources whose webhooks are taken."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from workflows_app.access import event_sources
from workflows_app.admin.base import BaseAdmin
from workflows_app.admin.read_only import ReadOnly
from workflows_app.admin.secrets import HIDDEN
from workflows_app.engine.clock import database_now
from workflows_app.models import Event, EventSource


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ("received_at", "source", "idempotency_key", "started", "is_delivered", "uid")
    search_fields = ("=source", "=idempotency_key", "uid__startswith")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return super().get_queryset(request).select_related("received_by")

    @admin.display(description="started")
    def started(self, event: Event) -> str:
        return ", ".join(match["template"] for match in event.matches if match["workflowId"]) or "–"


class EventSourceForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    given = forms.CharField(
        label="Signing secret", widget=HIDDEN, required=False,
        help_text="The one that the sender gave (`whsec_…`). Empty: a new source gets one made here, shown once; another keeps its own.",
    )  # fmt: skip
    make_new = forms.BooleanField(
        label="Make a new secret", required=False, help_text="It is shown once, and the old one is worth nothing."
    )

    class Meta:
        model = EventSource
        fields = ["name", "is_active"]

    def clean_given(self) -> str:
        given: str = self.cleaned_data["given"]
        try:
            if given:
                event_sources.check_secret(given)
        except event_sources.InvalidSource as error:
            raise ValidationError(str(error)) from None
        return given


@admin.register(EventSource)
class EventSourceAdmin(BaseAdmin):
    form = EventSourceForm
    list_display = ("name", "is_active", "created_at")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventSource]:
        return super().get_queryset(request).defer("signing_secret")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name", "is_active", "given", "make_new") if obj else ("name", "is_active", "given")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name",) if obj else ()

    def save_model(self, request: HttpRequest, obj: EventSource, form: Any, change: bool) -> None:
        """The secret is written by the verb, never by the form; one that was made here is told this once."""
        given, now = form.cleaned_data["given"], database_now()
        if change:
            made = event_sources.change(source=obj, secret=given, make_new=form.cleaned_data["make_new"])
        else:
            source = event_sources.create(name=obj.name, secret=given, is_active=obj.is_active, now=now)
            obj.pk, made = source.row.pk, "" if given else source.secret
        if made:
            messages.warning(request, f"The signing secret of {obj.name} is {made} and is not shown again.")
