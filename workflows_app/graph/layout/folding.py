"""Which steps of a large graph become one box: siblings, then chains, then levels, until few enough are left."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from workflows_app.graph.layout.shapes import Folding, Item, Join, Kind, Needs

MOST_ITEMS = 300
MOST_JOINS = 900
MOST_MEMBERS = 2_500  # of one group, and of all that are open
FEWEST_SIBLINGS = 3
CHAIN_PIECES = 20
SHORTEST_PIECE = 25
MOST_BANDS = 40


@dataclass(frozen=True)
class _Draft:
    """Items so far, and which of them each step belongs to."""

    items: tuple[Item, ...]
    of_step: Sequence[int]
    needs: Needs

    @cached_property
    def joins(self) -> Counter[tuple[int, int]]:
        """How many dependencies lead from one item to another."""
        pairs = ((self.of_step[need], self.of_step[step]) for step, needs in enumerate(self.needs) for need in set(needs))
        return Counter(pair for pair in pairs if pair[0] != pair[1])

    def is_small(self, most: int) -> bool:
        return len(self.items) <= most and len(self.joins) <= MOST_JOINS


def fold(needs: Needs, actions: Sequence[str], *, opened: Collection[int] = (), most: int = MOST_ITEMS) -> Folding:
    """`needs` are positions of steps, `actions` names of what each does: only steps that do the same become siblings. `opened` are the
    numbers of groups to open; those beyond MOST_MEMBERS steps stay closed."""
    draft = _drawn(needs, [(Item("step", (step,))) for step in range(len(needs))])
    before = 0
    while not draft.is_small(most) and len(draft.items) != before:
        before = len(draft.items)
        for merge in (_siblings, _chains):
            if not draft.is_small(most):
                draft = _drawn(needs, list(merge(draft, actions)))
    if not draft.is_small(most):
        draft = _drawn(needs, list(_levels(draft, most)))
    joins = tuple(Join(tail, head, count) for (tail, head), count in sorted(draft.joins.items()))
    return Folding(_opened(draft.items, opened), joins)


def _drawn(needs: Needs, items: list[Item]) -> _Draft:
    """In the order of their first steps."""
    items.sort(key=lambda item: item.number)
    of_step = [0] * len(needs)
    for index, item in enumerate(items):
        for step in item.members:
            of_step[step] = index
    return _Draft(tuple(items), of_step, needs)


def _links(draft: _Draft) -> tuple[Mapping[int, list[int]], Mapping[int, list[int]]]:
    """What each item needs, and what needs it."""
    before: dict[int, list[int]] = defaultdict(list)
    after: dict[int, list[int]] = defaultdict(list)
    for tail, head in sorted(draft.joins):
        after[tail].append(head)
        before[head].append(tail)
    return before, after


def _merged(kind: Kind, items: Sequence[Item]) -> Item:
    return items[0] if len(items) == 1 else Item(kind, tuple(step for item in items for step in item.members))


def _siblings(draft: _Draft, actions: Sequence[str]) -> Iterator[Item]:
    """Those with the same needs and the same successors that do the same."""
    before, after = _links(draft)
    alike: dict[object, list[Item]] = defaultdict(list)
    for index, item in enumerate(draft.items):
        does = tuple(actions[step] for step in item.members)
        alike[(item.kind, does, tuple(before[index]), tuple(after[index]))].append(item)
    for items in alike.values():
        if len(items) < FEWEST_SIBLINGS:
            yield from items
        else:
            yield from _cut("siblings", items)


def _cut(kind: Kind, items: Sequence[Item]) -> Iterator[Item]:
    """Groups of at most MOST_MEMBERS steps, as equal as can be."""
    steps = sum(len(item.members) for item in items)
    pieces = -(-steps // MOST_MEMBERS)
    size = -(-len(items) // pieces)
    for start in range(0, len(items), size):
        yield _merged(kind, items[start : start + size])


def _chains(draft: _Draft, actions: Sequence[str]) -> Iterator[Item]:
    """Items in a row, each the only one that needs the one before; a long chain in pieces, so that it is seen how far it is."""
    before, after = _links(draft)

    def goes_on(index: int) -> bool:
        return len(after[index]) == 1 and len(before[after[index][0]]) == 1

    for index in range(len(draft.items)):
        if len(before[index]) == 1 and goes_on(before[index][0]):
            continue  # somewhere within a chain, which is told from its first item
        chain = [index]
        while goes_on(chain[-1]):
            chain.append(after[chain[-1]][0])
        yield from _pieces([draft.items[link] for link in chain])


def _pieces(items: Sequence[Item]) -> Iterator[Item]:
    size = max(SHORTEST_PIECE, -(-len(items) // CHAIN_PIECES))
    for start in range(0, len(items), size):
        yield from _cut("chain", items[start : start + size])


def _levels(draft: _Draft, most: int) -> Iterator[Item]:
    """Levels as large as it takes become one item each, the largest first; then neighbouring ones, where there are very many."""
    levels = _by_level(draft)
    limit = max(len(items) for items in levels)
    while limit:
        limit //= 2
        merged = [item for items in levels for item in (_cut("level", items) if len(items) > limit else items)]
        if len(merged) <= most and _drawn(draft.needs, list(merged)).is_small(most):
            return iter(merged)
    return _bands(levels, most)


def _bands(levels: Sequence[Sequence[Item]], most: int) -> Iterator[Item]:
    """As many levels in a row as it takes to be few, of all steps in them: cut in two they might need each other."""
    height = -(-len(levels) // min(most, MOST_BANDS))
    for start in range(0, len(levels), height):
        yield _merged("level", [item for items in levels[start : start + height] for item in items])


def _by_level(draft: _Draft) -> list[list[Item]]:
    found: dict[int, list[Item]] = defaultdict(list)
    for index, level in enumerate(levels_of(len(draft.items), list(draft.joins))):
        found[level].append(draft.items[index])
    return [found[level] for level in sorted(found)]


def levels_of(count: int, joins: Collection[tuple[int, int]]) -> list[int]:
    """The longest way to each of `count` items, by steps from one that needs nothing."""
    after: dict[int, list[int]] = defaultdict(list)
    open_needs = [0] * count
    for tail, head in joins:
        after[tail].append(head)
        open_needs[head] += 1
    levels = [0] * count
    ready = [index for index in range(count) if not open_needs[index]]
    for index in ready:  # grows while it is walked
        for head in after[index]:
            levels[head] = max(levels[head], levels[index] + 1)
            open_needs[head] -= 1
            if not open_needs[head]:
                ready.append(head)
    return levels


def _opened(items: Sequence[Item], opened: Collection[int]) -> tuple[Item, ...]:
    left, found = MOST_MEMBERS, []
    for item in items:
        is_open = item.kind != "step" and item.number in opened and len(item.members) <= left
        left -= len(item.members) if is_open else 0
        found.append(Item(item.kind, item.members, is_open))
    return tuple(found)
