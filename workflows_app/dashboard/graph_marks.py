"""How each spot of a graph is now: its colour, what stands in it, and the bar of a group or a map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from workflows_app.dashboard import strips
from workflows_app.dashboard.cutting import brief, cleaned, cut
from workflows_app.dashboard.graph_facts import Fact
from workflows_app.dashboard.graph_spots import Spot
from workflows_app.dashboard.looks import LOOKS, SKIPPED, Look
from workflows_app.dashboard.steps_table import Looks
from workflows_app.engine import retry
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.statuses import ACTIVE
from workflows_app.models import Step

BY_CSS: Mapping[str, Look] = {seen.css: seen for seen in (*LOOKS.values(), SKIPPED)}
TELLING = ("failed", "running", "pending", "waiting", "stopped", "completed", "skipped")  # the first of them colours a group
ANSWERS = {Step.APPROVAL: "waits for a decision", Step.EVENT: "waits for an event", Step.WORKFLOW: "waits for a workflow"}
MOST_COLUMNS = 28
NEVER_RAN, NO_FACT = "did not run", Fact(0, None, None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Mark:
    """`lead`, then the time since `since` counting on (`spent` when it was drawn), then `tail`: the line below the name. `words` say it
    all for who points at it."""

    css: str
    lead: str = ""
    since: str = ""
    spent: str = ""
    tail: str = ""
    words: str = ""
    bands: tuple[strips.Block, ...] = ()

    def packed(self) -> str | list[object]:
        """As short as can be: thousands of them travel with every change."""
        if not (self.lead or self.since or self.bands):
            return self.css
        return [self.css, self.lead, self.since, self.tail, self.words, [[band.css, band.x, band.width] for band in self.bands]]


@dataclass(frozen=True, slots=True)
class Known:
    """All that marks are made of; `usual` are seconds by step id."""

    definition: Definition
    looks: Looks
    facts: Mapping[str, Fact]
    now: datetime
    usual: Mapping[str, float]


def mark_of(spot: Spot, known: Known) -> Mark:
    if spot.kind in ("group", "frame"):
        return _group(spot, known)
    node = known.definition.nodes[spot.members[0]]
    css = known.looks[node.id][1].css
    return Mark(css, words=BY_CSS[css].word) if spot.is_inside else _step(node, css, known)


def _group(spot: Spot, known: Known) -> Mark:
    nodes = known.definition.nodes
    return _counted(Counter(known.looks[nodes[member].id][1] for member in spot.members))


def _counted(counts: Mapping[Look, int], *, css: str = "", lead: str = "") -> Mark:
    present = [seen for seen in strips.ORDER if counts.get(seen)]
    telling = css or next(word for word in TELLING if any(seen.css == word for seen in present))
    short = "  ".join(f"{seen.glyph} {counts[seen]:,}" for seen in present)
    return Mark(telling, cut(lead or short, MOST_COLUMNS + 4), words=strips.label(counts), bands=strips.of_counts(counts).blocks)


def _step(node: Node, css: str, known: Known) -> Mark:
    fact = known.facts.get(node.id, NO_FACT)
    if fact.elements:
        return _elements(fact.elements, css)
    attempts = f"{fact.attempt} of {retry.max_attempts(node)} · " if fact.attempt > 1 else ""
    usually = known.usual.get(node.id)
    usual = f" (usual {brief(usually)})" if usually is not None and usually >= 1 else ""
    word = BY_CSS[css].word
    if css == "running":
        began = (fact.claimed_at or fact.started_at or known.now).astimezone(UTC)
        spent = brief((known.now - began).total_seconds())
        tail = _far(fact) or usual
        return Mark(css, attempts, began.isoformat(timespec="milliseconds"), spent, tail, f"{word}{_after(fact, node)}{_far(fact)}{usual}")
    said = cut(f"{attempts}{_said(node, css, fact, known)}{usual if fact.ended_at and fact.attempt else ''}", MOST_COLUMNS)
    return Mark(css, said, words=f"{word}{_after(fact, node)}: {_said(node, css, fact, known)}{usual}")


def _far(fact: Fact) -> str:
    return f" · {int(fact.progress * 100)} %" if isinstance(fact.progress, int | float) else ""


def _after(fact: Fact, node: Node) -> str:
    return f", attempt {fact.attempt} of {retry.max_attempts(node)}" if fact.attempt > 1 else ""


def _elements(counts: Mapping[str, int], css: str) -> Mark:
    still_open = sum(counts.get(word, 0) for word in ("pending", "running", "waiting"))
    total = sum(counts.values())
    failed = f" · ✕ {counts['failed']:,}" if counts.get("failed") else ""
    return _counted({BY_CSS[word]: count for word, count in counts.items()}, css=css, lead=f"{total - still_open:,} of {total:,}{failed}")


def _said(node: Node, css: str, fact: Fact, known: Known) -> str:
    """What one that does not run now has to say."""
    if css == "waiting":
        return _waits(node, fact, known)
    if css == "pending":
        is_later = fact.available_at is not None and fact.available_at > known.now
        return f"{'again' if fact.attempt else 'begins'} at {_clock(fact.available_at)}" if is_later else "ready to begin"
    if fact.started_at and fact.ended_at and fact.attempt:
        return brief((fact.ended_at - fact.started_at).total_seconds())
    return NEVER_RAN


def _waits(node: Node, fact: Fact, known: Known) -> str:
    needed = [need for need in node.needs if known.looks[need][0] in ACTIVE]
    if fact.waits_for in ANSWERS:
        return ANSWERS[fact.waits_for]
    if len(needed) == 1:
        return f"waits for {cleaned(needed[0])}"
    if needed:
        return f"waits for {len(needed):,} steps"
    return f"until {_clock(fact.available_at)}" if fact.available_at else "waits"


def _clock(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC" if moment else ""
