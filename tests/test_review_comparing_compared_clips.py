"""What is compared, and which clips can be."""

from runner.manifest.reader import read
from runner.planning.selection import EVERYTHING
from runner.review.comparing.compared_clips import arms_of, clip_comparison, compared_name, compared_names
from runner.state.store import Store
from tests.kit import write_manifest
from tests.review.clips import TWO, finished

MODELS = ["Kling-Image2Video-V1.6-Standard", "Kling-Image2Video-V1.6-Pro"]


def manifest(folder, **keys):
    return read(write_manifest(folder, **keys)).valid()


def test_prompts_go_before_models_and_models_before_axes(tmp_path):
    axes = {"move": ["push", "pan"]}
    text = [{"id": "plain", "text": "A {{ move }}"}]
    assert compared_names(manifest(tmp_path / "a", prompts=TWO, model=MODELS)) == ["prompt"]
    assert compared_names(manifest(tmp_path / "b", prompts=text, model=MODELS, matrix=axes)) == ["model"]
    assert compared_names(manifest(tmp_path / "c", prompts=text, matrix=axes)) == ["move"]
    assert compared_names(manifest(tmp_path / "d")) == []


def test_arms_are_in_the_manifests_order_and_those_of_includes_are_there(tmp_path):
    text = [{"id": "plain", "text": "A {{ move }} at {{ cfg }}"}]
    matrix = {"move": ["push", "pan"], "cfg": [1, 0.5], "include": [{"move": "zoom", "cfg": 0.5}]}
    found = manifest(tmp_path, prompts=text, matrix=matrix, model=MODELS)
    assert arms_of(found, "move") == ("push", "pan", "zoom")
    assert arms_of(found, "cfg") == ("1", "0.5")
    assert arms_of(found, "model") == tuple(MODELS)
    assert compared_name(found, "cfg") == "cfg"


def test_clips_match_where_only_arm_and_take_differ(tmp_path):
    text = [{"id": "plain", "text": "A {{ move }}"}, {"id": "mood", "text": "Fog, a {{ move }}"}]
    path, _ = finished(tmp_path, prompts=text, matrix={"move": ["push", "pan"]}, takes=2, pictures=2)
    found = read(path).valid()
    with Store.read(found.output.state).seen_from(found.path) as store:
        clips = clip_comparison(found, filter(EVERYTHING.has, store.records()), "prompt")
    matches = list(clips.matches())
    # Two pictures, two moves, two takes of either arm.
    assert len(matches) == 2 * 2 * 2 * 2
    assert {(one.arm, other.arm) for one, other in matches} == {("plain", "mood")}
    assert all(one.record.variables == other.record.variables for one, other in matches)
    assert all(one.unit == other.unit == one.record.image for one, other in matches)
    assert sorted(map(len, clips.cells())) == [2] * 8
