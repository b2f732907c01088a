"""The form in which a template's source is edited: refused with its line, or published as a new version."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from workflows_app.catalog.publish import SLUG, InvalidSlug, SlugTaken
from workflows_app.catalog.validate import validate
from workflows_app.graph.problems import DefinitionError
from workflows_app.models import Template, TemplateVersion

EDITOR = forms.Textarea(attrs={"rows": 36, "cols": 110, "spellcheck": "false", "wrap": "off", "class": "source"})
STARTER = """\
name: What it is called
steps:
  - id: first
    action: input
"""


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """`expect_version` is the version the author saw: nobody's work is lost unseen."""

    source = forms.CharField(widget=EDITOR, strip=False, help_text="YAML or JSON in the template dialect.")
    note = forms.CharField(max_length=500, required=False, help_text="Why, for the history.")
    expect_version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    class Meta:
        model = Template
        fields = ["slug"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        version = self.current
        self.initial.setdefault("source", version.source if version else STARTER)
        self.initial.setdefault("expect_version", version.number if version else 0)

    @property
    def current(self) -> TemplateVersion | None:
        template: Template = self.instance
        return template.current

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if not SLUG.fullmatch(slug):
            raise ValidationError(str(InvalidSlug(slug)))
        if Template.objects.published().filter(slug=slug).exists():
            raise ValidationError(str(SlugTaken(slug)))
        return slug

    def clean_source(self) -> str:
        """Line by line, so that each problem can be found in the text."""
        source: str = self.cleaned_data["source"].replace("\r\n", "\n")
        try:
            validate(source, self.current.dialect if self.current else "template")
        except DefinitionError as error:
            raise ValidationError([str(problem) for problem in error.problems]) from None
        return source

    def validate_unique(self) -> None:
        """A withdrawn template's row does not stand in the way: publishing its slug brings it back."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        seen, number = cleaned.get("expect_version"), self.current.number if self.current else 0
        if seen is not None and seen != number:
            raise ValidationError(f"Version {number} was published since you opened version {seen}. Copy your text, reload, and merge.")
        return cleaned
