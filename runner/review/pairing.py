"""Which pair is shown next: what was compared least, by anybody; at times two takes of one cell, or a pair again.

Of many arms, those that may be the best are compared first (`runner/review/statistics/top_two.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from math import prod
from random import Random
from typing import TypeAlias, TypeVar

from runner.verdicts.votes import Vote

# About so many pairs are two takes of one cell: what chance alone makes. So many are shown again, swapped: whether a
# reviewer says the same twice.
TAKES_SHARE = 1 / 10
AGAIN_SHARE = 1 / 15
# A pair comes again only after so many others.
APART = 6

# What a clip was made from beside its image: the prompt, the model and the variables, each value as text.
Cell: TypeAlias = tuple[tuple[str, str], ...]
# An image and a cell, a place in the sweep; two of them that are compared; and two jobs.
_Place: TypeAlias = tuple[str, Cell]
_Rivals: TypeAlias = frozenset[_Place]
_Jobs: TypeAlias = frozenset[str]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Contender:
    """A clip that can be shown: its job, and where it stands in the sweep."""

    job: str
    image: str
    cell: Cell

    @property
    def place(self) -> _Place:
        return (self.image, self.cell)


@dataclass(frozen=True, slots=True)
class Showing:
    """Two jobs as they are shown."""

    left: str
    right: str

    @property
    def jobs(self) -> frozenset[str]:
        return frozenset((self.left, self.right))

    @property
    def swapped(self) -> Showing:
        return Showing(self.right, self.left)


class Pool:
    """All clips that can be shown, and which of their cells are compared: those of one image that differ in one thing.

    Where an image has no such cells, those that differ in the fewest things are compared.
    """

    def __init__(self, contenders: Iterable[Contender]) -> None:
        self.places = {each.job: each.place for each in contenders}
        self.takes: dict[_Place, list[str]] = {}
        self.cells: dict[str, list[Cell]] = {}
        for job, place in self.places.items():
            self.takes.setdefault(place, []).append(job)
        for image, cell in self.takes:
            self.cells.setdefault(image, []).append(cell)
        self.rivals = {image: _rivals(image, cells) for image, cells in self.cells.items()}
        self.twins = {place: jobs for place, jobs in self.takes.items() if len(jobs) > 1}
        self._name = _only({name for pairs in self.rivals.values() for name in pairs.values()})
        self.arms = sorted({self.arm_of(cell) for cells in self.cells.values() for cell in cells}) if self._name else []

    def without(self, jobs: Collection[str]) -> Pool:
        """What is left when the clips of these jobs cannot be shown."""
        return Pool(Contender(job, *place) for job, place in self.places.items() if job not in jobs)

    def arm_of(self, cell: Cell) -> str:
        """The value of the one thing that cells are compared by; empty where they differ in several things."""
        return dict(cell).get(self._name, "")

    def are_rivals(self, pair: Showing) -> bool:
        """Whether both are there, of one image, and not takes of one cell."""
        left, right = self.places.get(pair.left), self.places.get(pair.right)
        return left is not None and right is not None and left != right and left[0] == right[0]

    def are_twins(self, pair: Showing) -> bool:
        """Whether both are takes of one cell."""
        return pair.left != pair.right and self.places.get(pair.left, "") == self.places.get(pair.right)

    @property
    def size(self) -> int:
        """How many different pairs there are."""
        crossed = sum(self.count(rivals) for pairs in self.rivals.values() for rivals in pairs)
        return crossed + sum(len(jobs) * (len(jobs) - 1) // 2 for jobs in self.twins.values())

    def count(self, rivals: _Rivals) -> int:
        """How many pairs of clips two cells have."""
        return prod(len(self.takes[place]) for place in rivals)


def _only(names: Collection[str]) -> str:
    """The one name; empty where there are several, or where cells differ in several at once."""
    name = next(iter(names)) if len(names) == 1 else ""
    return "" if "," in name else name


def _rivals(image: str, cells: Sequence[Cell]) -> dict[_Rivals, str]:
    """The pairs of cells that are compared, and the names in which they differ."""
    names = sorted({name for cell in cells for name, _ in cell})
    for differing in range(1, len(names) + 1):
        found: dict[_Rivals, str] = {}
        for left_out in combinations(names, differing):
            for group in _groups(cells, left_out):
                places = [(image, cell) for cell in group]
                found |= dict.fromkeys(map(frozenset, combinations(places, 2)), ",".join(left_out))
        if found:
            return found
    return {}


def _groups(cells: Iterable[Cell], left_out: Sequence[str]) -> Iterable[list[Cell]]:
    """Cells that are equal but for these names."""
    groups: dict[Cell, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(tuple(each for each in cell if each[0] not in left_out), []).append(cell)
    return groups.values()


@dataclass(slots=True)
class _Tally:
    """How often what was judged. A pair counts once for each reviewer."""

    own: set[_Jobs] = field(default_factory=set)
    jobs: Counter[str] = field(default_factory=Counter)
    cells: Counter[_Place] = field(default_factory=Counter)
    images: Counter[str] = field(default_factory=Counter)
    names: Counter[tuple[str, str]] = field(default_factory=Counter)
    rivals: Counter[_Rivals] = field(default_factory=Counter)
    own_rivals: Counter[_Rivals] = field(default_factory=Counter)
    twins: Counter[_Place] = field(default_factory=Counter)
    own_twins: Counter[_Place] = field(default_factory=Counter)
    # How much more often a cell or a job was on the left than on the right.
    lean: Counter[Hashable] = field(default_factory=Counter)


def _tally(pool: Pool, votes: Iterable[Vote], by: str) -> _Tally:
    tally = _Tally()
    counted: set[tuple[str, _Jobs]] = set()
    for each in votes:
        pair, is_own = Showing(each.left, each.right), each.by == by
        if is_own:
            _lean(tally, pool, pair)
        if (each.by, pair.jobs) in counted or not (pool.are_rivals(pair) or pool.are_twins(pair)):
            continue
        counted.add((each.by, pair.jobs))
        _count(tally, pool, pair, is_own)
    return tally


def _lean(tally: _Tally, pool: Pool, pair: Showing) -> None:
    for job, sign in ((pair.left, 1), (pair.right, -1)):
        tally.lean[job] += sign
        tally.lean[pool.places.get(job)] += sign


def _count(tally: _Tally, pool: Pool, pair: Showing, is_own: bool) -> None:
    places = frozenset(pool.places[job] for job in pair.jobs)
    tally.jobs.update(pair.jobs)
    if is_own:
        tally.own.add(pair.jobs)
    if len(places) == 1:
        tally.twins.update(places)
        tally.own_twins.update(places if is_own else ())
        return
    tally.cells.update(places)
    image = next(iter(places))[0]
    tally.images[image] += 1
    tally.rivals[places] += 1
    tally.own_rivals[places] += is_own
    first, second = (cell for _, cell in places)
    tally.names[image, ",".join(sorted({name for name, _ in set(first) ^ set(second)}))] += 1


def next_pair(pool: Pool, votes: Sequence[Vote], by: str, random: Random) -> Showing | None:
    """The pair that this reviewer is shown next; None if they have judged all.

    Images come in turn, in an image its cells, of two cells their takes; a pair that the reviewer has judged comes
    again only to see whether they say the same. What others judged counts, so that reviewers share the work.
    """
    tally = _tally(pool, votes, by)
    mine = [Showing(each.left, each.right) for each in votes if each.by == by and each.is_pair]
    chance = random.random()
    again = _again(pool, mine, random) if chance < AGAIN_SHARE else None
    if again is not None:
        return again.swapped
    if random.random() < TAKES_SHARE:
        jobs = _of_one_cell(pool, tally, random) or _crossed(pool, tally, votes, random)
    else:
        jobs = _crossed(pool, tally, votes, random) or _of_one_cell(pool, tally, random)
    return None if jobs is None else _sides(jobs, pool, tally, random)


def _again(pool: Pool, mine: Sequence[Showing], random: Random) -> Showing | None:
    """A pair that was judged once, some time ago."""
    often = Counter(each.jobs for each in mine)
    known = [each for each in mine[:-APART] if often[each.jobs] == 1 and each.jobs <= pool.places.keys()]
    return random.choice(known) if known else None


def _crossed(pool: Pool, tally: _Tally, votes: Sequence[Vote], random: Random) -> tuple[str, ...] | None:
    """Clips of two cells of the image that was judged least, for the number of its cells."""
    images = sorted(pool.rivals, key=lambda each: (tally.images[each] / len(pool.cells[each]), random.random()))
    image, free = next(((each, free) for each in images if (free := _free(pool, tally, each))), ("", []))

    def order(rivals: _Rivals) -> tuple[int, ...]:
        first, second = sorted(tally.cells[place] for place in rivals)
        return (first, second, tally.names[image, pool.rivals[image][rivals]], tally.rivals[rivals])

    rivals = _least(_promising(pool, free, votes, random), order, random)
    return None if rivals is None else _clips(product(*(pool.takes[place] for place in sorted(rivals))), tally, random)


def _promising(pool: Pool, free: list[_Rivals], votes: Sequence[Vote], random: Random) -> list[_Rivals]:
    """Where there are many arms, the pairs of the two that may be the best; all pairs where there are few."""
    if len(pool.arms) <= 2 or not free:
        return free
    # Imported here: numpy takes long to load.
    from runner.review.statistics.top_two import FEWEST_ARMS, top_two

    if len(pool.arms) < FEWEST_ARMS:
        return free
    finalists = set(top_two(_arm_votes(pool, votes), pool.arms, random.getrandbits(32)))
    return [each for each in free if {pool.arm_of(cell) for _, cell in each} == finalists] or free


def _arm_votes(pool: Pool, votes: Iterable[Vote]) -> Iterable[tuple[object, ...]]:
    for each in votes:
        if pool.are_rivals(Showing(each.left, each.right)):
            (image, left), (_, right) = pool.places[each.left], pool.places[each.right]
            yield image, pool.arm_of(left), pool.arm_of(right), str(each.winner), each.by, pool.arm_of(left)


def _free(pool: Pool, tally: _Tally, image: str) -> list[_Rivals]:
    """The cells of an image that still have clips which the reviewer has not compared, in pairs."""
    return [each for each in pool.rivals[image] if tally.own_rivals[each] < pool.count(each)]


def _of_one_cell(pool: Pool, tally: _Tally, random: Random) -> tuple[str, ...] | None:
    """Two takes of the cell whose takes were compared least."""
    free = [place for place, jobs in pool.twins.items() if tally.own_twins[place] < len(jobs) * (len(jobs) - 1) // 2]
    place = _least(free, lambda each: tally.twins[each], random)
    return None if place is None else _clips(combinations(pool.twins[place], 2), tally, random)


def _clips(pairs: Iterable[tuple[str, ...]], tally: _Tally, random: Random) -> tuple[str, ...] | None:
    """The takes that were judged least, among those that the reviewer has not compared."""
    new = [each for each in pairs if frozenset(each) not in tally.own]
    return _least(new, lambda each: sorted(tally.jobs[job] for job in each), random)


def _least(items: Iterable[_T], order: Callable[[_T], object], random: Random) -> _T | None:
    """One of the first by this order."""
    ordered = [(order(each), each) for each in items]
    if not ordered:
        return None
    first = min(key for key, _ in ordered)  # type: ignore[type-var]
    return random.choice([each for key, each in ordered if key == first])


def _sides(jobs: tuple[str, ...], pool: Pool, tally: _Tally, random: Random) -> Showing:
    """The one that was on the left less often goes there."""
    first, second = random.sample(jobs, 2)
    are_twins = pool.places[first] == pool.places[second]
    leans = [tally.lean[job if are_twins else pool.places[job]] for job in (first, second)]
    return Showing(first, second) if leans[0] <= leans[1] else Showing(second, first)
