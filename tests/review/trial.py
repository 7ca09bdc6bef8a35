"""`python -m tests.review.trial`: does `runner.compare_votes` keep its promises where the truth is known?

Each row prints its figures with their Monte Carlo errors, and fails where a bound is missed:

    false       no arm is better: how often a winner is named by whoever looks after every vote
    coverage    how often intervals of 95 % hold the share among all images
    power       an arm with 80 %: how often it is found
    edges       boards with next to no votes, or with 20,000 of 30 arms
    boards      faults of a board: each warned of by its own code, and a clean board by none
    oracles     strengths as two other programs find them
    order       votes in another order: the same document
    outlook     the preference that a plan says would show: how often it does
    next        eight arms: how many votes until the best is known, by the next pair and by balance
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, product

import numpy as np

import runner
from runner.review.statistics.bars import ALPHA
from runner.review.statistics.board import UnitScores, board_of
from runner.review.statistics.comparison_document import compare
from runner.review.statistics.evidence import evidence_of_difference
from runner.review.statistics.outlook import least_share
from runner.review.statistics.strengths import fit
from runner.review.statistics.top_two import top_two
from tests.review.boards import CODES, FAULTY, board
from tests.review.campaigns import Ways, chance, log_odds_of, many_arms, share_of, two_arms

IMAGES, REVIEWERS = (6, 12, 24, 48), (1, 2, 3)
NAMED = ("better", "worse")


@dataclass(frozen=True)
class Figure:
    """What was found, its Monte Carlo error, and the bound; None where it is only told."""

    name: str
    value: float
    error: float = 0.0
    least: float | None = None
    most: float | None = None

    @property
    def is_met(self):
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def __str__(self):
        bound = f"at least {self.least:.3f}" if self.least is not None else ""
        bound = f"at most {self.most:.3f}" if self.most is not None else bound
        return f"{'ok    ' if self.is_met else 'MISSED'} {self.name:58} {self.value:7.3f} +- {self.error:.3f}  {bound}"


def error_of(found):
    return float(np.std(found) / math.sqrt(max(1, len(found))))


# --- false


def looks(votes):
    """The evidence after each vote, by the function that compare_votes asks: each look stands for a pair of its own."""
    whole = board_of(votes)
    unit = {name: number for number, name in enumerate(whole.units)}
    worth = {"a": 1.0, "b": 0.0, "tie": 0.5}
    look, at = np.arange(len(votes)), np.array([unit[vote[0]] for vote in votes])
    hits = np.zeros((len(votes), len(unit)))
    hits[look, at] = 1
    points = np.zeros_like(hits)
    points[look, at] = [worth[vote[3]] for vote in votes]
    number, points = np.cumsum(hits, axis=0), np.cumsum(points, axis=0)
    pair, place = np.nonzero(number)
    votes_seen = number[pair, place]
    starts = np.searchsorted(pair, look)
    return evidence_of_difference(UnitScores(pair, place, points[pair, place] / votes_seen, votes_seen, look, starts))


def is_ever_named(votes):
    """Whether any look names a winner: the look with the most evidence does, if any."""
    evidence = looks(votes)
    best = int(evidence.argmax())
    verdict = runner.compare_votes(votes[: best + 1])["pairs"][0]["verdict"]
    assert (verdict in NAMED) == (evidence[best] >= np.log(1 / ALPHA)), "the trial and the document agree"
    return verdict in NAMED


def false(campaigns, seed):
    """Votes come in any order or in rounds; reviewers lean to an arm in all images, or in each anew."""
    rows = {
        "a reviewer's taste is the same for all images": (Ways(), "random"),
        "a taste for each image": (Ways(persistent=False), "random"),
        "in rounds over all images": (Ways(persistent=False), "rounds"),
        "images all alike, no ties": (Ways(persistent=False, spread=0, ties=0), "random"),
        "images of one mind each, no ties": (Ways(persistent=False, spread=20, ties=0), "random"),
    }
    for name, (ways, order) in rows.items():
        generator = np.random.default_rng(seed)
        settings = list(product(IMAGES, REVIEWERS))
        of_setting = {}
        for number in range(campaigns):
            images, reviewers = setting = settings[number % len(settings)]
            votes = two_arms(generator, 0.5, replace(ways, images=images, reviewers=reviewers), order)
            of_setting.setdefault(setting, []).append(is_ever_named(votes))
        found = [each for told in of_setting.values() for each in told]
        yield Figure(f"false: {name}", np.mean(found), error_of(found), most=0.05)
        worst = max(of_setting, key=lambda each: np.mean(of_setting[each]))
        told = of_setting[worst]
        yield Figure(f"       of it {worst[0]} images, {worst[1]} reviewers (the most)", np.mean(told), error_of(told))

    generator = np.random.default_rng(seed)
    found = [
        is_any_named(many_arms(generator, np.zeros(4), 240, Ways(images=24, reviewers=2)))
        for _ in range(campaigns // 5)
    ]
    yield Figure("false: any of four arms, after every 30 votes", np.mean(found), error_of(found), most=0.05)


def is_any_named(votes, every=30):
    looks_at = (runner.compare_votes(votes[:end])["pairs"] for end in range(every, len(votes) + 1, every))
    return any(pair["verdict"] in NAMED for pairs in looks_at for pair in pairs)


# --- power


def power(campaigns, seed):
    for images, least in ((24, 0.65), (48, 0.90)):
        for persistent in (True, False):
            generator = np.random.default_rng(seed)
            ways = Ways(images=images, ties=0, persistent=persistent)
            found = []
            for _ in range(campaigns):
                document = runner.compare_votes(two_arms(generator, 0.8, ways))
                found.append(document["pairs"][0]["verdict"] == "better")
            taste = "taste for all images" if persistent else "taste for each image"
            yield Figure(f"power: 80 % on {images} images, {taste}", np.mean(found), error_of(found), least=least)


# --- coverage


def coverage(campaigns, seed):
    for images, number, arms in product(IMAGES, (20, 50, 100, 200), (2, 4, 8)):
        generator = np.random.default_rng((seed, images, number, arms))
        shares, strengths = [], []
        for campaign in range(campaigns):
            ways = Ways(images=images, reviewers=1 + campaign % 3)
            true = _strengths(generator, arms)
            document = runner.compare_votes(many_arms(generator, true, number, ways))
            shares.append(np.mean(list(_covered(document, true))))
            strengths.append(np.mean(list(_strengths_covered(document, true))))
        error = error_of(shares)
        name = f"coverage: {images} images, {number} votes, {arms} arms"
        yield Figure(f"{name}, shares", np.mean(shares), error, least=0.94 - error)
        error = error_of(strengths)
        yield Figure(f"{name}, strengths", np.mean(strengths), error)


def _strengths(generator, arms):
    if arms == 2:
        return np.array([log_odds_of(generator.choice([0.5, 0.65, 0.8, 0.9])), 0.0])
    return generator.normal(0, 0.8, arms)


def _covered(document, true):
    for pair in document["pairs"]:
        if pair["share"] is not None:
            a, b = (int(pair[name].removeprefix("arm-")) for name in "ab")
            yield pair["low"] <= share_of(true[a] - true[b]) <= pair["high"]


def _strengths_covered(document, true):
    """Against the log-odds of shares among all images, which are nearer to 0 than those within an image."""
    names = [int(each["name"].removeprefix("arm-")) for each in document["arms"]]
    marginal = true[names] / math.sqrt(1 + 0.346)
    for arm, value in zip(document["arms"], marginal - marginal.mean(), strict=True):
        yield arm["low"] <= value <= arm["high"]


# --- edges


def edges(campaigns, seed):
    unanimous = [(f"image-{k}", "a", "b", "a", "ann", "ab"[k % 2]) for k in range(6)]
    boards = {
        "6 to 0": unanimous,
        "all ties": [(*vote[:3], "tie", *vote[4:]) for vote in unanimous],
        "all both bad": [(*vote[:3], "both-bad", *vote[4:]) for vote in unanimous],
        "one image": [("image", *vote[1:]) for vote in unanimous],
        "one vote": unanimous[:1],
        "no votes": [],
        "no images": [("", *vote[1:]) for vote in unanimous],
    }
    for name, votes in boards.items():
        yield Figure(f"edges: {name}: finite or null, ordered", float(is_sound(runner.compare_votes(votes))), least=1)
    generator = np.random.default_rng(seed)
    votes = many_arms(generator, generator.normal(0, 0.5, 30), 20_000, Ways(images=48, reviewers=3))
    begin = time.process_time()
    document = runner.compare_votes(votes)
    yield Figure("edges: 30 arms, 20,000 votes: seconds of one core", time.process_time() - begin, most=2)
    yield Figure("edges: 30 arms, 20,000 votes: finite or null, ordered", float(is_sound(document)), least=1)


def is_sound(document):
    """Whether every figure is finite or null, and every interval holds its estimate."""
    json.dumps(document, allow_nan=False)
    ordered = [(each["low"], each["share"], each["high"]) for each in document["pairs"]]
    ordered += [(each["low"], each["strength"], each["high"]) for each in document["arms"]]
    ordered += [tuple(document["agreement"][name] for name in ("low", "alpha", "high"))]
    return all(low <= value <= high for low, value, high in ordered if None not in (low, value, high)) and all(
        0 <= value <= 1 for row in ordered[: len(document["pairs"])] for value in row if value is not None
    )


# --- boards


def boards(campaigns, seed):
    number = max(3, campaigns // 10)
    for name, make in FAULTY.items():
        generator = np.random.default_rng(seed)
        found = [CODES[name] in codes_of(make(generator)) for _ in range(number)]
        yield Figure(f"boards: {name}: warned of", np.mean(found), error_of(found), least=1)
    generator = np.random.default_rng(seed)
    found = [bool(codes_of(board(generator))) for _ in range(4 * number)]
    yield Figure("boards: a clean board: warned of anything", np.mean(found), error_of(found), most=0.05)


def codes_of(votes):
    return {each["code"] for each in runner.compare_votes(votes)["warnings"]}


# --- oracles


def oracles(campaigns, seed):
    generator = np.random.default_rng(seed)
    true = generator.normal(0, 0.7, 6)
    votes = many_arms(generator, true, 600, Ways(images=24, reviewers=2, ties=0))
    yield Figure("oracles: choix, same ridge: greatest difference", apart_from_choix(votes), most=0.0005)
    many = many_arms(generator, true, 20_000, Ways(images=48, reviewers=3, ties=0.2))
    yield Figure("oracles: evalica, 20,000 votes, ties: greatest difference", apart_from_evalica(many), most=0.0005)


def apart_from_choix(votes):
    """Without sides, which it does not know."""
    import choix

    plain = board_of([(*vote[:5], None) for vote in votes])
    ridge = 0.5
    data = [(a, b) if answer == 0 else (b, a) for a, b, answer in zip(plain.a, plain.b, plain.answer, strict=True)]
    theirs = choix.opt_pairwise(len(plain.arms), data, alpha=ridge / 2, tol=1e-10)
    return float(np.abs(fit(plain, ridge)[0][:-1] - (theirs - theirs.mean())).max())


def apart_from_evalica(votes):
    """Without sides and, as it has none, with next to no ridge."""
    import evalica

    plain = board_of([(*vote[:5], None) for vote in votes])
    kinds = [evalica.Winner.X, evalica.Winner.Y, evalica.Winner.Draw, evalica.Winner.Draw]
    left, right = ([plain.arms[each] for each in arms] for arms in (plain.a, plain.b))
    found = evalica.bradley_terry(left, right, [kinds[each] for each in plain.answer], tolerance=1e-12, limit=10_000)
    theirs = np.log([found.scores[name] for name in plain.arms])
    return float(np.abs(fit(plain, 1e-9)[0][:-1] - (theirs - theirs.mean())).max())


# --- order


def order(campaigns, seed):
    generator = np.random.default_rng(seed)
    votes = many_arms(generator, generator.normal(0, 0.7, 5), 200, Ways(images=12, reviewers=3))
    first = runner.compare_votes(votes)
    found = [runner.compare_votes([votes[k] for k in generator.permutation(200)]) == first for _ in range(20)]
    turned = [(image, b, a, winner, by, left) for image, a, b, winner, by, left in votes]
    yield Figure("order: votes shuffled: the same document", np.mean(found), least=1)
    yield Figure(
        "order: arms of votes turned: the same document", float(runner.compare_votes(turned) == first), least=1
    )


# --- outlook


def outlook(campaigns, seed):
    """Told as 80 %; the arithmetic may be off by a few points."""
    for images, takes in ((12, 2), (24, 1), (24, 2), (48, 2), (96, 1)):
        generator = np.random.default_rng(seed)
        share = least_share(images, takes, 1)
        ways = Ways(images=images, takes=takes, ties=0, taste=0)
        found = []
        for _ in range(campaigns):
            document = runner.compare_votes(two_arms(generator, share, ways))
            found.append(document["pairs"][0]["verdict"] == "better")
        name = f"outlook: {share:.0%} on {images} images, {takes} votes each: found"
        yield Figure(name, np.mean(found), error_of(found), least=0.7 - error_of(found))


# --- next


_OF_NEXT = 48


def next_pairs(campaigns, seed):
    """Each vote is on a new image in turn. The best arm is known where its chance of being the best is 90 %."""
    for arms in (4, 8):
        strengths = np.array([1.4, *np.linspace(0.2, -0.8, arms - 1)])
        needed = {True: [], False: []}
        for campaign, thinks in product(range(campaigns), (True, False)):
            needed[thinks].append(votes_needed(np.random.default_rng((seed, campaign)), strengths, thinks))
        for thinks, found in needed.items():
            way = "by the next pair" if thinks else "by balance"
            yield Figure(f"next: {arms} arms, median votes until the best is known, {way}", np.median(found), 0)


def votes_needed(generator, strengths, thinks, most=400, sure=0.9):
    arms = [f"arm-{k}" for k in range(len(strengths))]
    pairs = list(combinations(range(len(arms)), 2))
    turns = [pairs[k] for _ in range(most // len(pairs) + 1) for k in generator.permutation(len(pairs))]
    images = generator.normal(0, np.sqrt(0.5), (_OF_NEXT, len(arms)))
    votes = []
    for number in range(most):
        a, b = (arms.index(each) for each in top_two(votes, arms, generator)) if thinks else turns[number]
        odds = (strengths + images[number % _OF_NEXT])[[a, b]]
        winner = a if generator.random() < chance(odds[0] - odds[1]) else b
        left = arms[(a, b)[generator.integers(2)]]
        votes.append((f"image-{number % _OF_NEXT:02}", arms[a], arms[b], arms[winner], "ann", left))
        if number % 4 == 3 and best_chance(votes, arms) >= sure:
            return number + 1
    return most


def best_chance(votes, arms):
    return max(each["best"] for each in compare(votes, arms=arms)["arms"])


ROWS = {each.__name__: each for each in (false, power, coverage, edges, boards, oracles, order, outlook)}
ROWS["next"] = next_pairs
USUAL = {"false": 2000, "power": 1000, "coverage": 300, "boards": 1000, "outlook": 400, "next": 15}


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests.review.trial",
        description=__doc__,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=120),
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)} (all)")
    parser.add_argument("--campaigns", type=int, help="how many of each kind")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    missed = 0
    for name in options.rows or ROWS:
        begin = time.process_time()
        number = options.campaigns or USUAL.get(name, 1)
        print(f"{name}: seed {options.seed}, {number} campaigns", flush=True)
        for figure in ROWS[name](number, options.seed):
            missed += not figure.is_met
            print(figure, flush=True)
        print(f"{name}: {time.process_time() - begin:.0f} s of one core", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
