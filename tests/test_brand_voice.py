"""A campaign whose prompts share one brand voice: what its comment says of each edit is what happens."""

import json
import shutil

import pytest

from runner.errors import Exit
from runner.shipped import shipped
from tests.command import SANDBOX, call

FRAGMENTS = {f"prompts/brand/{name}.j2" for name in ("base", "detail", "hero", "look", "voice")}


@pytest.fixture(scope="module")
def bought(tmp_path_factory):
    """A folder with the campaign, frozen and bought."""
    folder = tmp_path_factory.mktemp("campaign") / "manifests"
    shutil.copytree(shipped("manifests"), folder)
    manifest = folder / "brand-voice.yaml"
    # The clips are looked at elsewhere.
    text = manifest.read_text(encoding="utf-8").replace("\noutput:\n", "\noutput:\n  previews: none\n")
    manifest.write_text(f"{text}run: {{verify: header}}\n", encoding="utf-8")
    assert call("plan", manifest, "--lock").code == Exit.DONE
    assert call("run", manifest, *SANDBOX, "--no-progress").code == Exit.DONE
    return folder


@pytest.fixture
def manifest(bought, tmp_path):
    """The campaign in a folder of its own, to be edited."""
    shutil.copytree(bought.parent, tmp_path / "own")
    return tmp_path / "own" / "manifests" / "brand-voice.yaml"


def edit(manifest, name, old, new):
    path = manifest.parent / "prompts" / "brand" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def totals(manifest):
    found = call("plan", manifest, "--sandbox", "--json").document["totals"]
    return found["submit"], found["keep"]


def test_the_lockfile_holds_the_fragments(bought):
    content = json.loads((bought / "brand-voice.lock.json").read_text(encoding="utf-8"))
    kinds = ("prompt", "fragment")
    assert {path for path, each in content["files"].items() if each["kind"] in kinds} == FRAGMENTS


def test_all_is_bought(manifest):
    assert totals(manifest) == (0, 8)
    assert call("plan", manifest, "--locked").code == Exit.DONE


def test_an_edit_of_what_all_prompts_include_buys_all_and_is_told(manifest):
    edit(manifest, "look.j2", "fine grain", "coarse grain")
    assert totals(manifest) == (8, 0)
    assert "[-fine-]{+coarse+} grain" in call("plan", manifest, "--sandbox").out
    ended = call("plan", manifest, "--locked")
    assert ended.code == Exit.INVALID
    assert "prompts/brand/look.j2 changed" in ended.err


def test_an_edit_of_one_prompt_buys_that_alone(manifest):
    edit(manifest, "hero.j2", "on the whole of it", "on all of it")
    assert totals(manifest) == (4, 4)


def test_an_edit_that_changes_no_text_buys_nothing_and_is_told(manifest):
    edit(manifest, "voice.j2", "Sentences that", "The sentences that")
    assert totals(manifest) == (0, 8)
    ended = call("plan", manifest, "--locked")
    assert (ended.code, "The lockfile differs: prompts/brand/voice.j2 changed" in ended.err) == (0, True)
    assert call("plan", manifest, "--locked-strict").code == Exit.INVALID


def test_a_mistake_in_a_fragment_is_told_at_its_own_line(manifest):
    edit(manifest, "voice.j2", "capitalize", "captalize")
    (found,) = call("validate", manifest, "--json").document["diagnostics"]
    assert (found["file"].rsplit("/", 1)[-1], found["line"], found["column"]) == ("voice.j2", 6, 16)
    assert "did you mean 'capitalize'?" in found["hint"]
