"""The distinct texts of a plan, to be read before they are paid for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from runner.model import Action, Planned
from runner.planning.comparison import NOT_SELECTED


@dataclass(slots=True)
class PromptText:
    """A rendered text, with the name of its parameter and the keys of its jobs.

    `submits` counts the jobs that a run would submit; `former` are the texts that were sent under these keys before.
    """

    name: str
    text: str
    keys: list[str] = field(default_factory=list)
    submits: int = 0
    former: dict[str, None] = field(default_factory=dict)


def prompt_texts(jobs: Iterable[Planned]) -> list[PromptText]:
    """The prompts and negative prompts of the selected jobs, each text once; those to submit come first."""
    found: dict[tuple[str, str], PromptText] = {}
    for planned in jobs:
        if planned.reason == NOT_SELECTED:
            continue
        for name, text in planned.job.payload.items():
            # An empty prompt is sent, too; any other empty text says nothing.
            if name.endswith("prompt") and isinstance(text, str) and (text or name == "prompt"):
                _note(found.setdefault((name, text), PromptText(name, text)), planned)
    return sorted(found.values(), key=lambda each: not each.submits)


def _note(text: PromptText, planned: Planned) -> None:
    text.keys.append(planned.job.key)
    text.submits += planned.action is Action.SUBMIT
    text.former.update(
        {each.old: None for each in planned.changes if each.name == text.name and isinstance(each.old, str)}
    )


def spread(texts: Sequence[PromptText], most: int) -> list[PromptText]:
    """At most so many of the texts: the first, the last, and some between them."""
    if len(texts) <= most:
        return list(texts)
    return [texts[round(number * (len(texts) - 1) / (most - 1))] for number in range(most)]
