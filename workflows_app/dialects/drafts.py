"""From what an author wrote about one step, in any dialect, to the node of the graph."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from workflows_app.dialects.misfits import describe
from workflows_app.dialects.template_model import BodyModel, Policies, Running
from workflows_app.graph.definition import PRIORITIES, Node, RetryPolicy
from workflows_app.graph.names import did_you_mean
from workflows_app.graph.problems import MAX_PROBLEMS, Problem
from workflows_app.graph.shapes import ActionShape
from workflows_app.graph.validation import BRANCH, TEMPLATE
from workflows_app.graph.words import Words, joined

Json = Any


@dataclass(frozen=True, slots=True)
class Draft:
    """One step as written. `place` is the path to it; `policies` hold what it says itself, the defaults fill in the rest."""

    place: str
    id: str
    action: str
    policies: Policies
    name: str = ""
    needs: Sequence[str] = ()
    config: Mapping[str, Json] = field(default_factory=dict)
    run_if: Json = None


class Builder:
    """Makes nodes of drafts; `problems` collects what is wrong with actions, their configuration and the bodies of maps."""

    def __init__(self, words: Words, actions: Mapping[str, ActionShape], defaults: Policies) -> None:
        self.words, self.actions, self.defaults = words, actions, defaults
        self.problems: list[Problem] = []

    def node(self, draft: Draft) -> Node:
        shape = self.actions.get(draft.action)
        key = shape.body_key if shape else ""
        config = {name: value for name, value in draft.config.items() if name != key or not key}
        node = Node(
            id=draft.id,
            action=draft.action,
            name=draft.name,
            needs=tuple(draft.needs),
            config=shape.prepared(config) if shape else config,
            run_if=draft.run_if,
            trigger_rule=_chosen(draft.policies, self.defaults, "trigger_rule"),
            body=self._body(draft, key) if key else None,
            **_running(draft.policies, self.defaults, shape),
        )
        if len(self.problems) < MAX_PROBLEMS:
            self.problems += _action_problems(node, draft.place, self.words, self.actions)
        return node

    def _body(self, draft: Draft, key: str) -> Node | None:
        place, written = joined(draft.place, self.words.config, key), draft.config.get(key)
        if key not in draft.config:
            self.problems.append(Problem(f"'{key}' is missing: the step to do for each element", path=place, node=draft.id))
            return None
        try:
            model = BodyModel.model_validate(written)
        except ValidationError as error:
            misfits = describe(BodyModel, error, written)
            self.problems += [Problem(misfit.message, path=joined(place, misfit.path), node=draft.id) for misfit in misfits]
            return None
        shape = self.actions.get(model.action)
        node = Node(
            id=draft.id,
            action=model.action,
            name=model.name,
            config=shape.prepared(model.config) if shape else model.config,
            run_if=model.run_if,
            **_running(model, self.defaults, shape),
        )
        self.problems += self._nesting(node, place) or _action_problems(node, place, TEMPLATE, self.actions)
        return node

    def _nesting(self, body: Node, place: str) -> list[Problem]:
        shape = self.actions.get(body.action)
        if body.action != BRANCH and not (shape and shape.body_key):
            return []
        message = f"'{body.action}' cannot be done for each element: put it into a template of its own and start that by 'sub_workflow'"
        return [Problem(message, path=joined(place, "action"), node=body.id)]


def without_unknown(config: Mapping[str, Json], keys: Collection[str], shape: ActionShape | None) -> dict[str, Json]:
    """The configuration without those of `keys` that the action does not take: a dialect or an editor put them there for itself."""
    given = [key for key in keys if key in config]
    refused = {path for path, _ in shape.check(config)} if given and shape else set()
    return {key: value for key, value in config.items() if key not in given or key not in refused}


def _action_problems(node: Node, place: str, words: Words, actions: Mapping[str, ActionShape]) -> Iterator[Problem]:
    shape = actions.get(node.action)
    if shape is None:
        hint = f"{did_you_mean(node.action, actions)}; there are: {', '.join(sorted(actions))}"
        yield Problem(f"there is no {words.kind} '{node.action}'{hint}", path=joined(place, words.action), node=node.id)
        return
    for path, message in shape.check(node.config):
        yield Problem(message, path=joined(place, words.config, path), node=node.id)


def _running(own: Running, defaults: Running, shape: ActionShape | None) -> dict[str, Any]:
    """The policies that a step and the body of a map have in common, as fields of a node. A default timeout is for steps that run,
    not for those that wait for a person, an event or other steps."""
    concurrency = _chosen(own, defaults, "concurrency")
    return {
        "timeout_seconds": own.timeout if shape and shape.waits else _chosen(own, defaults, "timeout"),
        "retry": _retry(own, defaults),
        "priority": PRIORITIES[_chosen(own, defaults, "priority")],
        "on_failure": _chosen(own, defaults, "on_failure"),
        "concurrency_key": concurrency.key if concurrency else "",
        "concurrency_limit": concurrency.limit if concurrency else 0,
    }


def _retry(own: Running, defaults: Running) -> RetryPolicy:
    chosen = {key: _chosen(own.retry, defaults.retry, key) for key in type(own.retry).model_fields}
    kinds = chosen.pop("on")
    return RetryPolicy(retries=_chosen(own, defaults, "retries"), on=None if kinds is None else tuple(map(str, kinds)), **chosen)


def _chosen(own: Any, defaults: Any, key: str) -> Any:
    """What the step says itself, or else the default."""
    return getattr(own if key in own.model_fields_set else defaults, key)
