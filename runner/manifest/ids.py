"""Checks the ids of pictures and prompts: each must be usable and unique."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runner.diagnostics.words import flow, name
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.model import Route

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Claim:
    """An id, the place that gives it, and what it names.

    For `file: images/shoe.jpg`, `source` is `file` and `label` is the path.
    """

    id: str
    place: Route
    source: str
    label: str


def check_claims(claims: Iterable[Claim | None], what: str, found: ReadingDiagnostics) -> None:
    """Report ids that cannot be used or are given twice. None stands for an entry without an id, reported already."""
    first: dict[str, Claim] = {}
    for claim in filter(None, claims):
        if not claim.id:
            found.error("E202", claim.place, f"{claim.label} has no name to take an id from", "add id: NAME")
        elif len(claim.id) > _LONGEST or any(_is_unfit(each) for each in claim.id):
            message = f"the {what} id {name(claim.id)} has characters that no id has, or more than {_LONGEST} of them"
            found.error("E207", claim.place, message, "give it an id of its own: id: NAME")
        elif first.setdefault(claim.id, claim) is not claim:
            _twice(first[claim.id], claim, what, found)


def _is_unfit(character: str) -> bool:
    """Whether this is a control character, or half of a surrogate pair: a file name that is not UTF-8 has such."""
    return character < " " or "\x7f" <= character <= "\x9f" or "\ud800" <= character <= "\udfff"


def _twice(earlier: Claim, claim: Claim, what: str, found: ReadingDiagnostics) -> None:
    if earlier.place == claim.place:
        message = f"{earlier.label} and {claim.label} have the same {what} id {name(claim.id)}"
        hint = "an id is the file name without its ending: rename one, or list it by file with an id"
        found.error("E210", claim.place, message, hint)
        return
    place = found.source.position(earlier.place)
    here = found.source.position(claim.place)
    where = f"line {place.line}" if place.file == here.file else f"{place.file}:{place.line}"
    labelled = "" if claim.label == claim.id else f", of {earlier.label}"
    message = f"the {what} id {name(claim.id)} is given twice; the first is in {where}{labelled}"
    hint = "give one of them another id"
    if claim.source == "image" and claim.place[-1] == "image":
        hint = "add a column id to the table, with an id of its own in each row"
    elif claim.source in ("file", "url"):
        hint += f": {{{claim.source}: {flow(claim.label)}, id: {flow(claim.id + '-2')}}}"
    found.error("E210", claim.place, message, hint)
