import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from runner.shipped import shipped_models
from tests.command import ROOT, call

FILES = {name: ROOT / "schemas" / f"{name}.schema.json" for name in ("manifest", "index", "lockfile")}


@pytest.mark.parametrize("name", FILES)
def test_the_file_itself(name):
    assert call("schema", name).out == FILES[name].read_text(encoding="utf-8")


def references(document):
    if isinstance(document, dict):
        yield from [document["$ref"]] if isinstance(document.get("$ref"), str) else []
        document = [*document.values()]
    if isinstance(document, list):
        for each in document:
            yield from references(each)


@pytest.mark.parametrize("name", ["manifest", "index", "lockfile", *shipped_models()])
def test_it_is_a_file_on_its_own(name):
    document = call("schema", name).document
    Draft202012Validator.check_schema(document)
    assert [each for each in references(document) if not each.startswith("#")] == []


def test_without_a_name_it_is_that_of_manifests():
    ended = call("schema", "--json")
    assert ended.out == call("schema").out
    manifest = yaml.safe_load((ROOT / "manifests" / "campaign.yaml").read_text(encoding="utf-8"))
    assert Draft202012Validator(ended.document).is_valid(manifest)
    assert not Draft202012Validator(ended.document).is_valid({**manifest, "promts": []})


def test_a_schema_that_there_is_not():
    ended = call("schema", "manifets")
    assert ended.code == 2
    assert "there is no schema 'manifets'\n  help: did you mean manifest? it is one of manifest, index" in ended.err
    assert json.loads(call("schema", "x", "--json").out)["error"]["code"] == "usage"


def test_help_has_the_lines_for_editors():
    told = call("schema", "--help").out
    assert "\n  # yaml-language-server: $schema=manifest.schema.json\n" in told
    assert '\n  "yaml.schemas": {"manifest.schema.json": ["campaign.yaml", "manifests/*.yaml"]}\n' in told
