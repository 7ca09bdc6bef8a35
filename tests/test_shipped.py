"""Shipped files are found in a checkout, and inside an installed wheel before that."""

from runner import shipped
from runner.shipped import install_line


def test_in_a_checkout():
    assert (shipped.shipped("schemas") / "manifest.schema.json").is_file()
    assert (shipped.shipped("manifests") / "campaign.yaml").is_file()


def test_in_a_wheel(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path / "runner")
    assert shipped.shipped("schemas") == tmp_path / "schemas"
    inside = tmp_path / "runner" / "_shipped" / "schemas"
    inside.mkdir(parents=True)
    assert shipped.shipped("schemas") == inside


def test_what_is_missing_can_be_installed_by_names_that_an_index_has():
    assert install_line("web") == "pip install 'starlette>=0.42' 'uvicorn>=0.30'"
    assert install_line("nothing") == "pip install '.[nothing]'"
