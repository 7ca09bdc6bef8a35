"""What can be wrong with a template."""

from __future__ import annotations

from dataclasses import dataclass

from runner.diagnostics.text import Text


@dataclass(frozen=True, slots=True)
class TemplateDiagnostic:
    """A problem of a template. `offset` and `length` are its place, in characters of the template's text.

    `unknown` is the variable that is not known, where that is the problem. `fragment` is the file that the place is in,
    None for the template itself.
    """

    code: str
    message: str
    hint: str
    offset: int
    length: int
    unknown: str = ""
    fragment: Text | None = None


class InvalidTemplateError(Exception):  # it is a fault of the text, not of the program
    """A template that cannot be compiled, or fails with the variables given."""

    def __init__(self, diagnostic: TemplateDiagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class ExcessError(Exception):
    """A render makes, or takes, more than it may."""


class NotJsonError(Exception):
    """A value that JSON does not have."""


class NotTextError(Exception):
    """A value that no text can hold: a list, a mapping, a truth value, none, a function. The argument is its kind."""
