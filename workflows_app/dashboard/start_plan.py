"""What will run when the form is sent as it is now: its steps, how long that takes, what is ahead of it, and whom it calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Max

from workflows_app.dashboard import condition_words, start_queue
from workflows_app.dashboard.looks import Look, Moment, listed, look, moment, plural
from workflows_app.dashboard.progress import span
from workflows_app.dialects.params import InvalidParams, accept
from workflows_app.engine.definitions import compiled
from workflows_app.engine.report.usual import usual_of
from workflows_app.graph import expressions, foresight
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.foresight import Foreseen
from workflows_app.models import TemplateVersion, Workflow

Json = Any
MOST_NODES, MOST_CALLS, MOST_HOSTS, LOOKED_BACK = 200, 500, 6, 1_000
LOOKS: Mapping[str, Look] = {
    "runs": Look("completed", "✓", "Runs"),
    "skipped": Look("skipped", "⤼", "Skipped"),
    "unknown": Look("waiting", "?", "Perhaps"),
}


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """`after` names what it needs; `notes` its policies where not every step has them; `why` it may not run."""

    id: str
    name: str
    action: str
    look: Look
    why: str
    after: str
    notes: str


@dataclass(frozen=True, slots=True)
class Same:
    """The latest workflow with the same parameters."""

    uid: str
    look: Look
    at: Moment | None


@dataclass(frozen=True, slots=True)
class Plan:
    """`errors` is what the parameters do not fit, by field."""

    steps: list[PlannedStep]
    counted: str
    unseen: int
    usual: str
    queue: str
    hosts: str
    same: Same | None
    errors: Mapping[str, str]
    is_json: bool = False


def build(version: TemplateVersion, typed: Mapping[str, Json], *, now: datetime) -> Plan:
    definition = compiled(version.definition_id)
    params, errors = _accepted(version, typed)
    seen = foresight.foresee(definition, params)
    shared = [note for note in _notes(definition.nodes[0]) if all(note in _notes(node) for node in definition.nodes)]
    return Plan(
        steps=[_planned(node, seen, params, shared) for node in definition.nodes[:MOST_NODES]],
        counted=_counted(seen, shared),
        unseen=max(0, len(definition.nodes) - MOST_NODES),
        usual=_usual(version),
        queue=start_queue.words(now=now),
        hosts=_hosts(definition, seen, params),
        same=None if errors else _same(version, params, now),
        errors=errors,
    )


def _accepted(version: TemplateVersion, typed: Mapping[str, Json]) -> tuple[Mapping[str, Json], Mapping[str, str]]:
    """What does not fit is shown as it was typed: the rest of the plan stands."""
    try:
        return accept(version.params_schema, typed), {}
    except InvalidParams as error:
        rules = version.params_schema.get("properties", {})
        given = {name: rule["default"] for name, rule in rules.items() if isinstance(rule, Mapping) and "default" in rule}
        return {**given, **typed}, error.errors


def _counted(seen: Mapping[str, Foreseen], shared: list[str]) -> str:
    verdicts = [found.verdict for found in seen.values()]
    told = [plural(len(verdicts), "step")]
    told += [f"{verdicts.count('skipped')} skipped"] if "skipped" in verdicts else []
    told += [f"{verdicts.count('unknown')} perhaps"] if "unknown" in verdicts else []
    told += [f"each {', '.join(shared)}"] if shared and len(verdicts) > 1 else []
    return " · ".join(told)


def _planned(node: Node, seen: Mapping[str, Foreseen], params: Mapping[str, Json], shared: list[str]) -> PlannedStep:
    found = seen[node.id]
    return PlannedStep(
        id=node.id,
        name=node.name if node.name != node.id else "",
        action=node.action,
        look=LOOKS[found.verdict],
        why=_why(node, found, params),
        after=f"after {listed(list(node.needs))}" if node.needs else "at once",
        notes=", ".join(note for note in _notes(node) if note not in shared or len(seen) == 1),
    )


def _why(node: Node, found: Foreseen, params: Mapping[str, Json]) -> str:
    if found.verdict == "skipped":
        if found.because:
            return f"will be skipped, as “{found.because}” does not lead here"
        return f"will be skipped: {condition_words.why_not(node.run_if, foresight.names_of(params))}"
    if found.verdict == "unknown":
        return f"only if {condition_words.words(node.run_if)}" if node.run_if is not None else "shows when the steps above have run"
    return ""


def _notes(node: Node) -> list[str]:
    notes = ["may fail"] if node.on_failure == "continue" else []
    notes += [f"timeout {node.timeout_seconds:g} s"] if node.timeout_seconds else []
    notes += [f"up to {node.retry.retries + 1} tries"] if node.retry.retries else []
    return notes


def _usual(version: TemplateVersion) -> str:
    found = usual_of(version)
    if found is None:
        return "Nobody knows yet how long it takes: fewer than three of this version have completed."
    return f"Usually {span(found.median_seconds)}; 19 of 20 take at most {span(found.p95_seconds)}."


def _hosts(definition: Definition, seen: Mapping[str, Foreseen], params: Mapping[str, Json]) -> str:
    """Those of addresses that are written out, or made of nothing but parameters."""
    asked = [url for node in definition.nodes if seen[node.id].verdict != "skipped" for url in _addresses(node)][:MOST_CALLS]
    found = [_host(url, params) for url in asked]
    known = list(dict.fromkeys(host for host in found if host))
    later = "hosts that show only while it runs" if None in found else ""
    return listed(
        [*known[:MOST_HOSTS], *([plural(len(known) - MOST_HOSTS, "more host")] if len(known) > MOST_HOSTS else []), *filter(None, [later])]
    )


def _addresses(node: Node) -> Iterator[str]:
    for config in (node.config, node.body.config if node.body else {}):
        url = config.get("url")
        if isinstance(url, str):
            yield url


def _host(url: str, params: Mapping[str, Json]) -> str | None:
    """None where only the run can tell."""
    try:
        found = expressions.render(url, {**foresight.names_of(params), "engine": {"url": settings.ENV.base_url}})
        return urlsplit(found).netloc.rpartition("@")[2] or None if isinstance(found, str) else None
    except ValueError:
        return None


def _same(version: TemplateVersion, params: Mapping[str, Json], now: datetime) -> Same | None:
    """Among the latest thousand workflows of all."""
    newest = Workflow.objects.aggregate(last=Max("pk"))["last"] or 0
    rows = Workflow.objects.filter(pk__gt=newest - LOOKED_BACK, template_version__template=version.template_id).order_by("-pk")
    for uid, status, created_at, given in rows.values_list("uid", "status", "created_at", "params"):
        if given == params:
            return Same(str(uid), look(status), moment(created_at, now=now))
    return None
