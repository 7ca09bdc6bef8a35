"""Templates as tests render them, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runner.model import Json
from runner.planning.templates.template import Template, Templates
from runner.planning.templates.template_errors import InvalidTemplateError, TemplateDiagnostic

VARIABLES: Mapping[str, Any] = {
    "product": "trail shoe",
    "surface": "wet rock",
    "camera": "slow push-in",
    "cfg": 0.3,
    "number": "007",
    "tags": ["b", "a"],
    "scene": {"light": {"angle": 30}, "id": "dawn"},
    "nothing": None,
    "flag": True,
    "image": {"id": "shoe", "width": 800, "height": 600},
    "take": 1,
}


def compiled(text: str, *folders: Path) -> Template:
    """A template, with fragments in the folders."""
    return Templates([each.resolve() for each in folders]).compile(text)


def render(text: str, *folders: Path, **more: object) -> str:
    return compiled(text, *folders).render({**VARIABLES, **more})


def value(text: str, *folders: Path, **more: object) -> Json:
    return compiled(text, *folders).value({**VARIABLES, **more})


def fault(text: str, *folders: Path, **more: object) -> TemplateDiagnostic:
    """What is wrong with a text, as a template or with these variables."""
    with pytest.raises(InvalidTemplateError) as caught:
        render(text, *folders, **more)
    return caught.value.diagnostic


def marked(text: str, problem: TemplateDiagnostic) -> str:
    """What the caret is under, in the template or in its fragment."""
    source = text if problem.fragment is None else problem.fragment.text
    return source[problem.offset : problem.offset + problem.length]
