"""The comparison of a campaign: its clips, what reviewers said of them, and what that says of the arms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from runner.model import JobRecord, Json, Manifest
from runner.planning.matches import Matches
from runner.planning.selection import EVERYTHING, Selection
from runner.review.comparing.clip_votes import VOTES, ClipVotes, clip_votes
from runner.review.comparing.compared_clips import ClipComparison, clip_comparison, compared_name
from runner.review.comparing.interactions import Interaction, interactions
from runner.review.comparing.measure_effects import MeasureEffect, measure_effects
from runner.review.statistics.board import Board, board_of
from runner.review.statistics.comparison_document import Circumstances, compare
from runner.review.statistics.oddities import Oddity
from runner.state.store import Store
from runner.verdicts.votes import Verdicts


@dataclass(frozen=True, slots=True)
class CampaignComparison:
    """The document of a comparison, and what the screen and the page tell beyond it."""

    document: dict[str, Json]
    board: Board = field(repr=False)
    effects: tuple[MeasureEffect, ...] = ()
    interactions: tuple[Interaction, ...] = ()


def compare_campaign(
    manifest: Manifest,
    store: Store,
    verdicts: Verdicts,
    selection: Selection = EVERYTHING,
    *,
    by: str | None = None,
    on: str = VOTES,
) -> CampaignComparison:
    """Compare the arms of a campaign by the clips of the selected jobs. Raises UsageError and StateError."""
    name = compared_name(manifest, by)
    clips = clip_comparison(manifest, _selected(store, selection), name)
    found = clip_votes(clips, verdicts, on, manifest.review.picks)
    effects = tuple(measure_effects(clips, found.votes))
    around = Circumstances(
        manifest=str(manifest.path),
        by=name,
        question=found.question,
        on=on,
        unit=clips.unit,
        noise=found.noise,
        measures=tuple(each.as_json() for each in effects),
        oddities=tuple(_oddities(clips, found, verdicts, _left_over(store, verdicts))),
        stale=verdicts.stale,
    )
    document = compare(found.votes, margin=manifest.review.margin, arms=clips.arms, around=around)
    board = board_of(found.votes, clips.arms)
    pictures = {image.id: image.known for image in manifest.images}
    return CampaignComparison(document, board, effects, tuple(interactions(board, pictures)))


def _selected(store: Store, selection: Selection) -> Iterator[JobRecord]:
    """Raises UsageError at the end if a part of the selection matched nothing."""
    matches = Matches(selection)
    for record in store.records():
        matches.see((record,))
        if selection.has(record):
            yield record
    matches.check()


def _left_over(store: Store, verdicts: Verdicts) -> int:
    """How many votes are on clips that the manifest no longer has."""
    if not verdicts.votes:
        return 0
    gone = {record.id for record in store.records() if record.orphaned}
    return sum(vote.left in gone or vote.right in gone for vote in verdicts.votes)


def _oddities(clips: ClipComparison, found: ClipVotes, verdicts: Verdicts, left_over: int) -> Iterator[Oddity]:
    """What is odd about the clips, rather than the votes."""
    if left_over:
        many = "1 vote is" if left_over == 1 else f"{left_over:,} votes are"
        yield Oddity("stale", f"{many} on clips that the manifest no longer has, and did not count")
    if verdicts.stale:
        many = "1 verdict is" if verdicts.stale == 1 else f"{verdicts.stale:,} verdicts are"
        yield Oddity("stale", f"{many} about clips that were replaced since, and not counted")
    if found.confounded:
        many = "1 pair differs" if found.confounded == 1 else f"{found.confounded:,} pairs differ"
        yield Oddity("confounded", f"{many} in more than {clips.by} and take, and did not count")
    for arm, other in clips.same:
        yield Oddity("confounded", f"some cells of {other} render to the same request as {arm}: votes count for {arm}")
