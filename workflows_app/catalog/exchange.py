"""Templates as YAML text that another installation can take: export and import."""

from __future__ import annotations

import re
from datetime import datetime
from io import StringIO
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from ruamel.yaml import YAML
from ruamel.yaml.representer import SafeRepresenter

from workflows_app.catalog.publish import publish
from workflows_app.catalog.slugs import slug_from
from workflows_app.catalog.templates import find_version
from workflows_app.catalog.validate import validate
from workflows_app.dialects.source import read
from workflows_app.models import TemplateVersion

HEADER_LINE = re.compile(r"# (dialect|slug|version): *(\S+) *")
DEFAULT_DIALECT = "template"
WIDTH = 10_000


def export(*, slug: str) -> str:
    """The current version's source as YAML, after comment lines that say dialect, slug and version. Raises UnknownTemplate."""
    version = find_version(slug)
    header = {"dialect": version.dialect, "slug": slug, "version": version.number}
    return "".join(f"# {key}: {value}\n" for key, value in header.items()) + _as_yaml(_without_header(version.source))


def import_template(
    *, source: str, slug: str = "", dialect: str = "", by: AbstractBaseUser | None = None, now: datetime
) -> TemplateVersion:
    """A new template, or the next version of the one with that slug. What is not given is taken from the comment lines at the top of
    an export; without any, the slug comes from the name. Raises DefinitionError, UnknownDialect, InvalidSlug."""
    said = _header(source)
    dialect = dialect or said.get("dialect", DEFAULT_DIALECT)
    slug = slug or said.get("slug") or slug_from(validate(source, dialect).name)
    return publish(slug=slug, source=source, dialect=dialect, note="Imported", by=by, now=now)


def _header(source: str) -> dict[str, str]:
    """What the comment lines at the very top say."""
    found = {}
    for line in source.splitlines():
        if not (said := HEADER_LINE.fullmatch(line)):
            break
        found[said[1]] = said[2]
    return found


def _without_header(source: str) -> str:
    lines = source.splitlines(keepends=True)
    while lines and HEADER_LINE.fullmatch(lines[0].rstrip("\n")):
        del lines[0]
    return "".join(lines)


def _as_yaml(source: str) -> str:
    """YAML as its author wrote it; JSON in the block style of YAML, keys in their order."""
    if not source.lstrip().startswith("{"):
        return source
    written = StringIO()
    _writer().dump(read(source).value, written)
    return written.getvalue()


class _Representer(SafeRepresenter):
    """Text with line ends or invisible characters in double quotes, where each has an escape: other styles fold some of them."""

    def text(self, value: str) -> Any:
        return self.represent_scalar("tag:yaml.org,2002:str", value, style=None if value.isprintable() else '"')


_Representer.add_representer(str, _Representer.text)


def _writer() -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.allow_unicode, yaml.width = True, WIDTH
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # annotated by its default
    return yaml
