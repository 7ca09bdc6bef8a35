"""Which problems stand for themselves."""

from runner.manifest.findings import Finding, Problem, independent


def problem(*route, code="E201", key=False, meant=""):
    return Problem(route, code, f"{code} at {route}", key=key, meant=meant)


def test_a_missing_key_follows_from_a_misspelled_one():
    unknown = Finding(problem("image", key=True, meant="images"))
    missing = Finding(problem("images", code="E202"), missed=("images",))
    other = Finding(problem("prompts", code="E202"), missed=("prompts",))
    assert independent([missing, unknown, other]) == [unknown.problem, other.problem]
    elsewhere = Finding(problem("a", "image", key=True, meant="images"))
    assert independent([missing, elsewhere]) == [missing.problem, elsewhere.problem]


def test_one_of_several_missing_keys_was_meant():
    unknown = Finding(problem("images", 0, "fiel", key=True, meant="file"))
    none = Finding(problem("images", 0, code="E208"), missed=("file", "url"))
    assert independent([unknown, none]) == [unknown.problem]
    assert independent([Finding(problem("images", 1, "fiel", key=True, meant="file")), none])[1] == none.problem


def test_a_value_has_one_problem_and_its_type_comes_first():
    form = Finding(problem("a", code="E203"))
    whole = Finding(problem("a", code="E204"), whole=True)
    key = Finding(problem("a", code="E207", key=True))
    assert independent([form, key, whole]) == [whole.problem, key.problem]
