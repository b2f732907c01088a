"""Finding templates by slug."""

from __future__ import annotations

from workflows_app.graph.names import did_you_mean
from workflows_app.models import Template, TemplateVersion


class UnknownTemplate(LookupError):
    """There is no such template, or no such version of it."""

    def __init__(self, slug: str, version: int | None = None) -> None:
        self.slug = slug
        if version is None:
            known = Template.objects.published().values_list("slug", flat=True)[:1000]
            super().__init__(f"Template '{slug}' not found{did_you_mean(slug, known)}")
        else:
            super().__init__(f"Template '{slug}' has no version {version}")


def find(slug: str) -> Template:
    """The published template with its current version and definition. Raises UnknownTemplate."""
    template = Template.objects.published().select_related("current__definition").filter(slug=slug).first()
    if template is None:
        raise UnknownTemplate(slug)
    return template


def find_version(slug: str, number: int | None = None) -> TemplateVersion:
    """That version of a published template, or the current one. Raises UnknownTemplate."""
    template = find(slug)
    if number is None:
        number = template.current.number if template.current else 0
    version = template.versions.select_related("template", "definition").filter(number=number).first()
    if version is None:
        raise UnknownTemplate(slug, number)
    return version
