"""What reviewers say of clips, as the index and `status` tell it."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.model import JobRecord, Json, Manifest
from runner.planning.selection import Selection
from runner.state.store import Store
from runner.verdicts.picks import Picker
from runner.verdicts.votes import Verdicts, verdicts_on


@dataclass(frozen=True, slots=True)
class ClipVerdicts:
    """The verdicts on the clips of a campaign, and the ids of the jobs whose clips are picked."""

    verdicts: Verdicts = field(default_factory=Verdicts)
    picked: frozenset[str] = frozenset()

    @classmethod
    def of(cls, manifest: Manifest, store: Store) -> ClipVerdicts:
        """Raises DiskError."""
        verdicts = verdicts_on(manifest, store)
        return cls(verdicts, Picker(manifest).picked(store, verdicts))

    def __call__(self, record: JobRecord) -> dict[str, Json]:
        marks: dict[str, Json] = {
            by: {"mark": None if each.mark is None else str(each.mark), "stars": each.stars}
            for by, each in self.verdicts.of(record.id).items()
        }
        return {"marks": marks, "pick": record.id in self.picked}

    def totals(self, store: Store, selection: Selection) -> VerdictTotals | None:
        """Of the selected jobs; None where nobody has said anything."""
        verdicts = self.verdicts
        if not verdicts.lines and not verdicts.uncounted:
            return None
        rejected = frozenset(job for job in verdicts.marks if verdicts.rejecters(job))
        marked = self.picked | rejected
        if not selection.is_everything:
            marked &= {record.id for record in store.records() if record.id in marked and selection.has(record)}
        return VerdictTotals(len(self.picked & marked), len(rejected & marked), verdicts.stale, len(verdicts.uncounted))


@dataclass(frozen=True, slots=True)
class VerdictTotals:
    """How many clips are picked, how many rejected, and how many lines do not count: the stale ones, and all."""

    picked: int
    rejected: int
    stale: int
    uncounted: int
