"""Fragments: the files that templates include, import or extend."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from jinja2 import BaseLoader, TemplateNotFound
from jinja2 import Environment as JinjaEnvironment

from runner.diagnostics.suggestions import nearby
from runner.diagnostics.text import Text
from runner.manifest.files import read_below
from runner.model import Input, InputKind
from runner.planning.templates.template_values import MAX_TEXT


class MissingFragmentError(TemplateNotFound):
    """There is no file of that name. `hint` may suggest another one."""

    def __init__(self, name: str, hint: str) -> None:
        super().__init__(name)
        self.hint = hint


class Fragments(BaseLoader):
    """Reads each fragment when a template first names it. Its name is a path relative to the first of the folders.

    A fragment may be in any of the folders; without folders there are no fragments. `texts` are the fragments that were
    read, by name.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self.texts: dict[str, Text] = {}

    def get_source(self, environment: JinjaEnvironment, template: str) -> tuple[str, str, None]:
        """The text of a fragment. Raises MissingFragmentError, and what `read_below` raises."""
        if template not in self.texts:
            path = (self._folders[0] if self._folders else Path()) / template
            if not self._folders or not os.path.exists(path):
                raise MissingFragmentError(template, nearby(path, template))
            self.texts[template] = read_below(path, self._folders, template, MAX_TEXT)
        return self.texts[template].text, template, None

    def inputs(self) -> Iterator[Input]:
        """The fragments as inputs of the manifest, sorted by name."""
        for name, text in sorted(self.texts.items()):
            yield Input(InputKind.FRAGMENT, name, hashlib.sha256(text.text.encode()).hexdigest())
