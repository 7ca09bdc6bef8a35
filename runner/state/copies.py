"""The rows about files that were paid for, and about the copies that mirrors have of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from runner.model import Artifact, MirrorCopy
from runner.state.names import Names

# Of every job: its video, its thumbnail, and further videos of its request.
_FILES = (
    "(SELECT job_id, path, sha256, bytes FROM artifacts"
    " UNION ALL SELECT job_id, path, sha256, bytes FROM further_videos)"
)
# The first parameter is the mirror.
_IS_UNCOPIED = "NOT EXISTS (SELECT 1 FROM mirrored WHERE mirror = ?1 AND mirrored.sha256 = files.sha256)"
# Of a job, whose id stands in the given column. By the ids of jobs, so that no page of many looks at all files.
_LACKS = " OR ".join(
    f"EXISTS (SELECT 1 FROM {table} AS files WHERE job_id = {{job}} AND {_IS_UNCOPIED})"
    for table in ("artifacts", "further_videos")
)
_COPY = "mirrored.path, mirrored.sha256, mirrored.bytes, mirrored.version"


class Copies(Names):
    """A state file with the files of its jobs, and where copies of them are. A mirror is known by its address."""

    def files_of(self, job_id: str) -> list[Artifact]:
        """Every file of a job that succeeded."""
        return list(self.each(
            lambda row: Artifact(*row),
            f"SELECT files.path, sha256, bytes FROM {_FILES} AS files JOIN jobs ON jobs.id = job_id"
            " WHERE job_id = ? AND status = 'succeeded'",
            (job_id,),
        ))  # fmt: skip

    def keep_further(self, job_id: str, videos: Iterable[Artifact]) -> None:
        """Record the videos beyond the first of a job's request, whose bytes are durable, in place of earlier ones."""
        self.write("DELETE FROM further_videos WHERE job_id = ?", (job_id,))
        rows = ((job_id, each.path, each.sha256, each.bytes) for each in videos)
        self.write_many("INSERT INTO further_videos VALUES (?, ?, ?, ?)", rows)

    def further_videos(self) -> Mapping[str, list[Artifact]]:
        """The videos beyond the first of each request that made any, by job."""
        found: dict[str, list[Artifact]] = {}
        for job_id, *file in self.rows("SELECT job_id, path, sha256, bytes FROM further_videos"):
            found.setdefault(job_id, []).append(Artifact(*file))
        return found

    def uncopied_jobs(self, mirror: str, after: str = "", most: int = 256) -> list[str]:
        """The first jobs, of this manifest or of none, beyond the id `after` of which a mirror lacks a file."""
        lacks = _LACKS.format(job="jobs.id")
        rows = self.rows(
            f"SELECT id FROM jobs WHERE id > ?2 AND {self._has_files()} AND ({lacks}) ORDER BY id LIMIT ?3",
            (mirror, after, most),
        )
        return [str(row[0]) for row in rows]

    def uncopied(self, mirror: str) -> int:
        """How many files of the jobs of this manifest, and of those of none, a mirror lacks: equal ones count once."""
        return next(self.each(
            lambda row: int(row[0]),
            f"SELECT count(DISTINCT sha256) FROM {_FILES} AS files JOIN jobs ON jobs.id = job_id"
            f" WHERE {self._has_files()} AND {_IS_UNCOPIED}",
            (mirror,),
        ))  # fmt: skip

    def _has_files(self) -> str:
        return f"+status = 'succeeded' AND ({self._is_own()} OR {self._is_left()})"

    def copy_of(self, mirror: str, sha256: str) -> MirrorCopy | None:
        """The copy that a mirror has of this content."""
        sql = f"SELECT {_COPY} FROM mirrored WHERE mirror = ? AND sha256 = ?"
        return next(self.each(lambda row: MirrorCopy(*row), sql, (mirror, sha256)), None)

    def is_path_copied(self, mirror: str, path: str) -> bool:
        """Whether this path of a mirror has the copy of some file."""
        return self.scalar("SELECT 1 FROM mirrored WHERE mirror = ? AND path = ?", (mirror, path)) is not None

    def copies_of_clips(self, mirror: str) -> Iterator[tuple[str, MirrorCopy]]:
        """The id of each job of which a mirror lacks no file, and the copy of its clip."""
        return self.each(
            lambda row: (str(row[0]), MirrorCopy(*row[1:])),
            f"SELECT clips.job_id, {_COPY} FROM artifacts AS clips JOIN mirrored USING (sha256)"
            f" WHERE kind = 'video' AND mirror = ?1 AND NOT ({_LACKS.format(job='clips.job_id')})",
            (mirror,),
        )

    def keep_copy(self, mirror: str, copy: MirrorCopy) -> None:
        """Record a copy whose bytes are known to be right."""
        self.write(
            "INSERT OR REPLACE INTO mirrored VALUES (?, ?, ?, ?, ?)",
            (mirror, copy.sha256, copy.path, copy.bytes, copy.version),
        )

    def forget_copy(self, mirror: str, sha256: str) -> None:
        """The mirror lacks this content after all: it is copied again."""
        self.write("DELETE FROM mirrored WHERE mirror = ? AND sha256 = ?", (mirror, sha256))
