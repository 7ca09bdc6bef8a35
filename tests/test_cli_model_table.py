"""Which model, for how much: the shipped models as a table, narrowed, and as a document."""

import pytest

from tests.command import call


def test_the_table_tells_what_each_model_takes_and_costs():
    lines = call("models", "--shipped").out.splitlines()
    assert len(lines) >= 69
    (kling,) = (line for line in lines if line.startswith("kling-v3-text-to-video "))
    assert kling.split("  ")[-1].strip() == "$0.252 a second (with sound; 0.168 without)"
    assert " 3-15 " in kling
    # A star: its page contradicts itself.
    assert any(line.startswith("kling-v2-6* ") for line in lines)


def test_it_is_narrowed_by_what_is_taken_and_by_length():
    names = [
        line.split()[0]
        for line in call("models", "--shipped", "--takes", "last,sound", "--seconds", "10").out.splitlines()
    ]
    assert "wan2.7-i2v" in names
    assert "vidu-q2-pro-flfv" not in names
    assert "Kling-Image2Video-V1.6-Standard" not in names


def test_the_document_has_the_members_of_its_contract():
    models = call("models", "--shipped", "--json").document["models"]
    assert list(models[0]) == [
        "id", "takes", "seconds", "aspect_ratios", "resolutions", "sound", "price", "source", "seen", "uncertain",
    ]  # fmt: skip
    sora = next(each for each in models if each["id"] == "sora-2-pro")
    assert (sora["takes"], sora["seconds"], sora["price"]) == (["text", "first"], [4, 8, 12], "$0.5 a request")
    assert sora["source"].endswith("/sora-2-pro")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shipped", "--takes", "lst"], "did you mean 'last'?"),
        (["--shipped", "--seconds", "1000"], "no shipped model fits"),
        (["--takes", "last"], "add --shipped"),
    ],
)
def test_what_cannot_be_answered(words, said):
    ended = call("models", *words)
    assert ended.code == 2
    assert said in ended.err
