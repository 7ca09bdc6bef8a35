"""Manifests from strangers who mean harm, each in another way: what they hold, and what is said of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MODEL = "Kling-Image2Video-V1.6-Standard"
DOUBLED = "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(60) %}"
DOUBLED += "{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}"


@dataclass(frozen=True)
class Case:
    """A manifest by its name. `code` and `line` are those of the diagnostic, `file` is the file that it is in."""

    name: str
    code: str
    line: int
    prompt: Mapping[str, object] = field(default_factory=lambda: {"text": "The shoe, slow push-in"})
    more: Mapping[str, object] = field(default_factory=dict)
    prepare: Callable[[Path], None] = lambda folder: None
    file: str = "campaign.yaml"

    def write(self, folder: Path) -> Path:
        """The manifest in a folder, with all that it needs there: a key a line, the prompts on line 4."""
        self.prepare(folder)
        document: dict[str, Any] = {
            "version": 1,
            "model": MODEL,
            "images": [{"url": "https://example.com/shoe.jpg"}],
            "prompts": [{"id": "plain", **self.prompt}],
            **self.more,
        }
        lines = [f"{name}: {json.dumps(value)}" for name, value in document.items()]
        path = folder / "campaign.yaml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def template(name: str, text: str, code: str = "E314", **more: object) -> Case:
    return Case(name, code, 4, {"text": text}, more)


def schema(name: str, code: str, rules: Mapping[str, Any], line: int, file: str) -> Case:
    def prepare(folder: Path) -> None:
        document: dict[str, Any] = {
            "type": "object",
            "required": ["image"],
            "properties": {"image": {"type": "string", "x-image": {}}, "prompt": {"type": "string"}},
        }
        document["properties"].update(rules.get("properties", {}))
        path = folder / "mine.schema.json"
        path.write_text(json.dumps({**rules, **document}, indent=1), encoding="utf-8")

    text = {"text": "a" * 2000 + "!"}
    return Case(name, code, line, text, {"model": "mine", "models": {"mine": "mine.schema.json"}}, prepare, file)


def written(name: str, text: str) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        (folder / name).write_text(text, encoding="utf-8")

    return prepare


def fifo(folder: Path) -> None:
    os.mkfifo(folder / "prompt.j2")


def link(target: str) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        (folder / "prompt.j2").symlink_to(target)

    return prepare


def link_up(folder: Path) -> None:
    for number in range(9):
        (folder / f"up{number}").symlink_to("..")


def outside(folder: Path) -> None:
    (folder.parent / "secret.txt").write_text("secret, slow push-in", encoding="utf-8")


def link_out(folder: Path) -> None:
    outside(folder)
    (folder / "prompt.j2").symlink_to("../secret.txt")


def doubling_references(levels: int) -> dict[str, object]:
    """Each level names the next one twice: 2 to the power of the levels, once all references are followed."""
    names = [f"level{number}" for number in range(levels)]
    steps: dict[str, object] = {
        name: {"allOf": [{"$ref": f"#/$defs/{after}"}, {"$ref": f"#/$defs/{after}"}]}
        for name, after in zip(names, (*names[1:], "end"), strict=True)
    }
    return {"$defs": {**steps, "end": {"type": "string"}}, "properties": {"prompt": {"$ref": "#/$defs/level0"}}}


TEMPLATES = (
    template("loops", "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"),
    template("powers", "{{ 10 ** (10 ** 10) }}"),
    template(
        "products", "{% set ns = namespace(x=9) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}"
    ),
    template("width", "{{ 'x'.center(10 ** 10) }}"),
    template("format", "{{ '%10000000000d' % 1 }}"),
    template("repetition", "{{ 'x' * 10 ** 10 }}"),
    template("recursion", "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}"),
    template("recursive loop", "{% for x in [[1]] recursive %}{{ loop([x, x]) }}{% endfor %}"),
    template(
        "doubled text",
        "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    ),
    template("doubled lists", DOUBLED + "{{ 'equal' if ns.x == ns.y }}"),
    template("long text", "{% for i in range(99999) %}" + "z" * 9000 + "{% endfor %}"),
    template("nested brackets", "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "E301"),
    template("long template", "{{ '' }}" * 140_000),
    template(
        "a slow cell of a million",
        "{% for i in range(60000) %}{{ '' }}{% endfor %}{{ a }} {{ b }}, slow push-in",
        "E318",
        matrix={"a": list(range(1000)), "b": list(range(1000))},
        budget={"max_jobs": 2_000_000},
    ),
    template("Python's insides", "{{ ''.__class__.__mro__[1].__subclasses__() }}", "E313"),
)
FILES = (
    Case(
        "a file that includes itself", "E314", 1, {"file": "a.j2"}, {}, written("a.j2", "{% include 'a.j2' %}"), "a.j2"
    ),
    Case("a pipe", "E101", 4, {"file": "prompt.j2"}, {}, fifo),
    Case("the environment", "E107", 4, {"file": "/proc/self/environ"}),
    Case("the environment, included", "E107", 4, {"text": "{% include '/proc/self/environ' %}"}),
    Case("a device", "E107", 4, {"file": "/dev/zero"}),
    Case("a device behind a link", "E107", 4, {"file": "prompt.j2"}, {}, link("/dev/zero")),
    Case("a way out", "E107", 4, {"file": "../secret.txt"}, {}, outside),
    Case("a link out", "E107", 4, {"file": "prompt.j2"}, {}, link_out),
    Case("a large file", "E105", 1, {"file": "large.j2"}, {}, written("large.j2", "x" * 2**21), "large.j2"),
    Case("a glob into the kernel", "E408", 3, more={"images": [{"glob": "/proc/**/*.png"}]}),
    Case("a glob of a link back up", "E408", 3, more={"images": [{"glob": "**/*.png"}]}, prepare=link_up),
    Case("a table that is a device", "E107", 3, more={"images": [{"table": "/dev/zero"}]}),
)
SCHEMAS = (
    schema("doubling references", "E209", doubling_references(40), 413, "mine.schema.json"),
    schema("a catastrophic pattern", "E207", {"properties": {"prompt": {"pattern": "^(a+)+$"}}}, 4, "campaign.yaml"),
)
SETTINGS = (
    Case("a price beyond counting", "E205", 5, more={"budget": {"price_per_job": 1.5e300}}),
    Case("a price below counting", "E205", 5, more={"budget": {"price_per_job": 0.25, "max_cost": 1.5e-30}}),
)
CASES = (*TEMPLATES, *FILES, *SCHEMAS, *SETTINGS)
