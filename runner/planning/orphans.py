"""What the state has beside a plan: jobs that were submitted, and that the manifest no longer has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from runner.model import Orphan, Status
from runner.state.store import Store


@dataclass(frozen=True, slots=True)
class Orphans(Iterable[Orphan]):
    """How many of them stand where. They themselves are read from the state each time: there may be a million of them.

    `ids` are those of the jobs of the plan, as numbers.
    """

    totals: Mapping[Status, int] = field(default_factory=dict)
    state: Path = Path()
    ids: Collection[int] = field(default=(), repr=False)

    def __len__(self) -> int:
        return sum(self.totals.values())

    def __iter__(self) -> Iterator[Orphan]:
        """Those of the latest plans first. Raises StateError and DiskError."""
        store = Store.read(self.state) if self else None
        if store is not None:
            with closing(store):
                yield from store.orphans(self.ids)
