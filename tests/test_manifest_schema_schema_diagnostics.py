"""Which problems stand for themselves."""

from runner.manifest.schema.schema_diagnostics import SchemaDiagnostic, independent


def problem(*route, code="E201", **more):
    return SchemaDiagnostic(route, code, f"{code} at {route}", **more)


def test_a_missing_key_follows_from_a_misspelled_one():
    unknown = problem("image", key=True, meant="images")
    missing = problem("images", code="E202", missed=("images",))
    other = problem("prompts", code="E202", missed=("prompts",))
    assert independent([missing, unknown, other]) == [unknown, other]
    elsewhere = problem("a", "image", key=True, meant="images")
    assert independent([missing, elsewhere]) == [missing, elsewhere]


def test_one_of_several_missing_keys_was_meant():
    unknown = problem("images", 0, "fiel", key=True, meant="file")
    none = problem("images", 0, code="E208", missed=("file", "url"))
    assert independent([unknown, none]) == [unknown]
    assert independent([problem("images", 1, "fiel", key=True, meant="file"), none])[1] == none


def test_a_value_has_one_problem_and_its_type_comes_first():
    form = problem("a", code="E203")
    whole = problem("a", code="E204", whole=True)
    key = problem("a", code="E207", key=True)
    assert independent([form, key, whole]) == [whole, key]
