"""Diagnostics as SARIF 2.1.0, the format of code scanning.

The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/. What GitHub asks for beyond it:
https://docs.github.com/code-security/reference/code-scanning/sarif-files/sarif-support
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from runner.diagnostics.codes import CODES
from runner.diagnostics.locations import uri_from
from runner.errors import Diagnostic, Severity

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ENDINGS = (".", "?", "!", "…")


def sarif(diagnostics: Sequence[Diagnostic], version: str, folder: Path) -> dict[str, object]:
    """The SARIF log of one run. `version` is that of this tool; files are named from `folder`, as GitHub wants them."""
    codes = sorted({each.code for each in diagnostics})
    uris = [uri_from(folder, each.position.file) for each in diagnostics]
    prints = _fingerprints(diagnostics, uris)
    results = [
        _result(each, codes.index(each.code), uri, fingerprint)
        for each, uri, fingerprint in zip(diagnostics, uris, prints, strict=True)
    ]
    driver = {"name": "reelrun", "version": version, "rules": [_rule(code) for code in codes]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, object]:
    entry = CODES[code]
    level = Severity.WARNING if code.startswith("W") else Severity.ERROR
    return {
        "id": code,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.text},
        "help": {
            "text": f"{entry.text}\n\n{entry.example}",
            "markdown": f"{entry.text}\n\n```\n{entry.example}\n```",
        },
        "defaultConfiguration": {"level": str(level)},
    }


def _result(diagnostic: Diagnostic, index: int, uri: str, fingerprint: str) -> dict[str, object]:
    place = diagnostic.position
    region = {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.line,
        "endColumn": place.column + place.length,
    }
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": str(diagnostic.severity),
        "message": {"text": _message(diagnostic)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}],
        # Under a name of our own: GitHub's upload action adds the fingerprint that GitHub uses, and complains about
        # a different one under the same name.
        "partialFingerprints": {"reelrun/v1": fingerprint},
    }


def _message(diagnostic: Diagnostic) -> str:
    """The message as a sentence, then the hint. Viewers with little space show only the first sentence."""
    message = diagnostic.message
    sentence = message if message.endswith(_ENDINGS) else f"{message}."
    text = f"{sentence}\n\nHelp: {diagnostic.hint}" if diagnostic.hint else sentence
    # `[text](target)` would be a link (section 3.11.6), through which a manifest could lead the reader anywhere. Braces
    # are not doubled, although section 3.11.5 asks for it: viewers show a message without arguments unchanged, and
    # people copy text from it.
    return text.replace("[", r"\[") if "](" in text else text


def _fingerprints(diagnostics: Sequence[Diagnostic], uris: Sequence[str]) -> list[str]:
    """Identities that stay when lines move: a digest of the code and the text there, and a number among equal ones."""
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for each, uri in zip(diagnostics, uris, strict=True):
        start = each.position.column - 1
        marked = each.source[start : start + each.position.length]
        parts = "\n".join((each.code, " ".join(each.source.split()), marked))
        digest = hashlib.sha256(parts.encode(errors="surrogatepass")).hexdigest()[:16]
        seen[uri, digest] += 1
        found.append(f"{digest}:{seen[uri, digest]}")
    return found
