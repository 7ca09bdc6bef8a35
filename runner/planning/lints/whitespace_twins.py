"""Prompts that differ only in white space: two requests are bought although one was meant."""

from __future__ import annotations

from collections.abc import Iterator

from runner.model import Job
from runner.planning.expansion.arms import Arms
from runner.planning.plan_diagnostics import PlanWarning

# Only this many prompts are compared, so that neither time nor memory grows with the sweep. All pictures have the same
# arms and variants, so the prompts of the first pictures are enough to find the mistake.
_COMPARED = 10_000


class WhitespaceTwins:
    """Compares the prompts of each picture as they come, until `_COMPARED` prompts have come."""

    def __init__(self, arms: Arms) -> None:
        self._arms = arms
        self._seen: set[tuple[str, str]] = set()
        # By picture and words: the first prompt with these words, and the key of its job.
        self._first: dict[tuple[str, str], tuple[str, str]] = {}
        # By arm: the first job whose prompt has the words of an earlier prompt, and the key of the earlier job.
        self._found: dict[str, tuple[Job, str]] = {}
        self.is_active = True

    def see(self, job: Job) -> None:
        """Compare the prompt of a job with earlier prompts."""
        prompt = job.payload.get("prompt")
        if not isinstance(prompt, str):
            return
        index = (job.image, prompt)
        if index in self._seen:
            return
        self._seen.add(index)
        self.is_active = len(self._seen) < _COMPARED
        text, key = self._first.setdefault((job.image, " ".join(prompt.split())), (prompt, job.key))
        if text != prompt:
            self._found.setdefault(job.prompt_id, (job, key))

    def warnings(self) -> Iterator[PlanWarning]:
        """A warning for each arm with such a prompt (W806)."""
        for prompt, (job, key) in self._found.items():
            arm = self._arms[prompt, job.model]
            place = next(each.place for each in arm.parameters if each.name == "prompt")
            message = f"the prompt of {job.key} differs from that of {key} in white space alone"
            hint = "write both alike, so that they are one job, or let them differ in words"
            yield PlanWarning("W806", place, message, hint)
