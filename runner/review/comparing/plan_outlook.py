"""What votes on the clips of a plan could find out, before anything is bought."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

from runner.planning.plan import Plan
from runner.review.comparing.compared_clips import MODEL, PROMPT, arms_of, compared_names
from runner.review.comparing.sentences import count
from runner.review.statistics.outlook import fewest_units, least_share

# Of so many axes it is told.
_MOST_AXES = 3


def plan_outlook(planned: Plan) -> list[str]:
    """For each thing to compare: which preference would show, and whether further images or takes help more; empty
    where there is one arm."""
    names = compared_names(planned.manifest) if planned.cells else []
    return [line for name in names[:_MOST_AXES] for line in _told(planned, name)]


def _told(planned: Plan, by: str) -> Iterator[str]:
    """`6 images x 2 prompts: only a preference of 93 % or more would show`."""
    manifest = planned.manifest
    arms, is_pictured = len(arms_of(manifest, by)), any(map(manifest.gives_images, manifest.models))
    clips = max(1, planned.cells // arms)
    units = len(manifest.images) if is_pictured else max(1, clips // manifest.takes)
    votes, pairs, unit = max(1, clips // units), comb(arms, 2), "image" if is_pictured else "variant"
    now = least_share(units, votes, pairs)
    size = f"{count(units, unit)} x {count(arms, by) if by in (PROMPT, MODEL) else f'{arms} values of {by}'}"
    if now is None:
        yield f"{size}: no preference would show; {fewest_units(pairs)} {unit}s are the least"
    else:
        yield f"{size}: only a preference of {_percent(now)} or more would show"
    more_units, more_takes = least_share(2 * units, votes, pairs), least_share(units, 2 * votes, pairs)
    if more_units is not None or more_takes is not None:
        helps = unit if (more_units or 1) <= (more_takes or 1) else "take"
        yield (
            f"one more {helps} helps most: twice the {unit}s show {_percent(more_units)}, twice the takes"
            f" {_percent(more_takes)}"
        )


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.0%}".replace("%", " %")
