"""A comparison in plain sentences, for the screen and the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from runner.review.statistics.binomial import binomial_p

if TYPE_CHECKING:
    # They need numpy, and these sentences are for a plan, too.
    from runner.review.comparing.interactions import Interaction
    from runner.review.comparing.measure_effects import MeasureEffect

# A row of the document, which JSON has no narrower type for.
Row: TypeAlias = Mapping[str, Any]
_SURE = 0.05


def percent(share: float) -> str:
    """`71 %`; no share that is not whole is told as 0 or 100."""
    whole = round(100 * share)
    return "over 99 %" if whole == 100 and share < 1 else "under 1 %" if whole == 0 and share > 0 else f"{whole} %"


def of_pair(pair: Row, unit: str) -> str:
    """What is known of two arms."""
    if not pair["votes"]:
        return f"{pair['a']} and {pair['b']}: nobody has compared them."
    pair = leader_first(pair)
    a, b = pair["a"], pair["b"]
    figures = f"{percent(pair['share'])} for {a} on {count(pair['images'], unit)} ({_range(pair)})"
    if pair["verdict"] == "better":
        return f"{a} is better than {b}: {figures}."
    if pair["verdict"] == "no-difference":
        return f"{a} and {b} make no difference that matters: {figures}."
    more = pair["more_images"]
    next_ = f"about {count(more, unit, 'more ')} would tell" if more else f"1,000 more {unit}s would hardly tell"
    return f"{a} or {b}: not enough to tell: {figures}; {next_}."


def leader_first(pair: Row) -> Row:
    """The same pair, with the arm first that has more than half."""
    if pair["share"] >= 0.5:
        return pair
    turned = {"share": 1 - pair["share"], "low": 1 - pair["high"], "high": 1 - pair["low"]}
    verdict = {"better": "worse", "worse": "better"}.get(pair["verdict"], pair["verdict"])
    return {**pair, **turned, "a": pair["b"], "b": pair["a"], "verdict": verdict}


def _range(row: Row) -> str:
    return f"{round(100 * row['low'])} to {percent(row['high'])}"


def count(number: int, noun: str, before: str = "") -> str:
    return f"{number:,} {before}{noun}{'' if number == 1 else 's'}"


def of_interaction(each: Interaction) -> str:
    """`mood or plain: 81 % for mood where product is shoe, 35 % elsewhere.`"""
    own, others = percent(each.share), percent(each.others)
    return f"{each.a} or {each.b}: {own} for {each.a} where {each.name} is {each.value}, {others} elsewhere."


def of_reviewers(document: Row) -> Iterator[str]:
    """What is known of how reviewers voted, where that matters."""
    agreed, noise, side = document["agreement"], document["noise"], document["side"]
    if agreed["alpha"] is not None:
        ends = "" if agreed["low"] is None else f" ({agreed['low']:.2f} to {agreed['high']:.2f})"
        words = _agreement_words(agreed["alpha"])
        yield f"The {agreed['reviewers']} reviewers {words}: Krippendorff's alpha is {agreed['alpha']:.2f}{ends}."
    if noise["share"] is not None and noise["p"] < _SURE:
        yield (
            f"Of {count(noise['votes'], 'vote')} between takes of one cell the lower take won"
            f" {percent(noise['share'])}: something other than the clip decides."
        )
    if side["share"] is not None and side["p"] < _SURE:
        yield f"The left side won {percent(side['share'])} of all decided votes."


def _agreement_words(alpha: float) -> str:
    if alpha >= 0.667:
        return "agree"
    return "agree in part" if alpha >= 0.2 else "hardly agree"


def of_measures(effects: Sequence[MeasureEffect]) -> tuple[list[str], list[str]]:
    """The measures that go with the votes, a sentence an arm that differs; and the names of the others."""
    told: list[str] = []
    folded: dict[str, None] = {}
    for each in effects:
        chance = binomial_p(each.won, each.decided)
        if chance is None:
            continue
        if chance >= _SURE:
            folded[each.name] = None
        elif each.low is not None and each.high is not None and each.low * each.high > 0:
            told.append(_effect(each))
    return told, list(folded)


def _effect(each: MeasureEffect) -> str:
    noise = f", {abs(each.effect) / each.noise:.1f} times the noise between takes" if each.noise else ""
    size = f"{each.arm} has {abs(each.effect):.3g} {'more' if each.effect > 0 else 'less'}{noise}"
    lost = each.decided - each.won
    more, share = ("more", each.won) if each.won > lost else ("less", lost)
    return f"{each.name}: {size}; {more} of it won {percent(share / each.decided)} of the votes."


def headline(document: Row) -> str:
    """The one sentence of a comparison: who leads, and whether that is sure."""
    arms, pairs = document["arms"], document["pairs"]
    if not any(pair["votes"] for pair in pairs):
        return "There are no votes to compare the arms by."
    won = {arm["name"]: 0 for arm in arms}
    for pair in pairs:
        if pair["verdict"] in ("better", "worse"):
            won[pair["a"] if pair["verdict"] == "better" else pair["b"]] += 1
    best = [name for name, number in won.items() if number == len(arms) - 1]
    if best:
        return f"{best[0]} wins."
    lead = max(arms, key=lambda arm: arm["best"])
    return f"No winner yet. {lead['name']} leads: its chance of being the best is {percent(lead['best'])}."


def folded_words(names: list[str]) -> str:
    return f"No votes go with {', '.join(names)}."
