"""The house plan: data flows down the list of rooms, and imports never run back up."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = [
    "errors",
    "model",
    "version",
    "shipped",
    "secret",
    "media",
    "buckets",
    "state",
    "diagnostics",
    "video",
    "manifest",
    "verdicts",
    "planning",
    "api",
    "engine",
    "results",
    "review",
    "campaign",
    "cli",
]
SANDBOX_MAY = {"sandbox", "errors", "model", "shipped", "media"}
FILES = sorted((ROOT / "runner").rglob("*.py"))


@cache
def imported(path):
    return [*_imported(path)]


def _imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from ([f"runner.{alias.name}" for alias in node.names] if node.module == "runner" else [node.module])


def room(path):
    return path.relative_to(ROOT / "runner").with_suffix("").parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_down_the_house(path):
    rooms = {name.split(".")[1] for name in imported(path) if name.startswith("runner.")}
    here = room(path)
    if here in ("__init__", "__main__"):
        return
    if here == "sandbox":
        assert rooms <= SANDBOX_MAY, "the sandbox imports nothing from the other rooms"
        return
    allowed = set(ORDER[: ORDER.index(here) + 1]) | ({"sandbox"} if here == "cli" else set())
    assert rooms <= allowed, f"{path} reaches up to {rooms - allowed}"


def test_no_circles():
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in FILES}
    graph = {name: {each for each in imported(path) if each in modules} for name, path in modules.items()}
    done: set[str] = set()

    def visit(name, trail):
        assert name not in trail, f"circle: {' -> '.join((*trail, name))}"
        if name not in done:
            for each in graph[name]:
                visit(each, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_rooms_open_empty():
    opened = [path for path in FILES if path.name == "__init__.py" and path.parent.name != "runner"]
    assert opened
    assert [path for path in opened if path.read_text(encoding="utf-8").strip()] == []


def test_functions_fit_on_a_screen():
    lengths = {
        f"{path.relative_to(ROOT)}:{node.name}": node.end_lineno - node.lineno + 1
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno
    }
    assert {name: length for name, length in lengths.items() if length > 60} == {}
    assert sorted(lengths.values())[len(lengths) // 2] < 10


def test_rooms_are_of_a_size_that_a_reader_takes_in():
    """About a dozen files a folder; a room of more has sub-packages."""
    sizes = Counter(path.parent for path in FILES if path.name != "__init__.py")
    assert max(sizes.values()) <= 14, sizes.most_common(3)


def test_no_two_files_or_classes_have_one_name():
    names = Counter(path.name for path in FILES if path.name != "__init__.py")
    classes = Counter(
        node.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        # A private class is known to its own file alone.
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in (names + classes).items() if count > 1] == []


def test_runner_says_what_its_rooms_are():
    text = (ROOT / "runner" / "README.md").read_text(encoding="utf-8")
    rooms = {path.relative_to(ROOT / "runner").parts[0].removesuffix(".py") for path in FILES}
    assert [room for room in sorted(rooms - {"__init__", "__main__"}) if f"`{room}" not in text] == []
    # What it names in backquotes as a file is there.
    named = re.findall(r"`((?!tests/)(?:[a-z_]+/)+[a-z_]+\.(?:py|sql))`", text)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / "runner" / name).is_file()] == []
