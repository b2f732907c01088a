"""What a bulk action will do, before it does it: how many of which, and the calls of the API that do the same."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workflows_app.dashboard import snapshot
from workflows_app.dashboard.curl_lines import curl
from workflows_app.dashboard.looks import LOOKS, Look, listed, plural
from workflows_app.engine import many
from workflows_app.graph.statuses import ACTIVE, FINAL, Status
from workflows_app.models import Workflow

TYPED_ABOVE, MOST_LISTED = 10, 20


@dataclass(frozen=True, slots=True)
class Deed:
    """`fits` are the statuses that it is for; `effect` says what becomes of one; `method` and `path` are the API's."""

    word: str
    done: str
    fits: frozenset[Status]
    effect: str
    perform: Callable[..., many.Outcome]
    method: str
    path: str
    is_gentle: bool = False


DEEDS: Mapping[str, Deed] = {
    "stop": Deed(
        "Stop", "Stopped", frozenset(ACTIVE), "Running steps are cancelled and nothing more of them starts. Each can be resumed.",
        many.stop, "POST", "/stop",
    ),
    "retry": Deed(
        "Retry", "Tried again", frozenset({Status.FAILED}),
        "Failed steps run again, and those that did not run because of them; what is done stays done.",
        many.retry, "POST", "/retry", is_gentle=True,
    ),
    "resume": Deed(
        "Resume", "Resumed", frozenset({Status.STOPPED}), "They go on where they stopped.",
        many.resume, "POST", "/resume", is_gentle=True,
    ),
    "delete": Deed(
        "Delete", "Deleted", frozenset(FINAL), "Their steps, attempts, outputs and logs go with them. This cannot be undone.",
        many.delete, "DELETE", "",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    uid: str
    name: str
    look: Look


@dataclass(frozen=True, slots=True)
class Question:
    """`asked` is what is confirmed, signed. `others` says what is selected and not touched. `must_type`: the number, by hand."""

    verb: str
    deed: Deed
    count: int
    noun: str
    named: list[Named]
    more: str
    others: str
    asked: str
    must_type: bool
    back: str
    curl: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Calls:
    """The same as calls of the API, by what they do; those for which there is nothing are left out."""

    calls: list[tuple[str, str]]
    back: str


def question(verb: str, ids: Sequence[int], *, back: str, base_url: str, problem: str = "") -> Question:
    """Only those that the deed is for are asked about."""
    deed, found = DEEDS[verb], _found(ids)
    fit = [workflow for workflow in found if workflow.status in deed.fits]
    rest = [workflow for workflow in found if workflow.status not in deed.fits]
    return Question(
        verb=verb,
        deed=deed,
        count=len(fit),
        noun=plural(len(fit), "workflow"),
        named=[Named(str(w.uid), w.name, LOOKS[Status(w.status)]) for w in fit[:MOST_LISTED]],
        more=f"and {len(fit) - MOST_LISTED:,} more" if len(fit) > MOST_LISTED else "",
        others=_others(rest),
        asked=snapshot.asked(verb, [workflow.pk for workflow in fit]),
        must_type=len(fit) > TYPED_ABOVE,
        back=back,
        curl=_curl(deed, [workflow.uid for workflow in fit], base_url),
        problem=problem,
    )


def calls(ids: Sequence[int], *, back: str, base_url: str) -> Calls:
    found = _found(ids)
    parts = ((deed, [w.uid for w in found if w.status in deed.fits]) for deed in DEEDS.values())
    return Calls([(f"{deed.word} {plural(len(uids), 'workflow')}", _curl(deed, uids, base_url)) for deed, uids in parts if uids], back)


def told(verb: str, outcome: many.Outcome) -> list[tuple[str, str]]:
    """What came of it: `(success or error, words)`."""
    said = [("success", f"{DEEDS[verb].done}: {plural(outcome.done, 'workflow')}.")] if outcome.done else []
    names = _names([id for ids in outcome.refused.values() for id in ids[:3]])
    for reason, ids in outcome.refused.items():
        who = listed([names.get(id, "one that is gone") for id in ids[:3]], limit=3)
        more = f" and {len(ids) - 3:,} more" if len(ids) > 3 else ""
        said.append(("error", f"{len(ids):,} refused ({who}{more}): {reason}."))
    if outcome.unsure is not None:
        name = _names([outcome.unsure]).get(outcome.unsure, "one that is gone")
        said.append(("error", f"Whether it was done to {name} is not certain, because {outcome.broken}: look at it."))
    if outcome.left:
        why = f", because {outcome.broken}" if outcome.broken else ""
        said.append(("error", f"{outcome.left:,} left as they were{why}: do the same again for them."))
    return said


def _found(ids: Sequence[int]) -> list[Workflow]:
    """In the order of the list."""
    by_id = Workflow.objects.only("id", "uid", "name", "status").in_bulk(list(ids))
    return [by_id[id] for id in ids if id in by_id]


def _others(rest: Sequence[Workflow]) -> str:
    if not rest:
        return ""
    words = sorted({LOOKS[Status(workflow.status)].word.lower() for workflow in rest})
    return f"{plural(len(rest), 'other')} of the selected {'is' if len(rest) == 1 else 'are'} {' or '.join(words)} and not touched."


def _names(ids: Sequence[int]) -> Mapping[int, str]:
    return {id: f"{name} {str(uid)[:8]}" for id, name, uid in Workflow.objects.filter(pk__in=ids).values_list("pk", "name", "uid")}


def _curl(deed: Deed, uids: Sequence[uuid.UUID], base_url: str) -> str:
    return "\n".join(curl(f"{base_url}/api/workflows/{uid}{deed.path}", method=deed.method) for uid in uids)
