"""Problems of a value, and which of them stand for themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runner.model import Route


@dataclass(frozen=True, slots=True)
class SchemaDiagnostic:
    """A problem of the value at `route`, or of its key. The route of a missing key is the one that it would have.

    The rest tells what follows from what: `meant` is the key that an unknown key probably stands for, `missed` are the
    keys of which one is missing, `whole` says that the value is of another type altogether.
    """

    route: Route
    code: str
    message: str
    hint: str = ""
    key: bool = False
    meant: str = ""
    missed: tuple[str, ...] = ()
    whole: bool = False

    @property
    def _parent(self) -> Route:
        """The mapping that lacks the missed keys. A single one is the last step of its own route."""
        return self.route[:-1] if len(self.missed) == 1 else self.route


def independent(diagnostics: Iterable[SchemaDiagnostic]) -> list[SchemaDiagnostic]:
    """The problems that do not merely follow from another: at most one of a value, and one of a key."""
    found = sorted(diagnostics, key=lambda each: not each.whole)
    meant = {(each.route[:-1], each.meant) for each in found if each.meant}
    kept: dict[tuple[Route, bool], SchemaDiagnostic] = {}
    for each in found:
        if not any((each._parent, word) in meant for word in each.missed):
            kept.setdefault((each.route, each.key), each)
    return list(kept.values())
