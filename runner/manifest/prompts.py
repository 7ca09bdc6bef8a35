"""Prompts: their texts, inline or from files of their own."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from runner.diagnostics.suggestions import known_here
from runner.diagnostics.words import name
from runner.manifest.files import read_below
from runner.manifest.ids import Claim, check_claims
from runner.manifest.json_values import items, mapping
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.model import Image, Json, Prompt, Route

MAX_BYTES = 2**20


def read_prompts(entries: Sequence[Json], base: Path, found: ReadingDiagnostics) -> tuple[Prompt, ...]:
    """The prompts of all entries that are mappings. A prompt file is attached at the route (prompts, index, text)."""
    written = [(index, entry) for index, entry in enumerate(entries) if isinstance(entry, Mapping)]
    prompts = tuple(_prompt(entry, ("prompts", index), base, found) for index, entry in written)
    check_claims(map(_claim, prompts, (entry for _, entry in written)), "prompt", found)
    return prompts


def _prompt(entry: Mapping[str, Json], route: Route, base: Path, found: ReadingDiagnostics) -> Prompt:
    file = entry.get("file")
    path = base / file if isinstance(file, str) else None
    text = str(entry.get("text") or "")
    if path is not None:
        with found.reading((*route, "file"), f"the prompt file {name(str(file))}"):
            content = read_below(path, found.folders, str(file), MAX_BYTES)
            found.attach((*route, "text"), content)
            text = content.text
    return Prompt(
        id=str(entry.get("id", path.stem if path else "") or ""),
        text=text,
        params=mapping(entry.get("params")),
        route=route,
        file=str(path) if path else None,
    )


def for_pictures(
    prompts: Sequence[Prompt], entries: Sequence[Json], images: Sequence[Image], found: ReadingDiagnostics
) -> tuple[Prompt, ...]:
    """The prompts with the ids of the pictures that they are for. A pattern without a picture is reported (E508)."""
    ids = [image.id for image in images]
    return tuple(
        _for_pictures(each, mapping(entries[int(each.route[1])]).get("images"), ids, found) for each in prompts
    )


def _for_pictures(prompt: Prompt, patterns: Json, ids: Sequence[str], found: ReadingDiagnostics) -> Prompt:
    if patterns is None:
        return prompt
    wanted: set[str] = set()
    for index, pattern in enumerate(items(patterns)):
        if not isinstance(pattern, str) or not pattern:
            # That is reported already.
            continue
        matching = [each for each in ids if each == pattern or fnmatchcase(_composed(each), _composed(pattern))]
        if not matching:
            message = f"no picture has the id {name(pattern)}"
            found.error("E508", (*prompt.route, "images", index), message, known_here(pattern, ids))
        wanted.update(matching)
    return replace(prompt, images=frozenset(wanted))


def _composed(text: str) -> str:
    """The text with composed letters. Ids come from file names, and some systems write these with separate accents."""
    return unicodedata.normalize("NFC", text)


def _claim(prompt: Prompt, entry: Mapping[str, Json]) -> Claim | None:
    """The claim to the prompt's id; None if it has no id, which is reported already."""
    file = entry.get("file")
    if not prompt.id and (file is None or "id" in entry):
        return None
    place = (*prompt.route, "id" if "id" in entry else "file")
    return Claim(prompt.id, place, "" if file is None else "file", str(file or prompt.id))
