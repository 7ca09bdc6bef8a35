"""The paths of videos below `videos/`. No name from a manifest or a table can make a path outside of that folder."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from runner.diagnostics.suggestions import unexpanded

# Names that Windows reserves for devices, with any extension
# (https://learn.microsoft.com/windows/win32/fileio/naming-a-file).
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
# Nearly all paths match this: ASCII, and no part begins or ends with a dot. They are safe as they are, unless they
# contain one of the next two patterns.
_PLAIN = re.compile(r"(?:[\w~=,+-](?:[\w~=,.+-]*[\w~=,+-])?/){0,11}[\w~=,+-](?:[\w~=,.+-]*[\w~=,+-])?", re.ASCII)
# These two search a lower-case path with a slash before it. Patterns that begin with a fixed character are fast.
_DEVICE_INSIDE = re.compile(r"/(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:[./]|$)")
_OUR_SUFFIX_INSIDE = re.compile(r"\.(?:mp4|webm|mov|mkv|gif|jpg|part|etag)/")
_UNSAFE_CHARACTERS = re.compile(r'[<>:"|?*\\\s]+')
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_LONGEST_SEGMENT = 160  # bytes; leaves room for the suffixes that we add
_MOST_SEGMENTS = 12
# Suffixes that we add to paths. A folder with such a name could be where a file must be written.
_OUR_SUFFIXES = (".mp4", ".webm", ".mov", ".mkv", ".gif", ".jpg", ".part", ".etag")


def unsafe_text(template: str) -> str | None:
    """Why the text of an output template is not allowed, whatever its variables hold; None if it is allowed."""
    text = _TEMPLATE.sub(lambda found: "x" if found.group().startswith("{{") else "", template)
    parts = text.split("/")
    if text.startswith("/") or re.match(r"[A-Za-z]:", text) or "\\" in text:
        return "it must be a relative path with forward slashes"
    if unexpanded(text):
        return f"nothing replaces {unexpanded(text)} in it; videos stay below videos/ in the output folder"
    if any(part.strip() in (".", "..") for part in parts):
        return "it must not contain '.' or '..' as a folder"
    if text.lower().endswith(".mp4"):
        return "leave out .mp4, which every path gets"
    if any(not part.strip() for part in parts):
        return "it has an empty part between its slashes" if len(parts) > 1 else "it is empty"
    return None


def safe_path(text: str) -> str:
    """A rendered path made safe: relative, and without parts that a file system refuses or reads as something else.

    A safe path stays unchanged.
    """
    if len(text) <= _LONGEST_SEGMENT and _PLAIN.fullmatch(text):
        lowered = f"/{text.lower()}"
        if not _DEVICE_INSIDE.search(lowered) and not _OUR_SUFFIX_INSIDE.search(lowered):
            return text
    parts = [part for part in unicodedata.normalize("NFC", text).split("/") if part.strip(". ")] or ["_"]
    head, tail = parts[: _MOST_SEGMENTS - 1], parts[_MOST_SEGMENTS - 1 :]
    if tail:
        head.append("-".join(tail))
    *folders, name = head
    return "/".join((*(_safe_segment(part, is_folder=True) for part in folders), _safe_segment(name)))


def _safe_segment(part: str, *, is_folder: bool = False) -> str:
    shown = "".join("-" if unicodedata.category(character).startswith("C") else character for character in part)
    shown = _UNSAFE_CHARACTERS.sub("-", shown.strip()).rstrip(". ")
    if shown.startswith(".") or _DEVICES.fullmatch(shown) or not shown:
        shown = f"_{shown.lstrip('.')}"
    if is_folder and shown.lower().endswith(_OUR_SUFFIXES):
        shown += "_"
    if len(shown.encode()) > _LONGEST_SEGMENT:
        digest = f"~{hashlib.sha256(shown.encode()).hexdigest()[:8]}"
        shown = shown.encode()[: _LONGEST_SEGMENT - len(digest)].decode(errors="ignore") + digest
    return shown
