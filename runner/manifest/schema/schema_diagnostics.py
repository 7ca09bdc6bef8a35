"""Diagnostics of a value that does not fit its schema, without those that merely follow from others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runner.model import Route


@dataclass(frozen=True, slots=True)
class SchemaDiagnostic:
    """An error of the value at `route`; with `key`, of its key. A missing key has the route that it would have.

    The last three fields show which errors follow from others. `meant` is the key that an unknown key probably stands
    for. `missed` are the keys of which one is missing. `whole` means that the value has another type altogether.
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
        """The route of the mapping that lacks the missed keys. If one key is missed, it is the last step of `route`."""
        return self.route[:-1] if len(self.missed) == 1 else self.route


def independent(diagnostics: Iterable[SchemaDiagnostic]) -> list[SchemaDiagnostic]:
    """The diagnostics that do not merely follow from another: at most one for a value, and one for its key."""
    found = sorted(diagnostics, key=lambda each: not each.whole)
    meant = {(each.route[:-1], each.meant) for each in found if each.meant}
    kept: dict[tuple[Route, bool], SchemaDiagnostic] = {}
    for each in found:
        if not any((each._parent, word) in meant for word in each.missed):
            kept.setdefault((each.route, each.key), each)
    return list(kept.values())
