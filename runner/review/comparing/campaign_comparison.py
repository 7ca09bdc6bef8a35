"""The comparison of a campaign: its clips, what reviewers said of them, and what that says of the arms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from runner.model import Json, Manifest
from runner.planning.selection import EVERYTHING, Selection
from runner.review.comparing.clip_votes import VOTES, ClipVotes, clip_votes
from runner.review.comparing.compared_clips import ClipComparison, clip_comparison, compared_name
from runner.review.comparing.interactions import Interaction, interactions
from runner.review.comparing.measure_effects import measure_effects
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
    clips = clip_comparison(manifest, filter(selection.has, store.records()), name)
    found = clip_votes(clips, verdicts, on, manifest.review.picks)
    around = Circumstances(
        manifest=str(manifest.path),
        by=name,
        question=found.question,
        on=on,
        unit=clips.unit,
        noise=found.noise,
        measures=tuple(each.as_json() for each in measure_effects(clips, found.votes)),
        oddities=tuple(_oddities(clips, found, verdicts)),
        stale=verdicts.stale,
    )
    document = compare(found.votes, margin=manifest.review.margin, arms=clips.arms, around=around)
    board = board_of(found.votes, clips.arms)
    pictures = {image.id: image.known for image in manifest.images}
    return CampaignComparison(document, board, tuple(interactions(board, pictures)))


def _oddities(clips: ClipComparison, found: ClipVotes, verdicts: Verdicts) -> Iterator[Oddity]:
    """What is odd about the clips, rather than the votes."""
    if verdicts.stale:
        many = "1 verdict is" if verdicts.stale == 1 else f"{verdicts.stale:,} verdicts are"
        yield Oddity("stale", f"{many} about clips that were replaced since, and not counted")
    if found.confounded:
        many = "1 pair differs" if found.confounded == 1 else f"{found.confounded:,} pairs differ"
        yield Oddity("confounded", f"{many} in more than {clips.by} and take, and did not count")
    for arm, other in clips.same:
        yield Oddity("confounded", f"some cells of {other} render to the same request as {arm}: votes count for {arm}")
