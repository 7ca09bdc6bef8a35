"""Prompts: their texts, inline or from files of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.errors import ManifestError
from runner.manifest.diagnostics import Diagnostics
from runner.manifest.ids import Claim, sound_claims
from runner.manifest.nearby import nearby
from runner.manifest.text import Text, read_text, shown
from runner.manifest.values import mapping
from runner.manifest.words import name
from runner.model import Json, Prompt, Route

MAX_BYTES = 2**20


def read_prompts(entries: Sequence[Mapping[str, Json]], base: Path, found: Diagnostics) -> tuple[Prompt, ...]:
    """The prompts that are sound. The text of a file stands for the route (prompts, index, text)."""
    read = [_prompt(entry, ("prompts", index), base, found) for index, entry in enumerate(entries)]
    prompts = [each for each in read if each is not None]
    claims = [_claim(each, entries) for each in prompts]
    sound = sound_claims(claims, "prompt", found)
    return tuple(each for each, is_sound in zip(prompts, sound, strict=True) if is_sound)


def _prompt(entry: Mapping[str, Json], route: Route, base: Path, found: Diagnostics) -> Prompt | None:
    file = entry.get("file")
    path = base / str(file) if file is not None else None
    text = str(entry.get("text", ""))
    if path is not None:
        content = _read(path, str(file), route, found)
        if content is None:
            return None
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
        return read_text(path, shown(path), MAX_BYTES)
    except ManifestError as error:
        found.extend(error.diagnostics)
    except FileNotFoundError:
        found.error("E101", (*route, "file"), f"the prompt file {name(written)} does not exist", nearby(path, written))
    except OSError as error:
        message = f"the prompt file {name(written)} cannot be read: {error.strerror}"
        found.error("E101", (*route, "file"), message, "it is a text file; check its permissions")
    return None


def _claim(prompt: Prompt, entries: Sequence[Mapping[str, Json]]) -> Claim:
    entry = entries[int(prompt.route[1])]
    file = entry.get("file")
    place = (*prompt.route, "id" if "id" in entry else "file")
    return Claim(prompt.id, place, "" if file is None else "file", str(file or prompt.id))
