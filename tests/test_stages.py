"""One stage after another: all problems of the first that has some, and none that merely follows from another."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.errors import ManifestError, Severity, Stage
from runner.manifest.reader import read
from runner.planning.plan import make_plan
from tests.kit import picture_bytes

# The lines of a sound manifest, each with broken forms of it and what is wrong with them. A code in capitals is told
# where its stage is reached; p205 is E205 once more, found by planning.
LINES = [
    ("version: 1", {"version: 2": "E203", "version: one": "E204", "vresion: 1": "E201"}),
    ("name: demo", {"name: 5": "E204", "name: 2024-05-01": "E106", "nmae: demo": "E201", "name: ''": "E206"}),
    (
        "model: Kling-Image2Video-V1.6-Standard",
        {
            "modle: Kling-Image2Video-V1.6-Standard": "E201",
            "model: [Kling-Image2Video-V1.6-Standard, 5]": "E204",
            "model: [Kling-Image2Video-V1.6-Standard, none]": "E209",
            "model: [Kling-Image2Video-V1.6-Standard, Kling-Image2Video-V1.6-Standard]": "E210",
        },
    ),
    ("images:", {"imges:": "E201"}),
    (
        "  - {file: good.jpg, vars: {product: shoe, size: 42}}",
        {
            "  - {file: gone.jpg, vars: {product: shoe, size: 42}}": "E401",
            "  - {file: tiny.jpg, vars: {product: shoe, size: 42}}": "E404",
            "  - {fiel: good.jpg, vars: {product: shoe, size: 42}}": "E201",
            "  - {file: good.jpg, tags: 5, vars: {product: shoe, size: 42}}": "E201",
            "  - {file: good.jpg, vars: {product: 2024-05-01, size: .nan}}": "E106 E106",
            "  - {file: good.jpg, vars: {product: shoe, size: 42, size: 43}}": "E103",
            "  - {file: good.jpg, vars: {product: shoe, shoe-size: 42, size: 1}}": "E207",
            "  - {file: good.jpg, vars: [product, size]}": "E204",
            "  - {file: good.jpg, vars: {product: shoe}, variables: {size: 42}}": "E201",
            "  - {file: good.jpg, id: 5, vars: {product: shoe, size: 42}}": "E204",
            "  - {file: good.jpg, url: 'https://e.org/a', vars: {product: shoe, size: 42}}": "E208",
            "  - {vars: {product: shoe, size: 42}}": "E208",
            "  - good.jpg": "E204",
            "  - {url: 'ftp://e.org/a.jpg', vars: {product: shoe, size: 42}}": "E412",
            "  - {base64: '?', vars: {product: shoe, size: 42}}": "E202 E411",
        },
    ),
    (
        "  - {glob: 'looks/*.jpg', vars: {product: bag, size: 1}}",
        {
            "  - {glob: 'nothing/*', vars: {product: bag, size: 1}}": "E408",
            "  - {glob: 'looks/*.jpg', id: look, vars: {product: bag, size: 1}}": "E208",
        },
    ),
    ("  - {table: rows.csv}", {"  - {table: none.csv}": "E409", "  - {tabel: rows.csv}": "E201"}),
    ("prompts:", {"prmopts:": "E201"}),
    (
        "  - {id: plain, text: '{{ product }} {{ size }} {{ season }} {{ surface }} {{ light }}'}",
        {
            "  - {id: plain, text: '{{ product }} {{ size }} {{ seasn }} {{ surfce }}'}": "E311 E311",
            "  - {id: plain, text: '{{ image.size }} {{ season }}'}": "E311",
            "  - {id: plain, text: '{{ product'}": "E301",
            "  - {id: plain, text: '{{ 1 / 0 }}'}": "E313",
            "  - {id: plain, txet: '{{ product }}'}": "E201",
            "  - {id: plain}": "E208",
            "  - {id: plain, text: 5}": "E204",
            "  - {id: plain, text: {{ product }}}": "E106",
            "  - {text: '{{ product }}'}": "E202",
        },
    ),
    (
        "  - {file: mood.j2, params: {cfg_scale: 0.8}}",
        {
            "  - {file: mood.j2, params: {cfg_scale: 8}}": "E205",
            "  - {file: none.j2, params: {cfg_scale: 8}}": "E101 E205",
            "  - {file: mood.j2, params: [cfg_scale]}": "E204",
            "  - {file: mood.j2, parms: {cfg_scale: high}}": "E201",
            "  - {file: mood.j2, params: {prompt: x}}": "E201",
        },
    ),
    (
        "vars: {season: spring, times: [1, 2]}",
        {
            "vars: {season: 2024-05-01, times: [1, .inf]}": "E106 E106",
            "vars: {season: spring, the-season: 5}": "E207",
            "vars: [season]": "E204",
            "constants: {season: spring}": "E201",
            "vars: {season: spring, surface: rock}": "E312",
            "vars: {season: spring, 5: x}": "E106",
        },
    ),
    ("matrix:", {"mtarix:": "E201"}),
    (
        "  surface: [rock, sand]",
        {
            "  surface: rock": "E204",
            "  surface: []": "E206",
            "  surface:": "E204",
            "  surface: [rock, 2024-05-01]": "E106",
            "  surface: [2024-05-01, 2024-05-02]": "E106 E106",
        },
    ),
    ("  cfg: [0.3, 0.7]", {"  cfg: [.nan, 0.7]": "E106", "  cfg: 0.3": "E204"}),
    (
        "  include: [{surface: snow, cfg: 0.5, light: dusk}, {light: noon}]",
        {
            "  include: [{surface: snow, cfg: 0.5, light: 2024-05-01}, {light: noon}]": "E106",
            "  include: [{surface: snow, cfg: 0.5, light: dusk}, {light: noon}, {}]": "E206",
            "  include: [5, {light: noon}]": "E204",
            "  include: [{image: good, light: dusk}, {light: noon}]": "E503",
            "  include: {light: noon}": "E204",
            "  include: [{light: noon}, {2: noon}]": "E106",
        },
    ),
    (
        "  exclude: [{surface: sand, cfg: 0.7}, {image: row, prompt: plain, cfg: 0.3}]",
        {
            "  exclude: [{surfce: sand, cfg: 0.7}]": "E502",
            "  exclude: [{surface: 2024-05-01}, {cfg: 5}]": "E106",
            "  exclude: [surface]": "E204",
            "  exclude: {surface: sand}": "E204",
            "  exclude: [{}]": "E206",
        },
    ),
    (
        "  zip: [[surface, cfg]]",
        {"  zip: [[surface, cgf]]": "E501", "  zip: [surface, cfg]": "E204 E204", "  zip: [[surface]]": "E206"},
    ),
    ("params:", {"pramas:": "E201"}),
    (
        "  duration: '5'",
        {
            "  duration: 5": "E204",
            "  duration: '7'": "E203",
            "  duration: 2024-05-01": "E106",
            "  duration: '{{ 5'": "E301",
            "  duration: '{{ nothing }}'": "E311",
            "  length: '5'": "E201",
        },
    ),
    ("  cfg_scale: '{{ cfg }}'", {"  cfg_scale: '{{ cfg * 10 }}'": "p205", "  cfg_scale: {{ cfg }}": "E106"}),
    ("takes: 2", {"takes: 0": "E205", "takes: two": "E204", "takse: 2": "E201", "takes: .nan": "E106"}),
    (
        "budget: {max_jobs: 500, max_cost: 40, price_per_job: 0.25}",
        {
            "budget: {max_jobs: many, max_cost: 40, price_per_job: 0.25}": "E204",
            "budget: {max_cost: 2000000000, price_per_job: 0.25}": "E205",
            "budget: {max_cost: 40, price_per_job: 0.0000000001}": "E205",
            "budget: {max_cost: 40, price: 0.25}": "E201",
            "budget: {max_cost: 40, price_per_job: a little}": "E204",
            "budget: {max_cost: 40, price_per_job: 1, price_per_second: 2}": "E208",
            "budget: 40": "E204",
        },
    ),
    ("run: {wait: 30m}", {"run: {wait: soon}": "E207", "run: {wiat: 30m}": "E201", "run: {wait: 8761h}": "E205"}),
    (
        "output: {file: '{{ image.id }}/{{ prompt.id }}-{{ surface }}-{{ cfg }}-{{ light }}-{{ model }}-{{ take }}'}",
        {
            "output: {file: '{{ image.idd }}'}": "E311",
            "output: {file: '../{{ image.id }}'}": "E601",
            "output: {dir: 5}": "E204",
            "output: {dri: out}": "E201",
            "output: out": "E204",
        },
    ),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verdict")
    (folder / "looks").mkdir()
    (folder / "good.jpg").write_bytes(picture_bytes(1))
    (folder / "tiny.jpg").write_bytes(picture_bytes(2, width=200))
    (folder / "looks" / "a.jpg").write_bytes(picture_bytes(3))
    (folder / "rows.csv").write_text("image,id,product,size\ngood.jpg,row,hat,7\n")
    (folder / "mood.j2").write_text("{{ product }} in {{ season }}")
    return folder


def found_in(path):
    """The errors of a manifest, code and line, in order; and the last stage that was checked."""
    reading = read(path)
    try:
        make_plan(reading.valid(), warnings=reading.diagnostics)
    except ManifestError as error:
        told = [(each.code, each.position.line) for each in error.diagnostics if each.severity is Severity.ERROR]
        return told, error.checked
    return [], Stage.PLANNING


def stage_of(code):
    if code in ("E103", "E106"):
        return Stage.YAML
    return Stage.STRUCTURE if code.startswith(("E1", "E2", "E4")) else Stage.PLANNING


def check(folder, broken):
    """Break lines of the sound manifest; `broken` has the number of each with its new text."""
    path = folder / "m.yaml"
    path.write_text("".join(f"{broken.get(number, line)}\n" for number, (line, _) in enumerate(LINES)))
    wrong = [(code, number + 1) for number, text in broken.items() for code in LINES[number][1][text].split()]
    first = min((stage_of(code) for code, _ in wrong), key=list(Stage).index, default=Stage.PLANNING)
    expected = [(code.replace("p", "E"), line) for code, line in wrong if stage_of(code) is first]
    told, checked = found_in(path)
    assert (sorted(told), checked) == (sorted(expected), first)


def test_the_lines_are_sound(folder):
    check(folder, {})


BREAKS = [(number, text) for number, (_, breaks) in enumerate(LINES) for text in breaks]
# A section under a misspelled key is not looked at, nor are parameters without the schema of a model.
HIDING = ("imges:", "prmopts:", "mtarix:", "pramas:", "modle: Kling-Image2Video-V1.6-Standard")


@pytest.mark.parametrize(("number", "broken"), BREAKS, ids=[f"{number}:{text.strip()}" for number, text in BREAKS])
def test_one_break_is_one_problem(folder, number, broken):
    check(folder, {number: broken})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([each for each in BREAKS if each[1] not in HIDING]),
        min_size=2,
        max_size=6,
        unique_by=lambda each: each[0],
    )
)
def test_independent_breaks_are_all_told_and_nothing_else(folder, breaks):
    check(folder, dict(breaks))


def test_arms_and_pictures_of_one_id_are_all_looked_at(folder):
    chosen = [line for line, _ in LINES]
    chosen[4] = "  - {file: good.jpg, id: row, vars: {product: shoe, size: 42}}"
    chosen[8] = "  - {id: mood, text: '{{ product'}"
    chosen[9] = "  - {file: mood.j2, params: {cfg_scale: 8}}"
    path = folder / "m.yaml"
    path.write_text("".join(f"{line}\n" for line in chosen))
    # The id of a row is told in its table.
    assert sorted(found_in(path)[0]) == [("E205", 10), ("E210", 2), ("E210", 10)]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("models: 5", ["E204"]),
        ("models: {mine: 5}", ["E204"]),
        ("modles: {mine: mine.json}", ["E201"]),
        ("models: {mine: none.json}", ["E101"]),
        ("models: {}", ["E209"]),
    ],
)
def test_a_model_whose_schema_is_told_of_is_not_unknown(folder, more, told):
    path = folder / "o.yaml"
    path.write_text(f"version: 1\nmodel: mine\nimages: [{{file: good.jpg}}]\nprompts: [{{id: a, text: x}}]\n{more}\n")
    assert [code for code, _ in found_in(path)[0]] == told


def test_warnings_of_a_stage_come_with_its_errors(folder):
    path = folder / "w.yaml"
    head = "version: 1\nmodel: Kling-Image2Video-V1.6-Standard\nimages: [{file: good.jpg}]\n"
    path.write_text(f"{head}prompts: [{{id: a, text: still}}]\nmatrix: {{a: [no], exclude: [{{a: 2}}]}}\ntakes: 0\n")
    assert [each.code for each in read(path).diagnostics] == ["W901", "E205"]
