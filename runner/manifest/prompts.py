"""Prompts: their texts, inline or from files of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.errors import ManifestError
from runner.manifest.diagnostics import Diagnostics
from runner.manifest.files import UnreadableError, read_below
from runner.manifest.ids import Claim, sound_claims
from runner.manifest.text import Text
from runner.manifest.values import mapping
from runner.manifest.words import name
from runner.model import Json, Prompt, Route

MAX_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Prompts:
    """The prompts of a manifest, those with errors included. `are_all` tells whether there are no other ids."""

    all: tuple[Prompt, ...]
    are_all: bool


def read_prompts(entries: Sequence[Json], base: Path, found: Diagnostics) -> Prompts:
    """The prompts of all entries that are mappings. The text of a file stands for the route (prompts, index, text).

    A text that cannot be read is empty, and an id that cannot be used gives way to one that nobody has.
    """
    prompts, claims, are_all = [], [], True
    for index, entry in enumerate(entries):
        if isinstance(entry, Mapping):
            prompts.append(_prompt(entry, ("prompts", index), base, found))
            claims.append(_claim(prompts[-1], entry))
        # The name of a file that is not there may be misspelled, and with it the id.
        are_all &= isinstance(entry, Mapping) and bool(
            entry.get("id") or ("prompts", index, "text") in found.source.attached
        )
    sound = sound_claims(claims, "prompt", found)
    named = [
        each if is_sound else replace(each, id=f"~{each.route[1]}")
        for each, is_sound in zip(prompts, sound, strict=True)
    ]
    return Prompts(tuple(named), are_all)


def _prompt(entry: Mapping[str, Json], route: Route, base: Path, found: Diagnostics) -> Prompt:
    file = entry.get("file")
    path = base / str(file) if file is not None else None
    text = str(entry.get("text", ""))
    content = _read(path, str(file), route, found) if path is not None else None
    if content is not None:
        found.attach((*route, "text"), content)
        text = content.text
    return Prompt(
        id=str(entry.get("id", path.stem if path else "")),
        text=text,
        params=mapping(entry.get("params")),
        route=route,
        file=str(path) if path else None,
    )


def _read(path: Path, written: str, route: Route, found: Diagnostics) -> Text | None:
    try:
        return read_below(path, found.folders, written, MAX_BYTES)
    except ManifestError as error:
        found.extend(error.diagnostics)
    except UnreadableError as error:
        found.error(error.code, (*route, "file"), f"the prompt file {name(written)} {error.message}", error.hint)
    return None


def _claim(prompt: Prompt, entry: Mapping[str, Json]) -> Claim | None:
    """The claim to the prompt's id; None where it has none, which is told already."""
    if not prompt.id and ("file" not in entry or "id" in entry):
        return None
    file = entry.get("file")
    place = (*prompt.route, "id" if "id" in entry else "file")
    return Claim(prompt.id, place, "" if file is None else "file", str(file or prompt.id))
