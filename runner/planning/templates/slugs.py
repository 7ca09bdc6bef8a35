"""Names made from values, fit for paths and keys."""

from __future__ import annotations

import hashlib
import unicodedata
from itertools import groupby

LONGEST = 60


def slug(text: str, *, keeps_case: bool = False) -> str:
    """A short name for `text`: lower case, with `-` between words, never empty, at most 60 characters.

    The text is normalized to NFKC (Unicode Standard Annex 15) and, unless `keeps_case`, to lower case. Every run of
    characters other than letters (with their combining marks), digits, `.` and `_` becomes one `-`. Leading and
    trailing `-` and `.` are removed, so that the result is neither a hidden file nor `..`. Letters of every script are
    kept. If nothing is left, the name is the first 8 hex digits of the sha256 of the text in UTF-8. The slug of a slug
    is the same slug.
    """
    normal = unicodedata.normalize("NFKC", text) if keeps_case else _lower(text)
    runs = groupby(normal, key=_stays)
    name = "".join("".join(run) if stays else "-" for stays, run in runs).strip("-.")[:LONGEST].rstrip("-.")
    return name or hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]


def _lower(text: str) -> str:
    """NFKC before and after lower case, which can undo it: a capital I with a dot becomes two characters."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())


def _stays(character: str) -> bool:
    return character in "._" or unicodedata.category(character)[0] in "LMN"
