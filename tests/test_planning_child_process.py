"""Planning from another thread than the main one: the same plan, the same diagnostics, and the same bounds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runner import campaign
from runner.errors import ManifestError, UsageError
from runner.manifest.reader import read
from runner.planning import child_process
from runner.planning.plan import Plan
from runner.planning.selection import Selection
from tests.kit import write_manifest
from tests.warned import marked


def planned(path: Path) -> Plan:
    reading = read(path)
    return campaign.plan(reading.valid(), Selection(), reading.diagnostics)


def in_a_thread(path: Path) -> Plan:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(planned, path).result()


def prompts(text: str) -> list[dict[str, str]]:
    return [{"id": "plain", "text": text}]


def test_a_plan_is_that_of_the_main_thread(tmp_path: Path) -> None:
    (tmp_path / "where.j2").write_text("on {{ surface }}")
    text = "{{ thing }} {% include 'where.j2' %}"
    path = write_manifest(tmp_path, prompts=prompts(text), vars={"thing": "shoe"}, matrix={"surface": ["rock", "sand"]})
    made = in_a_thread(path)
    assert made == planned(path)
    assert len(made.jobs) == 2


def test_what_is_wrong_is_told_as_in_the_main_thread(tmp_path: Path) -> None:
    path = write_manifest(
        tmp_path, prompts=prompts("{{ nope }}"), params={"duration": "{{ 5 }}"}, matrix={"s": [1, 2]}, lint={}
    )
    told = []
    for plan in (planned, in_a_thread):
        with pytest.raises(ManifestError) as caught:
            plan(path)
        told.append(caught.value.diagnostics)
    assert told[0] == told[1]
    assert {"E204", "E311"} <= {each.code for each in told[0]}


LOOPS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    ("text", "place"),
    [(LOOPS, "for b in range(99999)"), ('{{ "x" | center(2000000000) }}', '"x" | center(2000000000)')],
    ids=["time", "memory"],
)
def test_a_hostile_template_ends_there_too(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(ManifestError) as caught:
        in_a_thread(write_manifest(tmp_path, prompts=prompts("{{ 1 }} " + text)))
    (found,) = caught.value.diagnostics
    assert (found.code, marked(found)) == ("E314", place)


def test_a_child_process_that_is_stopped_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_process, "_CODE", "raise MemoryError")
    with pytest.raises(UsageError, match="takes more memory than it may"):
        in_a_thread(write_manifest(tmp_path))
