"""What is told of clips: measures, defects, warnings and previews, and how many have which."""

import pytest

from runner.model import Measured
from runner.planning.selection import EVERYTHING, Selection
from runner.results import clip_reports
from runner.results.clip_reports import ClipReports, ClipTotals
from runner.video.measures import MEASURES, VERSION, unmeasured
from tests.test_results_measuring import Campaign

MOVING = {"zoom": 0.95, "pan": 0.0, "tilt": 0.0, "roll": 0.0, "motion": 0.02, "wobble": 0.002}
BRIGHT, DARK = bytes([200] * 512), bytes([60] * 512)


def found(signature=BRIGHT, *, has_flow=True, note="", **values):
    return Measured({**dict.fromkeys(MEASURES), "frozen": 0.0, **values}, {}, signature, note, VERSION, has_flow)


@pytest.fixture
def told(tmp_path):
    """What is told of the clips of a campaign, of which these were measured."""

    def make(*measured, pictures=None, **keys):
        campaign = Campaign(tmp_path, pictures or len(measured), **keys)
        with campaign.store() as store:
            with store.transaction():
                for record, each in zip(list(store.records()), measured, strict=False):
                    store.keep_measured(record.video.sha256, each)
            reports = ClipReports(campaign.manifest, store)
            totals = {
                "all": ClipTotals.of(campaign.manifest, store, EVERYTHING),
                "p0": ClipTotals.of(campaign.manifest, store, Selection(only=("p0/*",))),
            }
            return [reports(record) for record in store.records()], totals

    return make


def codes(report):
    return [each["code"] for each in report["warnings"]]


def test_takes_that_look_the_same_are_told_with_the_key_of_the_first(told):
    (first, second, third), _ = told(found(), found(), found(DARK), pictures=1, takes=3)
    assert [codes(each) for each in (first, second, third)] == [[], ["duplicate"], []]
    assert second["warnings"][0]["message"] == "it looks the same as the clip of p0/plain/take-1"
    assert (first["measures"]["duplicate_of"], second["measures"]["duplicate_of"] is None) == (None, False)


def test_clips_of_other_requests_may_look_the_same(told):
    (first, second), _ = told(found(), found())
    assert (codes(first), codes(second)) == ([], [])


@pytest.mark.parametrize(
    ("keys", "sound", "is_told"),
    [
        ({}, True, False),
        ({"video": {"sound": False}}, True, True),
        ({"video": {"sound": False}}, False, False),
        ({"video": {"sound": False}}, None, False),
    ],
)
def test_sound_is_told_where_none_was_asked_for(told, keys, sound, is_told):
    (report,), _ = told(found(sound=sound), **keys)
    assert codes(report) == ["sound"] * is_told


def test_the_camera_is_held_against_the_prompt(told):
    (report,), _ = told(found(**MOVING))
    assert report["warnings"] == [
        {
            "code": "camera",
            "message": "the prompt says push in; the camera measured: zoom 0.95, pan +0.00, tilt +0.00",
        }
    ]


def test_what_could_not_be_measured_is_a_warning_and_no_defect(told):
    (report,), totals = told(unmeasured("not measured (ValueError: no)"))
    assert (report["measures"], report["defects"], codes(report)) == (None, [], ["looking"])
    assert (totals["all"].unmeasured, totals["all"].warnings["looking"]) == (0, 1)


def test_a_clip_that_nobody_looked_at_has_no_measures(told):
    (report,), totals = told(pictures=1)
    assert (report["measures"], report["previews"], report["defects"]) == (None, None, [])
    assert (totals["all"].measured, totals["all"].unmeasured, totals["all"].without_flow) == (0, 1, 0)


def test_what_an_older_version_did_not_measure_is_null(told):
    (report,), _ = told(Measured({"frozen": 0.5}, version=VERSION - 1))
    assert report["measures"] == dict.fromkeys(MEASURES) | {"frozen": 0.5, "duplicate_of": None}


def test_defects_are_counted_for_those_that_are_selected(told):
    frozen = found(frozen=0.5)
    reports, totals = told(frozen, frozen, found(has_flow=False), pictures=4)
    assert [[each["measure"] for each in report["defects"]] for report in reports] == [["frozen"], ["frozen"], [], []]
    assert (totals["all"].defects, totals["all"].unmeasured, totals["all"].without_flow) == ({"frozen": 2}, 1, 1)
    assert (totals["p0"].defects, totals["p0"].unmeasured, totals["p0"].without_flow) == ({"frozen": 1}, 0, 0)
    assert totals["p0"].first == [("p0/plain/take-1", "frozen 0.5 (> 0.3)")]


def test_the_first_are_listed_and_the_others_counted(told, monkeypatch):
    monkeypatch.setattr(clip_reports, "_SHOWN", 2)
    _, totals = told(*[found(frozen=0.5)] * 3)
    assert ([key for key, _ in totals["all"].first], totals["all"].others) == (
        ["p0/plain/take-1", "p1/plain/take-1"],
        1,
    )


def test_thresholds_of_the_manifest_count(told):
    (report,), _ = told(found(pan=-0.3), measures={"defects": ["pan < -0.1"]})
    assert report["defects"] == [{"measure": "pan", "value": -0.3, "limit": -0.1, "spans": []}]
