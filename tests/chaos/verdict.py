"""What a storm came to: every run before the oracle, the recorded attempts against what was really started, the calls that arrived."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db.models import Count

from tests.engine import oracle
from tests.processes.test_kills import started
from workflows_app.models import Attempt, Step, Workflow

Start = list[str]


@dataclass(frozen=True)
class Verdict:
    """`lost` steps did not complete, `twice` were recorded or started twice; `broken` are the rules that do not hold."""

    steps: int
    lost: int
    twice: int
    broken: tuple[str, ...]


def verdict(runs: Sequence[Workflow], place: Path, *, calls: Mapping[str, int] | None = None) -> Verdict:
    """Of runs all of whose steps have to complete. `calls` are those that an outside server saw, by idempotency key."""
    steps = Step.objects.filter(workflow__in=runs)
    attempts = Attempt.objects.filter(step__workflow__in=runs)
    recorded = attempts.filter(outcome="completed").values("step").annotate(times=Count("id")).filter(times__gt=1).count()
    begun = defaultdict[str, list[Start]](list)
    for line in started(place):
        begun[line[0]].append(line)
    doubled = sum(len(_twice(begun[str(run.uid)])) for run in runs)
    broken = [rule for run in runs for rule in _broken(run, begun[str(run.uid)])]
    if calls is not None:
        broken += _uncalled(runs, calls)
    return Verdict(steps.count(), steps.exclude(status="COMPLETED").count(), recorded + doubled, tuple(broken))


def _broken(run: Workflow, begun: Sequence[Start]) -> Iterator[str]:
    try:
        oracle.judge(run)
    except AssertionError as error:
        yield from str(error).splitlines()
    recorded = set(Attempt.objects.filter(step__workflow=run).values_list("step__node_id", "number"))
    yield from (f"{start} was started and is not recorded" for start in {(line[1], int(line[2])) for line in begun} - recorded)
    keys = Counter(step for step, _ in {(line[1], line[4]) for line in begun})
    yield from (f"{step} had {count} idempotency keys" for step, count in keys.items() if count > 1)
    yield from (f"{step.node_id} runs and nobody holds it" for step in run.steps.running())


def _twice(begun: Sequence[Start]) -> list[tuple[str, str]]:
    return [start for start, times in Counter((line[1], line[2]) for line in begun).items() if times > 1]


def _uncalled(runs: Sequence[Workflow], calls: Mapping[str, int]) -> list[str]:
    """At least one call for each step that calls, and one idempotency key for all calls of a step."""
    due = {f"{run.uid}:{node.id}" for run in runs for node in run.definition.compiled().nodes if node.action == "http_call"}
    return [f"{key} was never called" for key in due - calls.keys()] + [f"{key} is no step's" for key in calls.keys() - due]
