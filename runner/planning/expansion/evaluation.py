"""How the values of a cell are made: parameters as functions of the variables, and what goes wrong with one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runner.model import Json
from runner.planning.plan_diagnostics import Place
from runner.planning.templates.template import Template
from runner.planning.templates.template_errors import TemplateDiagnostic

Context = Mapping[str, object]
Evaluator = Callable[[Context], Json]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the payload. `templates` are those in its value; if none has an expression, it is constant.

    A parameter that is not valid has a template that cannot be compiled, and no value.
    """

    name: str
    evaluate: Evaluator
    place: Place
    templates: tuple[Template, ...]
    is_valid: bool = True

    @property
    def is_constant(self) -> bool:
        return all(template.is_constant for template in self.templates)

    @property
    def is_null(self) -> bool:
        """Whether null is written as its value: a template that gives none is something else."""
        return self.is_valid and not self.templates and self.evaluate({}) is None

    @property
    def names(self) -> frozenset[str]:
        """The variables that it looks up."""
        return frozenset().union(*(template.names for template in self.templates))


class PlacedTemplateError(Exception):  # an error in the text, not in the program
    """An error of a template, with the place of the template."""

    def __init__(self, diagnostic: TemplateDiagnostic, place: Place) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.place = place

    @classmethod
    def of_value(cls, code: str, message: str, hint: str, place: Place) -> PlacedTemplateError:
        """An error of a value that a parameter has, whatever made it."""
        return cls(TemplateDiagnostic(code, message, hint, 0, 0, is_of_value=True), place)
