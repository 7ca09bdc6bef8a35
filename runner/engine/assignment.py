"""Which request a lost submission is, if a person says so (`--attach KEY=REQUEST_ID`)."""

from __future__ import annotations

from collections.abc import Sequence

from runner.api.answers import Remote
from runner.diagnostics.words import command
from runner.engine.flights import Flight, Phase
from runner.engine.reconcile import Likeness, likeness
from runner.engine.run import Run
from runner.errors import UsageError


def assign(run: Run, asked: Sequence[str]) -> None:
    """Attach each request to the job with the key. Raises UsageError, before anything is sent, if one cannot be it."""
    for text in asked:
        flight, request_id = _split(run, text)
        remote = _request(run, flight, request_id)
        with run.store.transaction():
            if not run.check_organisation(remote):
                return
            run.attach(flight, remote)


def _split(run: Run, text: str) -> tuple[Flight, str]:
    """The lost submission and the request id. A key holds `=`, too: the longest one that fits is meant."""
    lost = [each for each in run.flights.in_phase(Phase.UNKNOWN) if each.attempt.request_id is None]
    fitting = [each for each in lost if text.startswith(f"{each.attempt.key}=")]
    if not fitting:
        known = ", ".join(each.attempt.key for each in lost[:3]) or "none"
        hint = f"write KEY=REQUEST_ID with the key of an unknown job; unknown here: {known}"
        raise UsageError(f"--attach {text} names no job whose answer was lost", hint)
    flight = max(fitting, key=lambda each: len(each.attempt.key))
    return flight, text[len(flight.attempt.key) + 1 :]


def _request(run: Run, flight: Flight, request_id: str) -> Remote:
    attempt, where = flight.attempt, f"{command('requests', flight.attempt.model)} --unclaimed MANIFEST lists them"
    if run.store.claimed([request_id]):
        raise UsageError(f"request {request_id} belongs to another job already", where)
    remote = _found(run, attempt.model, request_id)
    if remote is None:
        raise UsageError(f"the service does not show request {request_id}", where)
    if likeness(attempt, remote, run.schema(attempt.model), run.facts(attempt.model)) is Likeness.DIFFERENT:
        raise UsageError(f"request {request_id} is certainly not {attempt.key}: its model or parameters differ", where)
    return remote


def _found(run: Run, model: str, request_id: str) -> Remote | None:
    """The service's record. Requests made elsewhere are not found by their id, and yet listed."""
    client = run.tools.client
    answer = client.get(request_id)
    if answer.remote is not None:
        return answer.remote
    return next((each for each in client.list(model).requests if each.request_id == request_id), None)
