"""A manifest that is a dictionary, as the text that the same manifest would be as a file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import yaml

from runner.errors import UsageError

# No dot: what follows the last one would pass for the extension of a file.
_UNSAFE = re.compile(r"[^\w-]+")


class _Writer(yaml.SafeDumper):
    """Texts stand in double quotes: no reader takes one for a number."""

    def represent_quoted(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Writer.add_representer(str, _Writer.represent_quoted)


def yaml_of(document: Mapping[str, object]) -> str:
    """Raises UsageError for what a manifest cannot hold."""
    try:
        return yaml.dump(_plain(document), Dumper=_Writer, sort_keys=False, allow_unicode=True, width=float("inf"))
    except yaml.representer.RepresenterError as error:
        raise _unfit(type(error.args[-1]).__name__) from None
    except RecursionError:
        raise _unfit("what holds itself") from None


def _unfit(what: str) -> UsageError:
    hint = "a manifest has texts, numbers, true, false, none, lists and dictionaries"
    return UsageError(f"{what} cannot stand in a manifest", hint)


def stem_of(document: Mapping[str, object]) -> str:
    """The name that its file would have, without extension."""
    return _UNSAFE.sub("-", str(document.get("name", ""))).strip("-") or "manifest"


def _plain(value: Any) -> object:
    """Without the types of libraries: paths are texts, and what NumPy and pandas hold are numbers and lists."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return [_plain(each) for each in value] if isinstance(value, (list, tuple, range)) else value
