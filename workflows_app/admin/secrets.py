"""Secrets: a value is put in and never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from workflows_app.access import secrets
from workflows_app.admin.base import BaseAdmin
from workflows_app.engine.clock import database_now
from workflows_app.models import Secret

HIDDEN = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})


class SecretForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    new_value = forms.CharField(
        label="Value",
        widget=HIDDEN,
        strip=False,
        help_text="It is never shown. One of several lines goes in by `manage.py secrets set NAME`.",
    )

    class Meta:
        model = Secret
        fields = ["name"]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        _refuse(lambda: secrets.check_name(name))
        return name

    def clean_new_value(self) -> str:
        value: str = self.cleaned_data["new_value"]
        _refuse(lambda: secrets.check_value(value))
        return value


def _refuse(check: Any) -> None:
    try:
        check()
    except secrets.InvalidSecret as error:
        raise ValidationError(str(error)) from None


@admin.register(Secret)
class SecretAdmin(BaseAdmin):
    form = SecretForm
    fields = ("name", "new_value")
    list_display = ("name", "created_at", "updated_at")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Secret]:
        """Without the values: a page has no use for them, and one that cannot be decrypted must not hide the others."""
        return super().get_queryset(request).defer("value")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Secret, form: Any, change: bool) -> None:
        """The row is written by the verb, never by the form."""
        secrets.put(name=obj.name, value=form.cleaned_data["new_value"], now=database_now())
        obj.pk = Secret.objects.values_list("pk", flat=True).get(name=obj.name)
