"""The tree of errors and their exit codes."""

from runner import errors
from runner.errors import Diagnostic, Exit, ManifestError, Position, ReelrunError, Severity, worst


def test_every_error_has_a_code_and_an_exit_code():
    def tree(kind):
        return [kind, *(each for sub in kind.__subclasses__() for each in tree(sub))]

    kinds = [each for each in tree(ReelrunError) if each.__module__ == errors.__name__]
    assert {each.exit_code for each in kinds} == {*Exit} - {Exit.DONE, Exit.UNFINISHED, Exit.INTERRUPTED}
    # A special case of an error has the code of that error.
    own = [each for each in kinds if "code" in vars(each)]
    assert len({each.code for each in own}) == len(own) >= 12


def test_the_worst_of_several_codes():
    assert worst([]) is Exit.DONE
    assert worst([Exit.JOBS_FAILED, Exit.UNFINISHED]) is Exit.UNFINISHED
    assert worst([Exit.UNAVAILABLE, Exit.BUDGET, Exit.INVALID, Exit.LOCKED, Exit.ACCESS]) is Exit.ACCESS
    assert worst([*Exit]) is Exit.INTERRUPTED


def test_a_manifest_error_orders_its_diagnostics_and_names_the_first_error():
    warning = Diagnostic("W901", Severity.WARNING, Position("m.yaml", 1, 1), "odd")
    late = Diagnostic("E201", Severity.ERROR, Position("m.yaml", 9, 2), "late", "mend it")
    early = Diagnostic("E201", Severity.ERROR, Position("m.yaml", 3, 2), "early", "do this")
    error = ManifestError([late, warning, early])
    assert error.diagnostics == (warning, early, late)
    assert error.message == "the manifest has 2 errors; the first: m.yaml:3:2: early"
    assert error.hint == "do this"


def test_a_diagnostic_as_json():
    found = Diagnostic("E201", Severity.ERROR, Position("m.yaml", 3, 2, 5), "what", "help", "line")
    assert found.as_json() == {
        "code": "E201",
        "severity": "error",
        "file": "m.yaml",
        "line": 3,
        "column": 2,
        "message": "what",
        "hint": "help",
    }
