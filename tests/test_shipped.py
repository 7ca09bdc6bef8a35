"""Shipped files are found in a checkout, and inside an installed wheel before that."""

from runner import shipped


def test_in_a_checkout():
    assert (shipped.shipped("schemas") / "manifest.schema.json").is_file()
    assert (shipped.shipped("manifests") / "campaign.yaml").is_file()


def test_in_a_wheel(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path / "runner")
    assert shipped.shipped("schemas") == tmp_path / "schemas"
    inside = tmp_path / "runner" / "_shipped" / "schemas"
    inside.mkdir(parents=True)
    assert shipped.shipped("schemas") == inside
