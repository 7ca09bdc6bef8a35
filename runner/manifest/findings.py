"""Problems of a value, and which of them stand for themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runner.model import Route


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of the value at `route`, or of its key. The route of a missing key is the one that it would have.

    `meant` is the key that an unknown key probably stands for.
    """

    route: Route
    code: str
    message: str
    hint: str = ""
    key: bool = False
    meant: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, with what tells whether others follow from it, or it from others.

    `missed` are the keys of which one is missing, `whole` says that the value is of another type altogether.
    """

    problem: Problem
    missed: tuple[str, ...] = ()
    whole: bool = False


def independent(findings: Iterable[Finding]) -> list[Problem]:
    """The problems that do not merely follow from another: at most one of a value, and one of a key."""
    all_of_them = list(findings)
    meant = {(each.problem.route[:-1], each.problem.meant) for each in all_of_them if each.problem.meant}
    kept: dict[tuple[Route, bool], Problem] = {}
    for each in sorted(all_of_them, key=lambda each: not each.whole):
        problem = each.problem
        if not any((_parent(each), word) in meant for word in each.missed):
            kept.setdefault((problem.route, problem.key), problem)
    return list(kept.values())


def _parent(finding: Finding) -> Route:
    """The mapping that lacks the missed keys. A single one is the last step of its own route."""
    route = finding.problem.route
    return route[:-1] if len(finding.missed) == 1 else route
