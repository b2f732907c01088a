"""Maps, sub-workflows, approvals, events and keyed steps under any sequence of what may happen to them: all of it ends, and no
rule is broken on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.engine import oracle, tasks
from tests.engine.rival import claim_as, registered
from tests.engine.stage import NEVER, PromptDrain, Stage, node
from tests.factories import a_definition, a_template
from workflows_app.engine import admission, answers, control, endings, stopping, subscriptions
from workflows_app.engine.errors import NotAllowed
from workflows_app.engine.recovery import take_back
from workflows_app.engine.trigger import trigger
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.graph.statuses import FINAL
from workflows_app.models import Event, Step, Template, Worker, Workflow

QUICK = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=[Phase.explicit, Phase.generate]
)
ONCE_MORE = RetryPolicy(retries=2, initial_delay=5, jitter=False)


@st.composite
def works(draw: st.DrawFn, id: str) -> Node:
    """A step that is not a map."""
    policy: dict[str, Any] = {"retry": draw(st.sampled_from([NEVER, ONCE_MORE]))}
    if draw(st.booleans()):
        policy |= {"concurrency_key": draw(st.sampled_from("kl")), "concurrency_limit": draw(st.integers(1, 2))}
    action, config = draw(
        st.sampled_from(
            [
                ("echo", {}),
                ("echo_thread", {}),
                ("delay", {"seconds": 30}),
                ("flaky", {"times": 1}),
                ("flaky", {"how": "fail"}),
                ("wait_twice", {}),
                ("approval", {"message": "?"}),
                ("wait_for_event", {}),
                ("sub_workflow", {"template": "part"}),
                ("sub_workflow", {"template": "nested"}),
            ]
        )
    )
    waits = action in ("approval", "wait_for_event", "sub_workflow")
    return Node(id, action, config=config, timeout_seconds=draw(st.sampled_from([None, 45.0])) if waits else None, **policy)


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, 4))):
        id, needs = f"n{number}", tuple(draw(st.sets(st.sampled_from([n.id for n in nodes]), max_size=2))) if nodes else ()
        body = draw(works(id))
        config: Mapping[str, Any] = {
            "items": list(range(draw(st.integers(0, 4)))), "limit": draw(st.integers(0, 2)),
            "failures": draw(st.sampled_from(["fail_fast", "fail_at_end", "tolerate"])),
        }  # fmt: skip
        timeout = draw(st.sampled_from([None, None, 40.0]))
        a_map = Node(id, "map", needs=needs, config=config, body=body, retry=body.retry, timeout_seconds=timeout)
        nodes.append(a_map if draw(st.booleans()) else Node(**{**{k: getattr(body, k) for k in body.__slots__}, "needs": needs}))
    return nodes


@QUICK
@given(
    nodes=graphs(),
    places=st.integers(0, 2),
    verbs=st.lists(st.tuples(st.deferred(lambda: st.sampled_from(sorted(VERBS))), st.integers(0, 10**6)), max_size=20),
)
def test_whatever_happens_to_its_parts_a_workflow_ends(
    stage: Stage, settings: Any, nodes: list[Node], places: int, verbs: list[tuple[str, int]]
) -> None:
    settings.ENV = settings.ENV.model_copy(update={"max_concurrent_workflows": places})
    begin()
    workflows = [stage.start(*nodes), stage.start(*nodes, awaits_trigger=True), stage.start(*nodes)]
    for verb, pick in verbs:
        happen(stage, workflows, verb, pick)
        for each in Workflow.objects.all():
            recount(each)
        assert_turns_are_kept(stage)
    play(stage)
    for each in Workflow.objects.all():
        assert each.status in FINAL, [(s.node_id, s.status, s.waits_for) for s in each.steps.all()]
        oracle.judge(each, retries_from=sum(verb == "retry from" for verb, _ in verbs))
    assert not Step.objects.filter(ended_at__isnull=True).exists()


def begin() -> None:
    tasks.forget()
    Workflow.objects.all().delete()
    Event.objects.all().delete()
    Worker.objects.all().delete()
    if not Template.objects.exists():
        a_template(
            "part", definition=a_definition(node("a", "delay", config={"seconds": 20}), node("b", "flaky", "a", config={"times": 1}))
        )
        inner = node("inner", "sub_workflow", config={"template": "part"})
        a_template("nested", definition=a_definition(inner, node("last", "echo", "inner")))


def happen(stage: Stage, workflows: list[Workflow], verb: str, pick: int) -> None:
    """To one of the workflows, or to a part of one."""
    parts = list(Workflow.objects.filter(parent_step__isnull=False).order_by("id"))
    one = parts[pick // 3 % len(parts)] if parts and pick % 3 == 0 else workflows[pick // 3 % len(workflows)]
    with suppress(NotAllowed):
        VERBS[verb](stage, one, pick)


def drain(stage: Stage, *_: object) -> None:
    PromptDrain(stage.worker).run()


def sweep(stage: Stage, *_: object) -> None:
    admission.admit(now=stage.now)
    endings.sweep(now=stage.now)
    subscriptions.Sweeper().sweep(now=stage.now)


def trigger_it(stage: Stage, workflow: Workflow, _: int) -> None:
    if workflow.awaits_trigger:
        trigger(uid=workflow.uid, now=stage.now)


def retry_from(stage: Stage, workflow: Workflow, pick: int) -> None:
    ids = sorted(workflow.definition.compiled().by_id)
    control.retry(uid=workflow.uid, now=stage.now, from_step=ids[pick % len(ids)])


def approve(stage: Stage, _: Workflow | None, pick: int) -> None:
    waiting = list(Step.objects.filter(waits_for=Step.APPROVAL).order_by("id"))
    if waiting:
        asked = waiting[pick % len(waiting)]
        said = {"approved": pick % 3 > 0, "by": "Ada", "at": None, "data": {}, "reason": ""}
        assert answers.answer(step_id=asked.pk, attempt=asked.attempt, kind=Step.APPROVAL, answer=said, now=stage.now)


def send(stage: Stage, *_: object) -> None:
    subscriptions.deliver(Event.objects.create(payload={"n": 1}, received_at=stage.now), now=stage.now)


def rival_claims(stage: Stage, _: Workflow, pick: int) -> None:
    """Another process takes some steps, and falls silent."""
    claim_as(f"{pick:032}", now=stage.now, slots=1 + pick % 3)


def crash(stage: Stage, workflow: Workflow, pick: int) -> None:
    """It dies, which the kernel tells at once."""
    if not Worker.objects.filter(id=f"{pick:032}").exists():
        registered(f"{pick:032}", now=stage.now)
    rival_claims(stage, workflow, pick)
    take_back(now=stage.now)


def play(stage: Stage) -> None:
    """Everything that waits gets what it waits for, rivals included."""
    for _ in range(400):
        drain(stage)
        sweep(stage)
        for workflow in Workflow.objects.active().filter(awaits_trigger=True):
            trigger_it(stage, workflow, 0)
        take_back(now=stage.now + timedelta(days=1))
        approve(stage, None, 1)
        send(stage)
        if not Workflow.objects.active().exists():
            return
        stage.to_next_timer()


VERBS: Mapping[str, Callable[[Stage, Workflow, int], object]] = {
    "drain": drain,
    "drain again": drain,
    "clock": lambda stage, workflow, pick: stage.to_next_timer(),
    "stop": lambda stage, workflow, pick: control.stop(uid=workflow.uid, now=stage.now),
    "stop and die": lambda stage, workflow, pick: stopping.stop(uid=workflow.uid, now=stage.now),
    "resume": lambda stage, workflow, pick: control.resume(uid=workflow.uid, now=stage.now),
    "retry": lambda stage, workflow, pick: control.retry(uid=workflow.uid, now=stage.now),
    "retry from": retry_from,
    "approve": approve,
    "send": send,
    "rival claims": rival_claims,
    "crash": crash,
    "sweep": sweep,
    "trigger": trigger_it,
}


def recount(workflow: Workflow) -> None:
    """Its counters, and those of its maps: none waits for elements that have ended."""
    if workflow.started_at or workflow.status in FINAL:  # the first steps of one that is held are not active yet
        oracle.recount(workflow)
    for a_map in workflow.steps.filter(waits_for=Step.ELEMENTS):
        still_open = a_map.elements.filter(ended_at__isnull=True).count()
        assert a_map.open_elements == still_open, f"{a_map.node_id} counts {a_map.open_elements}, {still_open} are open"
        is_due = a_map.available_at is not None
        assert still_open or is_due, f"{a_map.node_id} waits for nothing"


def assert_turns_are_kept(stage: Stage) -> None:
    for key in "kl":
        held = Step.objects.filter(concurrency_key=key, lease_expires_at__gt=stage.now).values_list("concurrency_limit", flat=True)
        assert len(held) <= max(held, default=0), f"{len(held)} steps hold the key {key}"
