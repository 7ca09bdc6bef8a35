from __future__ import annotations

from runner.planning.template_faults import TemplateFault, TemplateProblem


def test_a_fault_carries_its_problem_and_speaks_its_message() -> None:
    problem = TemplateProblem("E311", "unknown variable 'x'", "known here: y", 3, 1)
    fault = TemplateFault(problem)
    assert fault.problem is problem
    assert str(fault) == "unknown variable 'x'"
