"""The comparison on the page."""

import re

import pytest

from runner.cli.main import main
from tests.review.clips import TWO, finished, say
from tests.test_cli_commands_choosing_compare_command import cells, pair


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Twelve pictures, on which mood always wins; the other arm's name is no HTML."""
    prompts = [{"id": "<b>plain", "text": "A slow push-in"}, TWO[1]]
    manifest, jobs = finished(tmp_path_factory.mktemp("page"), prompts=prompts, pictures=12)
    at = cells(jobs)
    sides = [[at[f"p{k}", name, 1] for name in ("mood", "<b>plain")] for k in range(12)]
    say(manifest, "ann", [pair(*each) for each in sides])
    assert main(["index", str(manifest)]) == 0
    return (manifest.parent / "out" / "index.html").read_text()


def test_votes_make_a_section_with_a_dot_for_each_image(page):
    section = page[page.index('<details class="comparison">') :]
    assert "<summary>prompt: mood wins.</summary>" in section
    assert section.count('<circle class="unit"') == 12
    assert "<li>mood is better than &lt;b&gt;plain: 100 % for mood on 12 images (" in section
    # A line and a mark for the pair, and for each of the two arms.
    assert section.count('<line class="interval"') == section.count('<circle class="middle"') == 3


def test_what_is_drawn_lies_within_its_plot(page):
    for width, inner in re.findall(r'<svg viewBox="0 0 (\d+) \d+" role="img"[^>]*>(.*?)</svg>', page):
        places = [float(each) for each in re.findall(r' (?:c?x[12]?)="([-\d.]+)"', inner)]
        assert len(places) > 3
        assert 0 <= min(places) <= max(places) <= int(width)


def test_names_are_no_markup(page):
    assert "<b>plain" not in page.replace("\\u003cb", "")


def test_without_votes_there_is_no_section(tmp_path):
    manifest, _ = finished(tmp_path)
    assert main(["index", str(manifest)]) == 0
    assert 'class="comparison"' not in (tmp_path / "out" / "index.html").read_text()
