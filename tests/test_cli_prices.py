"""Prices that the service tells, in all commands: planned, counted, frozen, and held to the service by `doctor`."""

from __future__ import annotations

import json

import pytest
import yaml

from runner.planning import lockfile
from runner.sandbox.catalog import Model
from runner.sandbox.replies import model_detail
from runner.shipped import shipped_document
from tests.command import call
from tests.faults.service import FaultyService, status
from tests.kit import MODEL, few_frames, write_manifest

CENTS = 250_000


@pytest.fixture
def service(monkeypatch):
    with FaultyService(few_frames()) as running:
        monkeypatch.setenv("GMI_BASE_URL", running.base_url)
        monkeypatch.setenv("GMI_API_KEY", "sk-test")
        yield running


def tells(service, price=CENTS, unit="request", **changes):
    """The service tells the models as their schemas have them, at this price, with other members.

    Returns what it is asked for.
    """
    asked = []

    def told(call):
        asked.append(call.path)
        if call.path == "/models":
            call.answer(200, {"model_ids": []})
            return
        name = call.path.removeprefix("/models/")
        document = model_detail(Model(name, shipped_document(name)), 1)
        call.answer(200, {**document, "price_info": {"price": price, "unit": unit}, **changes})

    service.always["other"] = told
    return asked


def edit(path, **keys):
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **keys}))


def test_a_plan_says_where_each_price_comes_from(service, tmp_path):
    tells(service, 100_000, "second")
    models = ["Kling-Image2Video-V1.6-Pro", "Kling-Image2Video-V2-Master", MODEL]
    path = write_manifest(tmp_path, model=models, models={models[0]: {"price_per_job": 0.3}})
    ended = call("plan", path)
    assert "  price   $0.30 a job (models): Kling-Image2Video-V1.6-Pro\n" in ended.out
    assert f"  price   $0.10 a second (the service): {models[1]}, {MODEL}\n" in ended.out
    document = call("plan", path, "--json").document
    assert document["cost"] == {"total": 1.3, "currency": "USD"}
    assert document["prices"][MODEL] == {"per_job": None, "per_second": 0.1, "tiers": {}, "source": "the service"}
    assert "Price: \\$0.30 a job \\(models\\): Kling-Image2Video-V1.6-Pro." in call("plan", path, "--markdown").out


def test_validate_asks_nobody_and_a_plan_without_a_key_neither(service, tmp_path, monkeypatch):
    tells(service)
    path = write_manifest(tmp_path)
    assert call("validate", path).code == 0
    monkeypatch.delenv("GMI_API_KEY")
    assert "price   not known" in call("plan", path).out
    assert service.calls == []
    assert "price   not known" in call("plan", path, "--sandbox").out
    assert service.calls == []


def test_each_price_is_asked_for_once_and_only_where_something_is_to_be_bought(service, tmp_path):
    asked = tells(service)
    path = write_manifest(tmp_path, pictures=3)
    assert call("run", path, "--yes").code == 0
    assert asked.count(f"/models/{MODEL}") == 1
    assert call("status", path, "--json").document["cost"] == {"total": 0.75, "currency": "USD"}
    assert call("run", path, "--yes").code == 0
    assert asked.count(f"/models/{MODEL}") == 1


def test_the_budget_holds_with_the_price_of_the_service(service, tmp_path):
    tells(service)
    path = write_manifest(tmp_path, pictures=3, budget={"max_cost": 0.6})
    ended = call("run", path, "--yes")
    assert (ended.code, service.posts) == (4, 0)
    assert "3 submissions for $0.75 would bring the total to $0.75, over the budget of $0.60" in ended.err
    edit(path, budget={"max_cost": 0.75})
    assert (call("run", path, "--yes").code, service.posts) == (0, 3)


@pytest.mark.parametrize("members", [{"price_info": {}}, {"pricing_details": "$0.1 or $0.9, as it falls"}])
def test_an_unknown_price_and_a_budget_send_nothing(service, tmp_path, members):
    tells(service, **members)
    path = write_manifest(tmp_path, budget={"max_cost": 5})
    ended = call("run", path, "--yes")
    assert (ended.code, service.posts) == (4, 0)
    assert "the price of 1 submission is not known" in ended.err
    service.always["other"] = status(500)
    assert (call("run", path, "--yes").code, service.posts) == (4, 0)
    edit(path, budget={})
    assert (call("run", path, "--yes").code, service.posts) == (0, 1)


def test_a_locked_run_refuses_a_price_that_rose(service, tmp_path):
    tells(service)
    path = write_manifest(tmp_path)
    assert call("plan", path, "--lock").code == 0
    frozen = json.loads(lockfile.path_of(path).read_text())["prices"]
    assert frozen == {MODEL: {"price_per_job": 0.25, "source": "service", "currency": "USD"}}
    tells(service, 2 * CENTS)
    ended = call("run", path, "--yes", "--locked")
    assert (ended.code, service.posts) == (2, 0)
    assert f"price of {MODEL} rose: $0.25 -> $0.50 a job" in ended.err
    tells(service, CENTS // 2)
    ended = call("run", path, "--yes", "--locked")
    assert (ended.code, service.posts) == (0, 1)
    assert f"The lockfile differs: price of {MODEL} changed" in ended.err
    # What was bought stays bought, whatever it costs now.
    tells(service, 4 * CENTS)
    assert (call("run", path, "--yes", "--locked-strict").code, service.posts) == (0, 1)


def test_the_lockfile_has_the_tiers(service, tmp_path):
    model = "wan2.7-t2v"
    tells(service, 152_000, "second", pricing_details="Per second: 720p=$0.1, 1080p=$0.152")
    path = write_manifest(tmp_path, pictures=0, images=[], model=model, params={"resolution": "720P", "duration": 5})
    document = yaml.safe_load(path.read_text())
    del document["images"]
    path.write_text(yaml.safe_dump(document))
    assert "  price   $0.10 at 720p, $0.152 at 1080p a second (the service)\n" in call("plan", path, "--lock").out
    assert call("plan", path, "--json").document["cost"]["total"] == 0.5
    frozen = json.loads(lockfile.path_of(path).read_text())["prices"][model]
    assert frozen["tiers"] == {"720p": 0.1, "1080p": 0.152}
    tells(service, 152_000, "second", pricing_details="Per second: 720p=$0.12, 1080p=$0.152")
    ended = call("run", path, "--yes", "--locked")
    assert (ended.code, service.posts) == (2, 0)
    assert "rose: $0.50 -> $0.60 a job" in ended.err


def model_check(ended):
    (found,) = [each for each in ended.document["checks"] if each["name"] == "model"]
    return found["ok"], found["found"]


def test_doctor_tells_that_a_model_is_as_its_schema_says(service, tmp_path):
    tells(service)
    path = write_manifest(tmp_path, budget={"price_per_job": 0.25})
    ended = call("doctor", path, "--json")
    assert (ended.code, *model_check(ended)) == (0, True, f"{MODEL}: as its schema says")


def changed(**by_name):
    """The parameters as the service tells them, but for members of these."""
    told = model_detail(Model(MODEL, shipped_document(MODEL)), 1)["parameters"]
    return [{**each, **by_name.get(each["name"], {})} for each in told]


@pytest.mark.parametrize(
    ("members", "code", "said"),
    [
        ({"parameters": [*changed(), {"name": "x", "type": "string"}]}, 0, "the service has x, the schema has not"),
        ({"parameters": changed(duration={"options": ["5"]})}, 2, "duration: the service offers 10 no more"),
        (
            {"parameters": changed(duration={"default_value": "10"})}, 0,
            "duration: the default is 10 at the service; here 5 is sent",
        ),
        (
            {"price_info": {"price": 2 * CENTS, "unit": "request"}}, 2,
            "the price is $0.50 a job; the manifest has $0.25 a job",
        ),
    ],
)  # fmt: skip
def test_doctor_tells_what_changed_and_nothing_is_bought_again(service, tmp_path, members, code, said):
    tells(service)
    path = write_manifest(tmp_path, budget={"price_per_job": 0.25})
    assert call("run", path, "--yes").code == 0
    tells(service, **members)
    ended = call("doctor", path, "--json")
    assert (ended.code, *model_check(ended)) == (code, code == 0, f"{MODEL}: {said}")
    assert (call("run", path, "--yes").code, service.posts) == (0, 1)


def test_doctor_holds_the_lockfile_to_the_service(service, tmp_path):
    tells(service)
    path = write_manifest(tmp_path)
    assert call("plan", path, "--lock").code == 0
    tells(service, 2 * CENTS)
    ended = call("doctor", path, "--json")
    assert (ended.code, *model_check(ended)) == (
        2, False, f"{MODEL}: the price is $0.50 a job; the lockfile has $0.25 a job",
    )  # fmt: skip


def test_doctor_tells_that_a_model_is_gone(service, tmp_path):
    path = write_manifest(tmp_path)
    gone = status(404, words="no such model")
    service.always["other"] = lambda call: (
        gone(call) if "/models/" in call.path else call.answer(200, {"model_ids": []})
    )
    ended = call("doctor", path, "--json")
    assert (ended.code, *model_check(ended)) == (
        2, False, f"{MODEL}: the service does not have it, or not for this key",
    )  # fmt: skip


def test_a_draft_of_a_schema_is_used_as_it_stands(service, tmp_path):
    tells(service)
    ended = call("models", MODEL, "--schema")
    assert ended.code == 0
    assert "hold it to the model's page" in ended.err
    (tmp_path / "mine.json").write_text(ended.out)
    path = write_manifest(tmp_path, models={MODEL: "mine.json"})
    assert (call("run", path, "--yes").code, service.posts) == (0, 1)


def test_a_draft_needs_a_model_and_its_parameters(service):
    ended = call("models", "--schema")
    assert (ended.code, "name it: reelrun models MODEL --schema" in ended.err) == (2, True)
    tells(service, parameters=[])
    assert call("models", MODEL, "--schema").code == 7
