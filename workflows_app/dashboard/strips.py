"""The step strip: one small SVG block per step, or one band per status when there are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from workflows_app.dashboard.looks import LOOKS, SKIPPED, Look
from workflows_app.graph.statuses import Status

MAX_BLOCKS = 60
WIDTH = 168
BLOCK = '<rect class="b-{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>'
SVG = '<svg class="strip" width="{}" height="14" viewBox="0 0 {} 14" role="img" aria-label="{}">{}</svg>'
LOW, TALL = ("2.5", "9"), ("0", "14")
ORDER = [LOOKS[Status.COMPLETED], SKIPPED] + [
    LOOKS[status] for status in (Status.FAILED, Status.STOPPED, Status.RUNNING, Status.PENDING, Status.WAITING_FOR_DEPENDENCY)
]


@dataclass(frozen=True, slots=True)
class Block:
    x: int
    width: int
    css: str
    title: str


@dataclass(frozen=True, slots=True)
class Strip:
    """`label` says the same in words, for those who do not see it. `drawn` is all of it: as a loop in a template the hundreds of blocks
    would cost more than the rest of a list."""

    width: int
    blocks: tuple[Block, ...]
    label: str

    @property
    def drawn(self) -> SafeString:
        sized = ((block, TALL if block.css == LOOKS[Status.FAILED].css else LOW) for block in self.blocks)
        blocks = format_html_join("", BLOCK, ((b.css, b.x, y, b.width, height, b.title) for b, (y, height) in sized))
        return format_html_join("", SVG, [(self.width, self.width, self.label, blocks)])


def of_steps(steps: Sequence[tuple[str, Look]]) -> Strip:
    """One block for each `(step id, look)`, in the author's order."""
    pitch = max(3, min(14, WIDTH // max(1, len(steps))))
    gap = 1 if pitch < 6 else 2
    blocks = tuple(Block(i * pitch, pitch - gap, seen.css, f"{name}: {seen.word}") for i, (name, seen) in enumerate(steps))
    return Strip(pitch * len(steps), blocks, label(Counter(seen for _, seen in steps)))


def of_counts(counts: Mapping[Look, int]) -> Strip:
    """One band for each status, as wide as its share, never narrower than can be seen."""
    present = [(seen, counts[seen]) for seen in ORDER if counts.get(seen)]
    room = WIDTH - 5 * len(present)
    total = sum(n for _, n in present) or 1
    blocks, x = [], 0
    for seen, n in present:
        width = 4 + room * n // total
        blocks.append(Block(x, width, seen.css, f"{n:,} {seen.word.lower()}"))
        x += width + 1
    return Strip(max(x, 1), tuple(blocks), label(counts))


def label(counts: Mapping[Look, int]) -> str:
    return ", ".join(f"{counts[seen]:,} {seen.word.lower()}" for seen in ORDER if counts.get(seen)) or "no steps"
