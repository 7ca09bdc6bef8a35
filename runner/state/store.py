"""Reads and writes the rows of the state file: all queries about jobs are in this class and its base classes."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from decimal import Decimal

from runner.model import (
    REFUSED_CONTENT,
    Artifact,
    AskedTake,
    Attempt,
    Budget,
    Credentials,
    Job,
    JobRecord,
    Measured,
    ModelFacts,
    Orphan,
    Standing,
    Status,
    Variables,
)
from runner.state.copies import Copies
from runner.state.journal import Journal
from runner.state.migrations import damaged
from runner.state.plans import LATEST
from runner.state.rows import (
    OF_ARTIFACTS,
    OF_CREDENTIALS,
    OF_MEASURED,
    UNIT,
    attempt_of,
    billionths,
    mapping_of,
    measured_of,
    money,
    record_of,
    standing_of,
)

# How many service times are kept for each kind of request.
_KEPT_TIMES = 128


class Store(Copies):
    """An open state file. Write only inside `transaction`. Reads see the last commit, or the open transaction."""

    # Facts about the state itself

    def note(self, name: str) -> str | None:
        """A remembered fact by its name, such as the service or the organisation; None if there is none."""
        value = self.scalar("SELECT value FROM meta WHERE name = ?", (name,))
        return None if value is None else str(value)

    def remember(self, name: str, value: str) -> None:
        self.write(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )

    def last_set(self, manifest: str) -> Variables:
        """The constants that the last run of a manifest replaced. Its path is relative to the state's folder."""
        return mapping_of(self.note(f"set {manifest}") or "{}")

    def remember_set(self, manifest: str, values: Variables) -> None:
        if values != self.last_set(manifest):
            self.remember(f"set {manifest}", json.dumps(values, ensure_ascii=False))

    @property
    def id(self) -> str | None:
        """The random id that tells this state from others; None in a copy of an older one, which has none yet."""
        return self.note("state")

    def secure(self, number: int) -> None:
        """Record in the journal that the attempts up to this number are committed: only then their POSTs may leave.

        Raises StateError if the path leads to another file by now, and DiskError.
        """
        self.check_in_place()
        if self._journal is None:
            self._journal = Journal(self._path, str(self.id), self._base)
        self._journal.append(number)

    def permit(self) -> None:
        """Is called right before the first byte of a POST, in any thread: it must not leave if this raises."""

    def follow(self) -> None:
        """Is called once a turn of the run's loop."""

    def rest(self) -> None:
        """Is called when the loop has ended."""

    def check_values(self) -> None:
        """Raise StateError if a page is damaged, or a value cannot be read."""
        verdict = self.scalar("PRAGMA quick_check(1)")
        if verdict != "ok":
            raise damaged(self._path, str(verdict))
        self._generation()
        self.moves()
        deque(self.records(), maxlen=0)
        self.open_attempts()

    # Jobs

    def records(self) -> Iterator[JobRecord]:
        """The jobs of this manifest's last plan in its order, then the submitted jobs that no manifest has any more."""
        yield from self._records(self._is_own(), self._own_place())
        yield from self._records(f"attempts.number IS NOT NULL AND {self._is_left()}", LATEST)

    def _records(self, where: str, order: str) -> Iterator[JobRecord]:
        sql = f"SELECT {self._is_orphaned()} AS orphaned, {_RECORDS} WHERE {where} ORDER BY {order}"
        return self.each(record_of, sql)

    def keys_of(self, gone: Collection[int]) -> Iterator[str]:
        """The keys of those finished jobs whose ids, as numbers, are among these, in the order of `records`."""
        for where, order in ((self._is_own(), self._own_place()), (self._is_left(), LATEST)):
            sql = f"SELECT id, key FROM jobs WHERE status = 'succeeded' AND {where} ORDER BY {order}"
            rows = self.each(lambda row: (int(row[0], 16), str(row[1])), sql)
            yield from (key for number, key in rows if number in gone)

    def has_attempts(self) -> bool:
        """Whether anything was ever submitted. If not, every job is new."""
        return self.scalar("SELECT 1 FROM attempts LIMIT 1") is not None

    def standing(self, ids: Sequence[str], budget: Budget, place: int = 0) -> dict[str, Standing]:
        """The standing of each of these jobs that the state has. An attempt without a price gets the price of `budget`.

        `place` is the place of the first job in its plan. Most plans equal the last one, so jobs are looked for at the
        same places of that plan first.
        """
        found = self._standing(
            "FROM jobs", "WHERE generation = ? AND position BETWEEN ? AND ?", budget,
            (self._view().own, place, place + len(ids) - 1),
        )  # fmt: skip
        others = [job_id for job_id in ids if job_id not in found]
        if others:
            # CROSS JOIN makes SQLite go through the ids in their order, so that it need not sort them first.
            asked = "FROM json_each(?) AS asked CROSS JOIN jobs ON jobs.id = asked.value"
            found |= self._standing(asked, "", budget, (json.dumps(others),))
        return found

    def _standing(self, source: str, where: str, budget: Budget, parameters: Sequence[object]) -> dict[str, Standing]:
        cases = f"WHEN ? THEN {_PRICE} " * len(budget.models)
        prices = ((model, each.price_per_job, each.price_per_second) for model, each in budget.models.items())
        own = [each for model, job, second in prices for each in (model, billionths(job), billionths(second))]
        return dict(self.each(
            lambda row: (str(row[0]), standing_of(*row[1:])),
            f"SELECT jobs.id, status, remote_status, {_IS_REFUSED},"
            f" (SELECT sum(CASE jobs.model {cases} WHEN NULL THEN 0 ELSE {_PRICE} END)"
            f" FROM attempts WHERE job_id = jobs.id AND outcome IS NOT 'rejected') {source}"
            f" LEFT JOIN attempts ON attempts.job_id = jobs.id AND outcome IS NULL {where}",
            (*own, billionths(budget.price_per_job), billionths(budget.price_per_second), *parameters),
        ))  # fmt: skip

    def orphan_totals(self, ids: Collection[int]) -> dict[Status, int]:
        """How many submitted jobs have an id (as a number) that is not among these, by status.

        The jobs of other manifests do not count.
        """
        rows = self.each(
            lambda row: (int(row[0], 16), Status(row[1])),
            f"SELECT id, status FROM jobs WHERE status <> 'pending' AND {self._is_no_other_ones()}",
        )
        return Counter(status for number, status in rows if number not in ids)

    def submitted_among(self, ids: Collection[int]) -> int:
        """How many submitted jobs have one of these ids (as numbers)."""
        return sum(int(row[0], 16) in ids for row in self.rows("SELECT id FROM jobs WHERE status <> 'pending'"))

    def orphans(self, ids: Collection[int]) -> Iterator[Orphan]:
        """The jobs that `orphan_totals` counts, those of the latest plan first."""
        rows = self.each(
            lambda row: (int(row[0], 16), Orphan(row[0], row[1], Status(row[2]))),
            f"SELECT id, key, status FROM jobs WHERE status IN ({_all_but(Status.PENDING)})"
            f" AND {self._is_no_other_ones()} ORDER BY +generation DESC, position",
        )
        return (orphan for number, orphan in rows if number not in ids)

    def former(self, keys: Sequence[str]) -> dict[str, tuple[str, str, Variables]]:
        """For each of these keys: id, model and payload of the last submitted job that had it, in no other manifest."""
        return dict(self.each(
            lambda row: (str(row[0]), (str(row[1]), str(row[2]), mapping_of(row[3]))),
            "SELECT key, id, model, payload FROM jobs"
            " WHERE key IN (SELECT value FROM json_each(?)) AND status <> 'pending'"
            f" AND {self._is_no_other_ones()} ORDER BY generation, position",
            (json.dumps(keys),),
        ))  # fmt: skip

    def totals(self) -> dict[Status, int]:
        """How many jobs have each status: those of the last plan, and orphaned ones that were ever submitted."""
        where = f"{self._is_own()} OR (status <> 'pending' AND {self._is_left()})"
        return dict.fromkeys(Status, 0) | self._totals(where)

    def removed_totals(self) -> dict[Status, int]:
        """How many of the jobs that `totals` counts are in no manifest any more, by status."""
        return self._totals(f"status <> 'pending' AND {self._is_left()}")

    def unfinished_totals(self) -> dict[Status, int]:
        """How many of the jobs that `unfinished` gives have each status."""
        return self._totals(self._is_unfinished())

    def refused(self) -> int:
        """How many of the jobs that `unfinished` gives failed because their content was refused."""
        return sum(self._totals(f"{self._is_unfinished()} AND {_IS_REFUSED}").values())

    def ids(self, statuses: Iterable[Status]) -> Iterator[str]:
        """The ids of the jobs that have one of these statuses."""
        sql = "SELECT id FROM jobs WHERE status IN (SELECT value FROM json_each(?))"
        return self.each(lambda row: str(row[0]), sql, (json.dumps(list(statuses)),))

    def _totals(self, where: str) -> dict[Status, int]:
        sql = f"SELECT status, count(*) FROM jobs WHERE {where} GROUP BY status"
        return dict(self.each(lambda row: (Status(row[0]), row[1]), sql))

    def unfinished(self, most: int | None = None) -> Iterator[JobRecord]:
        """Jobs of the last plan that did not succeed, then orphaned ones that are open: the first `most`, or all."""
        own = self._is_own()
        order = f"NOT {own}, CASE WHEN {own} THEN {self._own_place()} END, +jobs.generation DESC, jobs.position"
        where = self._is_unfinished()
        # An index alone is enough to find the first ones.
        first = f"jobs.rowid IN (SELECT rowid FROM jobs WHERE {where} ORDER BY {order} LIMIT {most})"
        return self._records(where if most is None else first, order)

    def _is_unfinished(self) -> str:
        is_open = f"jobs.status IN ('waiting', 'unknown') AND {self._is_left()}"
        return f"jobs.status IN ({_all_but(Status.SUCCEEDED)}) AND ({self._is_own()} OR ({is_open}))"

    # Takes that the manifest does not have by its own number of takes

    def asked(self) -> list[AskedTake]:
        """The takes that somebody asked for in place of others."""
        sql = "SELECT cell, take, number, reviewer FROM asked_takes ORDER BY cell, number"
        return list(self.each(lambda row: AskedTake(*row), sql))

    def ask(self, asked: AskedTake) -> None:
        """Record that a take was asked for. What was asked for in place of one take before stays."""
        self.write("INSERT OR IGNORE INTO asked_takes VALUES (?, ?, ?, ?)", astuple(asked))

    def withdraw_ask(self, asked: AskedTake) -> None:
        self.write("DELETE FROM asked_takes WHERE (cell, take, number, reviewer) = (?, ?, ?, ?)", astuple(asked))

    def bought_takes(self, above: int) -> Iterator[tuple[str, int]]:
        """Fingerprint and number of each submitted take above a number that is a retake, or lies below one."""
        return self.each(
            lambda row: (str(row[0]), int(row[1])),
            "SELECT DISTINCT below.fingerprint, below.take FROM retakes JOIN jobs ON jobs.id = job_id"
            " JOIN jobs AS below ON below.fingerprint = jobs.fingerprint AND below.take <= jobs.take"
            " WHERE below.take > ? AND below.status <> 'pending' AND jobs.status <> 'pending'",
            (above,),
        )

    # Attempts

    def open_attempts(self) -> list[Attempt]:
        """Every submission that has no outcome yet, oldest first."""
        return list(self.each(attempt_of, f"{_ATTEMPTS} WHERE outcome IS NULL ORDER BY number"))

    def intend(
        self,
        job: Job,
        at: float,
        price: Decimal | None,
        currency: str,
        *,
        caller: str = "",
        window_start: float | None = None,
        addresses: Mapping[str, str] | None = None,
    ) -> Attempt:
        """Open an attempt of a job that has none open, and give the job its path. Commit this before the POST."""
        self.claim_path(job)
        number = self.write(
            "INSERT INTO attempts (job_id, price, currency, intended_at, organisation, caller, window_start)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (job.id, billionths(price), currency, at, self.note("organisation"), caller, window_start),
        )
        sent = ((number, reference, address) for reference, address in (addresses or {}).items())
        self.write_many("INSERT INTO sent_addresses VALUES (?, ?, ?)", sent)
        if job.is_retake:
            self.write("INSERT OR IGNORE INTO retakes VALUES (?)", (job.id,))
        self._set_status(job.id, Status.UNKNOWN, "submission on its way")
        return next(self.each(attempt_of, f"{_ATTEMPTS} WHERE number = ?", (number,)))

    def uploads(self, destination: str) -> dict[str, tuple[str, float]]:
        """The addresses of what was put there, and when, by the references of the files."""
        rows = self.rows("SELECT reference, address, uploaded_at FROM uploads WHERE destination = ?", (destination,))
        return {row[0]: (row[1], row[2]) for row in rows}

    def keep_upload(self, reference: str, destination: str, address: str, at: float) -> None:
        """Record a file that was put where the service can read it, in place of an earlier address of it."""
        self.write("INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?)", (reference, destination, address, at))

    def withdraw(self, attempt: Attempt, reason: str = "") -> None:
        """Delete an intent whose request was certainly not accepted. The job is pending again."""
        self.write("DELETE FROM sent_addresses WHERE attempt = ?", (attempt.number,))
        self.write("DELETE FROM attempts WHERE number = ? AND request_id IS NULL", (attempt.number,))
        self._set_status(attempt.job_id, Status.PENDING, reason)

    def accept(
        self,
        attempt: Attempt,
        request_id: str,
        at: float,
        remote_status: str | None = None,
        created_at: float | None = None,
    ) -> None:
        """`created_at` is the service's time of the request, as this answer told it."""
        self.write(
            "UPDATE attempts SET request_id = ?, accepted_at = ?, remote_status = ?, created_at = ? WHERE number = ?",
            (request_id, at, remote_status, created_at, attempt.number),
        )
        self._set_status(attempt.job_id, Status.WAITING, remote_status or "accepted")

    def lose(self, attempt: Attempt, at: float, reason: str) -> None:
        """The POST's connection is closed and whether it was accepted is not known."""
        self.write("UPDATE attempts SET lost_at = ?, error = ? WHERE number = ?", (at, reason, attempt.number))
        self._set_status(attempt.job_id, Status.UNKNOWN, reason)

    def look(self, attempt: Attempt, boot: str, at: float | None, failed: Sequence[str]) -> None:
        """Record a whole list that did not show the attempt, or showed only these failed requests that equal it.

        It was asked for at `at` by CLOCK_BOOTTIME of this boot; None forgets it.
        """
        self.write(
            "UPDATE attempts SET looked_boot = ?, looked_at = ?, looked_failed = ? WHERE number = ?",
            (boot, at, json.dumps(failed), attempt.number),
        )

    def claim(self, attempt: Attempt, request_id: str) -> None:
        """The attempt is this request of the service, which was refused or failed at once."""
        self.write("UPDATE attempts SET request_id = ? WHERE number = ?", (request_id, attempt.number))

    def explain(self, attempt: Attempt, reason: str) -> None:
        """Set the reason for the job's status. It is for people to read."""
        self.write("UPDATE jobs SET reason = ? WHERE id = ?", (reason, attempt.job_id))

    def observe(self, attempt: Attempt, remote_status: str) -> None:
        self.write("UPDATE attempts SET remote_status = ? WHERE number = ?", (remote_status, attempt.number))
        self._set_status(attempt.job_id, Status.WAITING, remote_status)

    def doubt(self, attempt: Attempt, reason: str) -> None:
        """Record that the service does not know a request that it accepted."""
        self._set_status(attempt.job_id, Status.UNKNOWN, reason)

    def conclude(
        self, attempt: Attempt, outcome: Status, at: float, error: str | None = None, reason: str = ""
    ) -> None:
        """End an attempt. If an unknown attempt is given up, its job is pending again."""
        self.write(
            "UPDATE attempts SET outcome = ?, finished_at = ?, error = ? WHERE number = ?",
            (outcome, at, error, attempt.number),
        )
        given_up = outcome is Status.UNKNOWN
        self._set_status(attempt.job_id, Status.PENDING if given_up else outcome, reason, error)

    def explain_pending(self, job_id: str, reason: str) -> None:
        """Why a job was not submitted, for people to read. A job that ended before stays as it is."""
        self.write("UPDATE jobs SET reason = ? WHERE id = ? AND status = ?", (reason, job_id, Status.PENDING))

    def make_pending(self, attempt: Attempt, reason: str) -> None:
        """The job of an attempt that ended is to be submitted again."""
        self._set_status(attempt.job_id, Status.PENDING, reason)

    def reopen(self, job_id: str) -> None:
        """Reopen a finished job whose files are gone, to fetch them again. The records of the files stay."""
        self.write(
            "UPDATE attempts SET outcome = NULL, finished_at = NULL, remote_status = 'success' WHERE number ="
            " (SELECT max(number) FROM attempts WHERE job_id = ? AND outcome = 'succeeded')",
            (job_id,),
        )
        self._set_status(job_id, Status.WAITING, "its file is gone; fetched again")

    def keep(self, job_id: str, kind: str, artifact: Artifact) -> None:
        """Record a file whose bytes are durable."""
        self.write(
            "INSERT OR REPLACE INTO artifacts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (job_id, kind, *astuple(artifact)),
        )

    def keep_measured(self, sha256: str, measured: Measured) -> None:
        """Record what was measured of a clip with this content."""
        values, spans = (json.dumps(each, allow_nan=False) for each in (measured.values, measured.spans))
        self.write(
            "INSERT OR REPLACE INTO measured_clips VALUES (?, ?, ?, ?, ?, ?, ?)",
            (sha256, measured.version, int(measured.has_flow), values, spans, measured.signature, measured.note),
        )

    def keep_credentials(self, sha256: str, found: Credentials) -> None:
        """Record the credentials of a clip with this content, in place of what was known of them."""
        self.write("INSERT OR REPLACE INTO clip_credentials VALUES (?, ?, ?, ?, ?)", (sha256, *astuple(found)))

    def has_measured(self) -> bool:
        """Whether any clip was measured."""
        return self.scalar("SELECT 1 FROM measured_clips LIMIT 1") is not None

    def is_measured(self, sha256: str, version: int) -> bool:
        """Whether a clip with this content was measured by this version."""
        found = self.scalar("SELECT 1 FROM measured_clips WHERE sha256 = ? AND version = ?", (sha256, version))
        return found is not None

    def unmeasured(self) -> int:
        """How many jobs have a clip that was not measured."""
        return next(self.each(
            lambda row: int(row[0]),
            "SELECT count(*) FROM artifacts WHERE kind = 'video'"
            " AND NOT EXISTS (SELECT 1 FROM measured_clips WHERE measured_clips.sha256 = artifacts.sha256)",
        ))  # fmt: skip

    def measured_records(self) -> Iterator[JobRecord]:
        """Those of `records` whose clips were measured."""
        is_measured = (
            "jobs.id IN (SELECT job_id FROM artifacts JOIN measured_clips USING (sha256) WHERE kind = 'video')"
        )
        yield from self._records(f"{is_measured} AND {self._is_own()}", self._own_place())
        yield from self._records(f"{is_measured} AND attempts.number IS NOT NULL AND {self._is_left()}", LATEST)

    def same_files(self) -> Iterator[tuple[str, str]]:
        """The hash of each clip that several jobs have, with the id of the job, in the order of the jobs."""
        return self.each(
            lambda row: (str(row[0]), str(row[1])),
            "SELECT sha256, job_id FROM artifacts JOIN jobs ON jobs.id = job_id WHERE kind = 'video' AND sha256 IN"
            " (SELECT sha256 FROM artifacts WHERE kind = 'video' GROUP BY sha256 HAVING count(*) > 1)"
            " ORDER BY jobs.rowid",
        )

    def key_of(self, job_id: str) -> str:
        return str(self.scalar("SELECT key FROM jobs WHERE id = ?", (job_id,)))

    def signatures(self) -> Iterator[tuple[str, str, bytes]]:
        """The fingerprint, the id and the signature of the clip of each job that was measured, takes together."""
        return self.each(
            lambda row: (str(row[0]), str(row[1]), bytes(row[2])),
            "SELECT fingerprint, jobs.id, signature FROM artifacts JOIN jobs ON jobs.id = job_id"
            " JOIN measured_clips USING (sha256) WHERE kind = 'video' ORDER BY fingerprint, jobs.rowid",
        )

    def clip_hashes(self) -> dict[str, str]:
        """The sha256 of the clip of each job that has one, by job id."""
        return dict(self.each(
            lambda row: (str(row[0]), str(row[1])), "SELECT job_id, sha256 FROM artifacts WHERE kind = 'video'"
        ))  # fmt: skip

    def measured(self) -> Iterator[tuple[str, Measured | None]]:
        """The id of each job that has a clip, and what was measured of that."""
        columns = ", ".join(OF_MEASURED)
        return self.each(
            lambda row: (str(row[0]), measured_of(*row[1:])),
            f"SELECT job_id, {columns} FROM artifacts LEFT JOIN measured_clips USING (sha256) WHERE kind = 'video'",
        )

    def _set_status(self, job_id: str, status: Status, reason: str, error: str | None = None) -> None:
        self.write("UPDATE jobs SET status = ?, reason = ?, error = ? WHERE id = ?", (status, reason, error, job_id))

    def learn(self, attempt: Attempt, age: float) -> None:
        """Record the age at which the attempt's request was seen to have ended, in seconds since it began."""
        place = attempt.number % _KEPT_TIMES
        self.write(
            "INSERT OR REPLACE INTO service_times VALUES (?, ?, ?, ?, 0, ?)",
            (attempt.model, attempt.seconds or 0.0, place, attempt.number, age),
        )

    def learned(self, model: str, seconds: float | None) -> list[float]:
        """The ages at which the latest requests of a kind were seen to have ended, the oldest request first."""
        rows = self.rows(
            "SELECT until FROM service_times WHERE model = ? AND seconds = ? ORDER BY number",
            (model, seconds or 0.0),
        )
        return [row[0] for row in rows]

    def claimed(self, request_ids: Sequence[str]) -> set[str]:
        """Those of these request ids that belong to an attempt already."""
        rows = self.rows(
            "SELECT request_id FROM attempts WHERE request_id IN (SELECT value FROM json_each(?))",
            (json.dumps(request_ids),),
        )
        return {row[0] for row in rows}

    def accepted_since(self, model: str, start: float | None) -> dict[str, float | None]:
        """The requests of this model that were accepted, each with the service's time of it as it was told.

        With `start` only those that are not known to be older by the service's time.
        """
        rows = self.rows(
            "SELECT request_id, created_at FROM attempts JOIN jobs ON jobs.id = job_id"
            " WHERE request_id IS NOT NULL AND accepted_at IS NOT NULL AND model = ?1"
            " AND (?2 IS NULL OR created_at IS NULL OR created_at >= ?2)",
            (model, start),
        )
        return dict(map(tuple, rows))

    def last_created(self, model: str) -> float | None:
        """The service's time of the last accepted request of this model that was told one."""
        found = self.scalar(
            "SELECT created_at FROM attempts JOIN jobs ON jobs.id = job_id"
            " WHERE created_at IS NOT NULL AND model = ? ORDER BY number DESC LIMIT 1",
            (model,),
        )
        return float(found) if isinstance(found, (int, float)) else None

    def see(self, request_ids: Iterable[str]) -> None:
        """Record requests of a list that belong to no attempt: a later POST is not what made them."""
        self.write_many(
            "INSERT OR IGNORE INTO seen_requests SELECT ?, coalesce(max(number), 0) FROM attempts",
            ((each,) for each in request_ids),
        )

    def seen(self, request_ids: Sequence[str]) -> dict[str, int]:
        """Of these requests those that a list showed before, each with the highest attempt number of that time."""
        rows = self.rows(
            "SELECT request_id, attempts FROM seen_requests WHERE request_id IN (SELECT value FROM json_each(?))",
            (json.dumps(request_ids),),
        )
        return dict(map(tuple, rows))

    def model_facts(self, model: str) -> ModelFacts:
        """What was learned of a model."""
        known: dict[str, set[str]] = {}
        for fact, name in self.rows("SELECT fact, name FROM model_facts WHERE model = ?", (model,)):
            known.setdefault(fact, set()).add(name)
        return ModelFacts(
            "untimed" in known,
            "sync" in known,
            *(frozenset(known.get(fact, ())) for fact in ("alias", "rewritten", "hidden")),
        )

    def learn_fact(self, model: str, fact: str, name: str = "") -> None:
        """`fact` and `name` are as the table has them."""
        self.write("INSERT OR IGNORE INTO model_facts VALUES (?, ?, ?)", (model, fact, name))

    def spent(self, budget: Budget) -> tuple[Decimal, int]:
        """The cost of all attempts except rejected ones, and their number.

        An attempt without a price gets the price of `budget`.
        """
        # Whole units and the rest apart: the sum of so many billionths might not fit into an integer of SQLite.
        ((units, rest, count),) = self.rows(
            f"SELECT coalesce(sum(price / {UNIT}), 0), coalesce(sum(price % {UNIT}), 0), count(*) FROM attempts"
            " WHERE outcome IS NOT 'rejected'"
        )
        unpriced = Decimal(0)
        # Only the job knows the length, and a join of a million attempts takes seconds.
        if budget.has_price or budget.models:
            rows = self.rows(
                "SELECT model, seconds, count(*) FROM attempts JOIN jobs ON jobs.id = job_id"
                " WHERE outcome IS NOT 'rejected' AND price IS NULL GROUP BY model, seconds"
            )
            unpriced = sum(((budget.of(row[0]).price(row[1]) or Decimal(0)) * row[2] for row in rows), unpriced)
        return units + money(rest) + unpriced, count

    def currency(self) -> str | None:
        """The currency of what was bought so far; None if the price of nothing is known."""
        found = self.scalar("SELECT currency FROM attempts WHERE price IS NOT NULL ORDER BY number DESC LIMIT 1")
        return None if found is None else str(found)


def _all_but(left_out: Status) -> str:
    """All statuses except one, listed so that SQLite uses the index on status.

    A `+` in the ORDER BY of such a query keeps SQLite from using another index for the order.
    """
    return ", ".join(f"'{status}'" for status in Status if status is not left_out)


# Of an attempt; its parameters are the prices of a job and of a second, for an attempt that has none.
_PRICE = "coalesce(price, ?, ? * jobs.seconds, 0)"
_IS_REFUSED = f"(jobs.status = 'failed' AND jobs.reason = '{REFUSED_CONTENT}')"

_RECORDS = f"""
jobs.*, attempts.request_id, attempts.intended_at, attempts.finished_at,
  (SELECT count(*) FROM attempts AS each WHERE each.job_id = jobs.id) AS tries,
  (SELECT sum(price) FROM attempts AS each WHERE each.job_id = jobs.id AND outcome IS NOT 'rejected') AS cost,
  {", ".join(f"{kind}.{name} AS {kind}_{name}" for kind in ("video", "thumbnail") for name in OF_ARTIFACTS)},
  {", ".join(f"measured.{name} AS measured_{name}" for name in OF_MEASURED)},
  {", ".join(f"credentials.{name} AS credentials_{name}" for name in OF_CREDENTIALS)}
FROM jobs
LEFT JOIN attempts ON attempts.number = (SELECT max(number) FROM attempts AS each WHERE each.job_id = jobs.id)
LEFT JOIN artifacts AS video ON video.job_id = jobs.id AND video.kind = 'video'
LEFT JOIN artifacts AS thumbnail ON thumbnail.job_id = jobs.id AND thumbnail.kind = 'thumbnail'
LEFT JOIN measured_clips AS measured ON measured.sha256 = video.sha256
LEFT JOIN clip_credentials AS credentials ON credentials.sha256 = video.sha256
"""

_ATTEMPTS = """
SELECT attempts.*, (SELECT json_group_object(reference, address) FROM sent_addresses WHERE attempt = attempts.number)
  AS addresses, EXISTS (SELECT 1 FROM inherited_attempts AS each WHERE each.number = attempts.number) AS is_inherited,
  jobs.key, jobs.image, jobs.prompt_id, jobs.model, jobs.variables, jobs.take, jobs.fingerprint,
  jobs.payload, jobs.seconds, paths.path
FROM attempts JOIN jobs ON jobs.id = attempts.job_id JOIN paths ON paths.job_id = jobs.id
"""
