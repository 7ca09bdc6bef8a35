"""The comparison as a section of the page: sentences, and plots that need no script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from runner.model import Manifest
from runner.review.comparing.campaign_comparison import CampaignComparison, compare_campaign
from runner.review.comparing.compared_clips import compared_names
from runner.review.comparing.sentences import (
    count,
    folded_words,
    headline,
    leader_first,
    of_interaction,
    of_measures,
    of_pair,
    of_reviewers,
    percent,
)
from runner.review.statistics.board import Board
from runner.state.store import Store
from runner.verdicts.votes import Verdicts

_MOST_ROWS = 20
_LABEL, _WIDTH, _ROW, _EDGE = 200, 640, 34, 24
_SPAN = _WIDTH - _LABEL - _EDGE
_LONGEST_NAME = 30
# How many dots lie above each other before they cover others, and how far apart.
_LEVELS, _APART = 9, 3
_ENDS = ("low", "share", "high")


def comparison_section(manifest: Manifest, store: Store, verdicts: Verdicts) -> Markup:
    """The comparisons of everything that votes speak of; empty where there are no votes."""
    if not verdicts.votes:
        return Markup("")
    found = (compare_campaign(manifest, store, verdicts, by=name) for name in compared_names(manifest))
    return Markup("").join(_section(each, manifest.review.margin) for each in found if len(each.board.a))


def _section(found: CampaignComparison, margin: float) -> Markup:
    document: Mapping[str, Any] = found.document
    told, folded = of_measures(found.effects)
    rest = [*map(of_interaction, found.interactions), *of_reviewers(document), *told]
    pairs = [pair for pair in document["pairs"] if pair["votes"]]
    shown = sorted(pairs, key=lambda pair: (pair["verdict"] == "not-enough", -pair["votes"]))[:_MOST_ROWS]
    more = [f"... and {len(pairs) - len(shown):,} more pairs."] if len(pairs) > len(shown) else []
    return Markup(
        '<details class="comparison"><summary>{by}: {headline}</summary>{shares}{strengths}'
        "{pairs}{rest}{folded}{warnings}</details>\n"
    ).format(
        by=document["by"],
        headline=headline(document),
        shares=_shares(shown, found.board, document["unit"], margin / 100),
        strengths=_strengths(document["arms"]),
        pairs=_list([*(of_pair(pair, document["unit"]) for pair in shown), *more]),
        rest=_list(rest),
        folded=Markup("<details><summary>{} more</summary><p>{}</p></details>").format(
            count(len(folded), "measure"), folded_words(folded)
        )
        if folded
        else "",
        warnings=_list([each["message"] for each in document["warnings"]], "warnings"),
    )


def _list(lines: Sequence[str], kind: str = "") -> Markup:
    items = Markup("").join(Markup("<li>{}</li>").format(line) for line in lines)
    return Markup('<ul class="{}">{}</ul>').format(kind or "sentences", items) if lines else Markup("")


def _plot(name: str, rows: Iterable[Markup], axis: Markup, number: int) -> Markup:
    height = number * _ROW + 22
    return Markup(
        '<figure tabindex="0"><figcaption>{}</figcaption>'
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg></figure>'
    ).format(name, _WIDTH, height, name, axis, Markup("").join(rows))


def _shares(pairs: Sequence[Mapping[str, Any]], board: Board, unit: str, margin: float) -> Markup:
    """A row a pair: a dot a unit, the share with its interval, and what makes no difference as a band."""
    bottom = len(pairs) * _ROW
    ticks = ((value, f"{round(100 * value)} %") for value in (0, 0.25, 0.5, 0.75, 1))
    band = Markup('<rect class="band" x="{}" y="0" width="{}" height="{}"/>').format(
        _at(0.5 - margin), _round(2 * margin * _SPAN), bottom
    )
    scores = _scores(board)
    rows = (_share_row(place, leader_first(pair), scores) for place, pair in enumerate(pairs))
    return _plot(f"Shares, a dot for each {unit}", rows, band + _axis(ticks, bottom), len(pairs))


def _scores(board: Board) -> dict[tuple[str, str], list[float]]:
    units = board.unit_scores()
    found: dict[tuple[str, str], list[float]] = {}
    for pair, score in zip(units.pair.tolist(), units.score.tolist(), strict=True):
        a, b = board.pairs[pair]
        found.setdefault((board.arms[a], board.arms[b]), []).append(score)
        found.setdefault((board.arms[b], board.arms[a]), []).append(1 - score)
    return found


def _share_row(place: int, pair: Mapping[str, Any], scores: Mapping[tuple[str, str], Sequence[float]]) -> Markup:
    y = place * _ROW + _ROW / 2
    stacked = _stacked(scores[pair["a"], pair["b"]])
    dots = Markup("").join(_dot(_at(share), y + lift) for share, lift in stacked)
    return _label(y, f"{pair['a']} over {pair['b']}") + dots + _interval(y, *(_at(pair[end]) for end in _ENDS))


def _stacked(scores: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Dots of one share lie one above the other, within the row."""
    of_place: Counter[int] = Counter()
    for score in sorted(scores):
        place = round(score * 60)
        step = of_place[place] % _LEVELS
        of_place[place] += 1
        yield score, (step + 1) // 2 * (_APART if step % 2 else -_APART)


def _strengths(arms: Sequence[Mapping[str, Any]]) -> Markup:
    """A row an arm, the strongest first: its strength with the interval, and how surely it is the best."""
    shown = sorted(arms, key=lambda arm: -arm["strength"])[:_MOST_ROWS]
    widest = max(1.0, *(max(abs(arm["low"]), abs(arm["high"])) for arm in shown))

    def at(value: float) -> float:
        return _at(0.5 + value / widest / 2)

    bottom = len(shown) * _ROW
    ticks = ((0.5 + value / widest / 2, f"{value:+.1f}" if value else "0") for value in (-widest, 0, widest))
    rows = (
        _label(place * _ROW + _ROW / 2, f"{arm['name']} · best: {percent(arm['best'])}")
        + _interval(place * _ROW + _ROW / 2, at(arm["low"]), at(arm["strength"]), at(arm["high"]))
        for place, arm in enumerate(shown)
    )
    return _plot("Strengths (log-odds), with intervals of 95 %", rows, _axis(ticks, bottom), len(shown))


def _axis(ticks: Iterable[tuple[float, str]], bottom: float) -> Markup:
    form = '<line class="tick" x1="{x}" x2="{x}" y1="0" y2="{y}"/><text class="tick" x="{x}" y="{below}">{text}</text>'
    return Markup("").join(Markup(form).format(x=_at(x), y=bottom, below=bottom + 15, text=text) for x, text in ticks)


def _label(y: float, text: str) -> Markup:
    short = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
    return Markup('<text class="label" x="0" y="{}"><title>{}</title>{}</text>').format(_round(y + 4), text, short)


def _dot(x: float, y: float) -> Markup:
    return Markup('<circle class="unit" cx="{}" cy="{}" r="2.2"/>').format(x, _round(y))


def _interval(y: float, low: float, middle: float, high: float) -> Markup:
    return Markup(
        '<line class="interval" x1="{}" x2="{}" y1="{y}" y2="{y}"/><circle class="middle" cx="{}" cy="{y}" r="4.5"/>'
    ).format(low, high, middle, y=_round(y))


def _at(share: float) -> float:
    """Where a share between 0 and 1 is drawn."""
    return _round(_LABEL + share * _SPAN)


def _round(value: float) -> float:
    return round(value, 1)
