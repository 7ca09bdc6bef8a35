"""Plain scalars that look otherwise than YAML reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from yaml.nodes import Node, ScalarNode

from runner.diagnostics.words import quoted, shortened
from runner.manifest.yaml.document import Document
from runner.manifest.yaml.pitfalls import Pitfall

# A comment has more than one blank before its sign, or one after it: `5  #five`, `5 # five`.
_CUT = re.compile(r" (#[^\s#][^\n]*)")
_LONGEST = 60
_TEXTS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:null")


def doubts_of(document: Document) -> Iterator[tuple[Node, str, Pitfall]]:
    """The nodes that are read unexpectedly: each with the code of the warning, and why."""
    text = document.source.text.text
    may_be_cut = _CUT.search(text) is not None
    nodes = document.source.below(()) if may_be_cut or document.surprises else ()
    for node in {id(each): each for each in nodes}.values():
        surprise = document.surprises.get(id(node))
        if surprise is not None:
            yield node, "W901", surprise
        elif may_be_cut and isinstance(node, ScalarNode) and not node.style and node.tag in _TEXTS:
            cut = _CUT.match(text, node.end_mark.index)
            if cut is not None:
                yield node, "W341", _of_comment(node.value, cut.group(1))


def _of_comment(value: str, comment: str) -> Pitfall:
    rest = comment.rstrip().rstrip(",}]")
    whole = f"{value} {rest}".strip()
    message = f"the value ends before {quoted(shortened(rest))}: in YAML, # after a blank begins a comment"
    way = f"write {quoted(whole)}, in quotes" if len(whole) <= _LONGEST else "put the whole value in quotes"
    return Pitfall(message, f"{way}; or a blank after # for a comment")
