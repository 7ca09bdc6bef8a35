from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.errors import ServiceError
from runner.sandbox.catalog import Catalog, PictureRules
from tests.test_sandbox_kit import MODEL, MOST_BYTES, SCHEMA, SIBLINGS, write_schemas


def only(folder: Path, schema: object) -> Catalog:
    (folder / "m.schema.json").write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return Catalog.read(folder)


def test_a_model_is_a_file_named_after_it(tmp_path: Path) -> None:
    (write_schemas(tmp_path) / "notes.txt").write_text("not a schema")
    assert sorted(Catalog.read(tmp_path).models) == sorted(SIBLINGS)


def test_a_model_knows_its_parameters(tmp_path: Path) -> None:
    model = Catalog.read(write_schemas(tmp_path)).models[MODEL]
    assert list(model.parameters) == ["image", "prompt", "negative_prompt", "duration", "cfg_scale"]
    assert list(model.required) == ["image"]
    (picture,) = model.media
    assert (picture.steps, picture.role) == (("image",), "first")
    assert PictureRules.of(picture.rules) == PictureRules(MOST_BYTES, 300, 0.4, 2.5, ("JPEG", "PNG"))


def test_defaults_fill_what_is_missing_and_nothing_else(tmp_path: Path) -> None:
    model = Catalog.read(write_schemas(tmp_path)).models[MODEL]
    assert model.filled({"image": "x", "cfg_scale": 0.9}) == {
        "image": "x",
        "prompt": "",
        "negative_prompt": "",
        "duration": "5",
        "cfg_scale": 0.9,
    }


def test_a_body_may_hold_the_largest_picture_in_base64(tmp_path: Path) -> None:
    largest = Catalog.read(write_schemas(tmp_path)).largest_body
    assert MOST_BYTES * 4 // 3 + 100_000 < largest < 2 * MOST_BYTES


def test_a_model_without_pictures_is_fine(tmp_path: Path) -> None:
    catalog = only(tmp_path, {"type": "object", "properties": {"prompt": {"type": "string"}}})
    assert catalog.models["m"].media == ()
    assert catalog.models["m"].required == ()
    assert catalog.largest_body > 0


def test_rules_that_a_schema_leaves_out_forbid_nothing() -> None:
    rules = PictureRules.of({})
    assert (rules.min_side, rules.narrowest, rules.formats) == (1, 0, ("JPEG", "PNG"))


def test_a_body_may_hold_as_many_files_as_a_list(tmp_path: Path) -> None:
    def largest(**rules: object) -> int:
        media = {"kind": "image", "maxBytes": 3_000_000, "encodings": ["base64"]}
        return only(tmp_path, {"properties": {"p": {"x-media": media, **rules}}}).largest_body

    one, seven, some = largest(type="string"), largest(type="array", maxItems=7), largest(type=["string", "array"])
    assert (seven - one, some - one) == (6 * 4_000_000, 9 * 4_000_000)
    by_address = {"p": {"type": "string", "x-media": {"kind": "video", "encodings": ["url"]}}}
    assert one - only(tmp_path, {"properties": by_address}).largest_body == 4_000_000


def test_schemas_beside_the_folder_come_first(tmp_path: Path) -> None:
    own = {"properties": {"words": {"type": "string"}}, "x-delivery": "sync"}
    catalog = Catalog.read(write_schemas(tmp_path), {"mine": own, MODEL: own})
    assert set(catalog.models) == {*SIBLINGS, "mine"}
    assert list(catalog.models[MODEL].parameters) == list(catalog.models["mine"].parameters) == ["words"]
    assert catalog.models["mine"].is_sync
    assert not catalog.models[SIBLINGS[1]].is_sync


def test_a_model_that_is_served_no_more_has_no_parameters(tmp_path: Path) -> None:
    assert Catalog.read(write_schemas(tmp_path)).model("gone").media == ()


@pytest.mark.parametrize(
    "schema",
    [
        "{not json",
        "[]",
        {"type": "nonsense"},
    ],
)
def test_a_file_that_is_no_schema_stops_the_start_and_is_named(tmp_path: Path, schema: object) -> None:
    with pytest.raises(ServiceError, match=r"m\.schema\.json"):
        only(tmp_path, schema)


def test_a_folder_without_schemas_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=str(tmp_path)):
        Catalog.read(tmp_path)
    with pytest.raises(ServiceError, match="missing"):
        Catalog.read(tmp_path / "missing")


def test_the_shared_schema_is_not_changed_by_reading(tmp_path: Path) -> None:
    assert Catalog.read(write_schemas(tmp_path)).models[MODEL].schema == SCHEMA
