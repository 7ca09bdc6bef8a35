"""The names of clips: which job holds a path, and the renames by which a path gets another holder."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count

from runner.model import Artifact, Job, folded
from runner.state.plans import Plans
from runner.state.rows import OF_ARTIFACTS, artifact_of, inner_path

# Where an orphan goes that makes room for the current clip.
ORPHANED = "orphaned"
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Move:
    """The files of a job go to `path`. `former` is where they were if they make room as those of an orphan."""

    number: int
    job_id: str
    folded: str
    path: str
    former: str | None


@dataclass(frozen=True, slots=True)
class Holding:
    """The path that a job has, if any, and the other job, if any, that holds the one that it has in its plan.

    `is_named` says that another manifest has that other job.
    """

    path: str | None = None
    holder: str | None = None
    is_named: bool = False


def spare_paths(path: str, job_id: str) -> Iterator[str]:
    """The paths that a job may have instead of one that has another holder."""
    whole = f"{path}-{job_id}"
    return chain((f"{path}-{job_id[:_DIGITS]}", whole), map(f"{whole}-{{}}".format, count(2)))


def _move_of(row: sqlite3.Row) -> Move:
    inner_path(row["path"])
    return Move(*row)


class Names(Plans):
    """A state file with its paths. A path is relative to videos/, and has no extension."""

    def path_of(self, job_id: str) -> str | None:
        """Where the files of a job are, or will be."""
        found = self.scalar("SELECT path FROM paths WHERE job_id = ?", (job_id,))
        return None if found is None else str(found)

    def is_at(self, job_id: str, path: str) -> bool:
        """Whether a job has this path, or none yet. Paths that may be one file on some disk are one path."""
        return folded(self.path_of(job_id) or path) == folded(path)

    def holder_of(self, path: str) -> str | None:
        """The id of the job that has a path, or gets it by a move."""
        found = self.scalar(
            "SELECT job_id FROM paths WHERE folded = ?1 UNION ALL SELECT job_id FROM moves WHERE folded = ?1",
            (folded(path),),
        )
        return None if found is None else str(found)

    def _free(self, paths: Iterable[str], job_id: str) -> str:
        return next(each for each in paths if self.holder_of(each) in (None, job_id))

    def claim_path(self, job: Job) -> None:
        """Give a job its path before it has files: that of the plan, or a spare one while another job holds it."""
        held = self.path_of(job.id)
        if held == job.output or self.scalar("SELECT 1 FROM artifacts WHERE job_id = ?", (job.id,)) is not None:
            return
        self._take(job.id, self._free(chain((job.output,), spare_paths(job.output, job.id)), job.id))

    def _take(self, job_id: str, path: str, former: str | None = None) -> None:
        self.write(
            "INSERT INTO paths VALUES (?, ?, ?, ?) ON CONFLICT (job_id) DO UPDATE SET"
            " folded = excluded.folded, path = excluded.path, former = excluded.former",
            (folded(path), path, job_id, former),
        )

    def give_path(self, job_id: str, path: str) -> bool:
        """Order the moves that give a job this path. False if a job holds it that is not orphaned.

        An orphan makes room. `moves` has them once this is committed.
        """
        holder = self.holder_of(path)
        if holder == job_id:
            return True
        if self._is_moving(job_id) or (holder is not None and not self._make_room(holder, path)):
            return False
        self._send(job_id, path)
        return True

    def step_aside(self, job_id: str) -> None:
        """Order the move of a job to a spare path."""
        path = self.path_of(job_id)
        if path is not None and not self._is_moving(job_id):
            self._send(job_id, self._free(spare_paths(path, job_id), job_id))

    def _make_room(self, holder: str, path: str) -> bool:
        """Order the move of an orphan that holds a path. False if it is none."""
        if self._is_moving(holder) or not self.is_orphan(holder):
            return False
        former = self.path_of(holder) or path
        self._send(holder, self._free(spare_paths(f"{ORPHANED}/{former}", holder), holder), former)
        return True

    def _is_moving(self, job_id: str) -> bool:
        return self.scalar("SELECT 1 FROM moves WHERE job_id = ?", (job_id,)) is not None

    def _send(self, job_id: str, path: str, former: str | None = None) -> None:
        self.write(
            "INSERT INTO moves (job_id, folded, path, former) VALUES (?, ?, ?, ?)",
            (job_id, folded(path), path, former),
        )

    def moves(self) -> list[Move]:
        """The moves that are to be done, in their order."""
        columns = "number, job_id, folded, path, former"
        return list(self.each(_move_of, f"SELECT {columns} FROM moves ORDER BY number"))

    def blocker_of(self, move: Move) -> str | None:
        """The id of another job that still holds the path."""
        holder = self.scalar("SELECT job_id FROM paths WHERE folded = ?", (move.folded,))
        return None if holder in (None, move.job_id) else str(holder)

    def artifacts(self, job_id: str) -> dict[str, Artifact]:
        """The files of a job, the video first."""
        columns = ", ".join(OF_ARTIFACTS)
        sql = f"SELECT kind, {columns} FROM artifacts WHERE job_id = ? ORDER BY kind = 'video' DESC"
        return dict(self.each(lambda row: (str(row[0]), artifact_of(row[1:])), sql, (job_id,)))

    def other_files(self) -> Iterator[str]:
        """The paths, below the output folder, of the files of jobs that other manifests have."""
        rows = self.rows(
            f"SELECT path FROM artifacts JOIN jobs ON jobs.id = job_id WHERE NOT ({self._is_no_other_ones()})"
        )
        return (str(row[0]) for row in rows)

    def clips(self) -> Iterator[tuple[int, str]]:
        """The id (as a number) of each job that has a video, and the path of that below the output folder."""
        rows = self.rows("SELECT job_id, path FROM artifacts WHERE kind = 'video'")
        return ((int(row[0], 16), str(row[1])) for row in rows)

    def finish_move(self, move: Move, kept: Iterable[tuple[str, str]]) -> None:
        """Record where the files of a job are now: the kind and the path of each."""
        for kind, path in kept:
            self.write("UPDATE artifacts SET path = ? WHERE job_id = ? AND kind = ?", (path, move.job_id, kind))
        self._take(move.job_id, move.path, move.former)
        self.drop_move(move)

    def drop_move(self, move: Move) -> None:
        """The files stay where they are."""
        self.write("DELETE FROM moves WHERE number = ?", (move.number,))

    def returned(self) -> list[tuple[str, str]]:
        """The jobs that made room as orphans and are in a manifest again, each with its former path."""
        rows = self.rows(
            "SELECT jobs.id, former FROM paths JOIN jobs ON jobs.id = job_id"
            f" WHERE former IS NOT NULL AND NOT ({self._is_orphaned()})"
        )
        return [(row[0], row[1]) for row in rows]

    def holdings(self, paths: Mapping[str, str]) -> dict[str, Holding]:
        """Where each of these jobs is, and who is where it would be; `paths` has the path of each job in its plan."""
        names = {folded(path): job_id for job_id, path in paths.items()}
        places = {job_id: Holding() for job_id in paths}
        held = "SELECT job_id, path FROM paths WHERE job_id IN (SELECT value FROM json_each(?))"
        for job_id, path in self.rows(held, (json.dumps(list(paths)),)):
            places[job_id] = Holding(path)
        is_other = f"SELECT 1 FROM jobs WHERE id = job_id AND NOT ({self._is_no_other_ones()})"
        holders = (
            f"SELECT folded, job_id, EXISTS ({is_other}) FROM paths WHERE folded IN (SELECT value FROM json_each(?))"
        )
        for name, holder, is_named in self.rows(holders, (json.dumps(list(names)),)):
            if holder != names[name]:
                places[names[name]] = replace(places[names[name]], holder=holder, is_named=bool(is_named))
        return places
