"""Prompts that differ in white space alone: two requests are bought where one was meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner.model import Job
from runner.planning.expansion.arms import Arm
from runner.planning.plan_diagnostics import PlanWarning

# So many prompts are compared, and no more, so that neither time nor memory grows with the sweep: all pictures are made
# with the same arms and variants, and those of the first pictures show what is wrong with them.
_COMPARED = 10_000


class WhitespaceTwins:
    """Compares the prompts of each picture, as they come, until there are enough."""

    def __init__(self, arms: Mapping[str, Arm]) -> None:
        self._arms = arms
        self._seen: set[tuple[str, str]] = set()
        # By picture and words: the first prompt that has them, and the key of its job.
        self._first: dict[tuple[str, str], tuple[str, str]] = {}
        # By arm: a job of it, and the key of one whose prompt has the same words.
        self._found: dict[str, tuple[Job, str]] = {}
        self.is_open = True

    def see(self, job: Job) -> None:
        """Compare the prompt of a job with those before."""
        prompt = str(job.payload["prompt"])
        index = (job.image, prompt)
        if index in self._seen:
            return
        self._seen.add(index)
        self.is_open = len(self._seen) < _COMPARED
        text, key = self._first.setdefault((job.image, " ".join(prompt.split())), (prompt, job.key))
        if text != prompt:
            self._found.setdefault(job.prompt_id, (job, key))

    def warnings(self) -> Iterator[PlanWarning]:
        """A warning for each arm with such a prompt (W806)."""
        for prompt, (job, key) in self._found.items():
            place = self._arms[prompt].parameters[0].place
            message = f"the prompt of {job.key} differs from that of {key} in white space alone"
            hint = "write both alike, so that they are one job, or let them differ in words"
            yield PlanWarning("W806", place, message, hint)
