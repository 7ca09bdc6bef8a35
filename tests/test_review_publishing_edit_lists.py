"""Twelve clips for an editor, read back: reels, lengths and order."""

from __future__ import annotations

import sys
from urllib.parse import unquote

import opentimelineio
import pytest

from runner.errors import Exit
from tests.command import call
from tests.delivered import clip_bytes, deliver, mark
from tests.kit import write_manifest


def published(folder, *words, fps=(24.0,), takes=12):
    path = write_manifest(folder, takes=takes)
    manifest, jobs = deliver(path, [clip_bytes(1)], fps=fps)
    for job in jobs:
        mark(manifest, job)
    return jobs, call("publish", path, "--to", folder / "to", "--name", "cut {{ '%02d' | format(take) }}", *words)


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cut")
    files = [folder / "to/cut.edl", folder / "cut.otio", folder / "cut.fcpxml"]
    jobs, ended = published(folder, "--edl", files[0], "--otio", files[1])
    assert ended.code == 0, ended.err
    assert call("publish", folder / "campaign.yaml", "--to", folder / "xml", "--otio", files[2]).code == 0
    return jobs, files


@pytest.mark.parametrize(("place", "prefix"), [(0, ""), (1, "to/")])
def test_reels_lengths_and_order(cut, place, prefix):
    jobs, files = cut
    timeline = opentimelineio.adapters.read_from_file(str(files[place]), **({"rate": 24} if place == 0 else {}))
    clips = list(timeline.find_clips())
    assert [each.metadata["cmx_3600"]["reel"] for each in clips] == [job.id[:8] for job in jobs]
    assert [each.name for each in clips] == [f"cut-{take:02}.mp4" for take in range(1, 13)]
    assert {(each.source_range.duration.value, each.source_range.duration.rate) for each in clips} == {(24.0, 24.0)}
    starts = [each.range_in_parent().start_time.value for each in clips]
    assert starts == [24.0 * number for number in range(12)]
    links = [unquote(each.media_reference.target_url) for each in clips]
    assert links == [f"{prefix}{each.name}" for each in clips]
    assert all((files[place].parent / each).is_file() for each in links)


def test_timecodes_of_an_edl(cut):
    _, (edl, *_) = cut
    events = [line.split() for line in edl.read_text().splitlines() if line[:3].isdigit()]
    assert len(events) == 12
    assert events[-1][4:] == ["00:00:00:00", "00:00:01:00", "00:00:11:00", "00:00:12:00"]


def test_final_cut(cut):
    _, (_, _, xml) = cut
    text = xml.read_text()
    assert text.count("<asset ") == 12
    assert 'src="xml/p0/plain/take-12.mp4"' in text
    timeline = opentimelineio.adapters.read_from_file(str(xml))
    found = timeline if hasattr(timeline, "find_clips") else timeline[0]
    assert len(list(found.find_clips())) >= 12


def test_frame_rates(tmp_path):
    _, ended = published(tmp_path / "odd", "--edl", tmp_path / "x.edl", fps=(8.0,), takes=1)
    assert (ended.code, "no timecode counts 8 frames a second" in ended.err) == (Exit.INVALID, True)
    assert not (tmp_path / "odd/to").exists()
    _, ended = published(tmp_path / "otio", "--otio", tmp_path / "x.otio", fps=(8.0,), takes=1)
    assert ended.code == 0
    _, ended = published(tmp_path / "film", "--edl", tmp_path / "y.edl", fps=(24000 / 1001,), takes=1)
    assert ended.code == 0, ended.err
    assert "00:00:01:00" in (tmp_path / "y.edl").read_text()
    _, ended = published(tmp_path / "two", "--edl", tmp_path / "z.edl", fps=(24.0, 25.0), takes=2)
    assert ended.code == Exit.INVALID
    assert "the clips have several frame rates: 24 (p0/plain/take-1), 25 (p0/plain/take-2)" in ended.err


def test_without_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    _, ended = published(tmp_path, "--edl", tmp_path / "x.edl", takes=1)
    assert ended.code == Exit.INVALID
    assert ".edl needs OpenTimelineIO" in ended.err
    assert "pip install" in ended.err
