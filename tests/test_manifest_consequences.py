"""What planning may find only because reading found something before."""

import pytest

from runner.errors import Diagnostic, Position, Severity
from runner.manifest.consequences import NOTHING, Consequences
from runner.manifest.reader import read
from tests.kit import MODEL

LINE = "  - {id: p, text: 'The {{ product.size }} {{ product }}'}"


def found(code, column=1, *, line=1, file="m.yaml", source=LINE):
    return Diagnostic(code, Severity.ERROR, Position(file, line, column), "", source=source)


def test_of_a_sound_manifest_there_are_none():
    assert not any(NOTHING.have(found(code)) for code in ("E301", "E311", "E504", "E602"))


def test_by_code():
    consequences = Consequences(codes=frozenset(("E504",)))
    assert consequences.have(found("E504"))
    assert not consequences.have(found("E505"))


def test_by_place():
    consequences = Consequences(places=frozenset((("m.yaml", (1, 5)),)))
    assert consequences.have(found("E204", 5))
    assert not consequences.have(found("E204", 6))
    assert not consequences.have(found("E204", 5, file="n.yaml"))
    # That a template cannot be read, or a name is set twice, follows from nothing.
    assert not any(consequences.have(found(code, 5)) for code in ("E301", "E312", "E601"))


def test_by_a_place_in_an_uncertain_value():
    consequences = Consequences(uncertain=(("m.yaml", (2, 5), (4, 1)),))
    inside = [(2, 5), (2, 80), (3, 1), (3, 900)]
    outside = [(2, 4), (1, 9), (4, 1)]
    assert all(consequences.have(found("E204", column, line=line)) for line, column in inside)
    assert not any(consequences.have(found("E204", column, line=line)) for line, column in outside)
    assert not consequences.have(found("E301", 80, line=2))


@pytest.mark.parametrize(
    ("before", "follows"),
    [
        ("{{ product.", True),
        ("{{ product.size[0].", True),
        ("{{ product['", True),
        ('{{ product["', True),
        ("{{ product[", True),
        ("{{ other.product.", False),
        ("{{ image.", False),
        ("{{ product + ", False),
        ("{{ ", False),
    ],
)
def test_only_what_a_variable_has_can_be_unknown_because_its_value_is(before, follows):
    consequences = Consequences(names=frozenset(("product",)), uncertain=(("m.yaml", (1, 1), (9, 9)),))
    assert consequences.have(found("E311", len(before) + 1, source=f"{before}x }}}}")) is follows


@pytest.fixture
def consequences(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mood.j2").write_text("In {{ season }}")

    def consequences(text):
        (tmp_path / "m.yaml").write_text(f"version: 1\nmodel: {MODEL}\n{text}")
        return read(tmp_path / "m.yaml").consequences

    return consequences


URL = 'images: [{url: "https://e.org/a.jpg"}]\n'


def test_texts_with_uncertain_variables_are_uncertain(consequences, tmp_path):
    text = (
        "prompts:\n  - {id: a, text: 'In {{ season }}'}\n  - {id: b, text: x, params: {n: [season, '{{ season }}']}}\n"
    )
    more = (
        "  - {file: mood.j2}\nvars: {season: .nan}\nparams: {c: '{{ other }}', d: .inf}\n"
        "output: {file: '{{ season }}'}\n"
    )
    uncertain = consequences(URL + text + more).uncertain
    assert [(first, last) for file, first, last in uncertain if not file.endswith("j2")] == [
        ((9, 31), (9, 35)),
        ((10, 16), (10, 30)),
        ((5, 19), (5, 36)),
        ((6, 34), (6, 58)),
    ]
    assert [file for file, *_ in uncertain if file.endswith("j2")] == ["mood.j2"]


def test_computing_with_the_size_of_a_broken_picture_is_uncertain(consequences):
    prompts = "prompts: [{id: a, text: '{{ image.width }}'}]\n"
    assert len(consequences(f"images: [{{file: none.jpg}}]\n{prompts}").uncertain) == 1
    assert consequences(f"{URL}{prompts}takes: 0\n").uncertain == ()


def test_excludes_of_what_may_be_known(consequences):
    more = "prompts: [{id: a, text: x}]\nmatrix: {exclude: [{image: b}, {prompt: c}]}\n"
    places = consequences(f"images: [{{url: 'https://e.org/a.jpg'}}, {{file: none.jpg}}]\n{more}").places
    assert {spot for _, spot in places} == {(3, 47), (5, 28)}
    places = consequences(f"images: [{{url: 'https://e.org/a.jpg'}}, {{file: none.jpg, id: b}}]\n{more}").places
    assert {spot for _, spot in places} == {(3, 47)}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("prompts: [{id: a, text: x}]\n", {"E311", "E504"}),
        ("images: [{table: none.csv}]\nprompts: [{id: a, text: x}]\n", {"E311", "E504"}),
        ("images: [{glob: '*.gif'}]\nprompts: [{id: a, text: x}]\n", {"E504"}),
        (f"{URL}prompts: [x]\n", {"E504"}),
        (f"{URL}prompts: [{{id: a, text: x}}]\nvars: {{a: .nan}}\n", {"E504"}),
        (f"{URL}prompts: [{{id: a, text: x}}]\ntakes: 0\n", set()),
    ],
)
def test_codes(consequences, text, codes):
    assert consequences(text).codes == codes


def test_the_length_of_a_model_without_a_schema_is_not_known(consequences, tmp_path):
    (tmp_path / "m.yaml").write_text(
        f"version: 1\nmodel: none\n{URL}prompts: [{{id: a, text: x}}]\nbudget: {{max_cost: 1, price_per_second: 1}}\n"
    )
    assert read(tmp_path / "m.yaml").consequences.codes == {"E701"}
