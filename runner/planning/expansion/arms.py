"""The arms of a sweep, compiled: the prompt and the parameters of each arm, as functions of the variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from runner.model import Json, Manifest, ModelSchema, Prompt, Route, Variables
from runner.planning.expansion.evaluation import Context, Evaluator, Parameter, PlacedTemplateError
from runner.planning.expansion.portable import ported
from runner.planning.plan_diagnostics import Place, PlanDiagnostics, place_of_name
from runner.planning.templates.template import Template, Templates
from runner.planning.templates.template_errors import InvalidTemplateError, TemplateDiagnostic
from runner.planning.templates.template_values import Assumed


@dataclass(frozen=True, slots=True)
class Arm:
    """A prompt with the parameters that a model gets, except the first picture.

    The prompt's text is the first of them, unless the model takes none.
    """

    prompt: Prompt
    parameters: tuple[Parameter, ...]
    is_valid: bool = True

    @property
    def templates(self) -> tuple[Template, ...]:
        """All templates of its parameters."""
        return tuple(template for each in self.parameters for template in each.templates)

    @property
    def names(self) -> frozenset[str]:
        """The variables that the arm looks up."""
        return frozenset().union(*(each.names for each in self.parameters))


def takes_prompt(schema: ModelSchema) -> bool:
    """Whether a model gets the texts of prompts: unless its schema takes no such parameter."""
    return "prompt" in schema.properties or schema.document.get("additionalProperties") is not False


# By the id of the prompt and the model.
Arms: TypeAlias = Mapping[tuple[str, str], Arm]


def errors_in(evaluate: Evaluator, context: Context, first: PlacedTemplateError) -> Iterator[PlacedTemplateError]:
    """The errors of a value in a cell: the first one, then one for each further variable that is unknown or no number.

    A render ends at the first such variable, so it is repeated as if that one were in order.
    """
    yield first
    assumed: dict[str, object] = {}
    further = _assumption(first.diagnostic)
    # Assumed variables do not reach a fragment that is used without context: it has the same error again.
    while not further.keys() <= assumed.keys():
        assumed.update(further)
        try:
            evaluate({**context, **assumed})
        except PlacedTemplateError as error:
            further = _assumption(error.diagnostic)
            if not further.keys() <= assumed.keys():
                yield error
        else:
            return


def _assumption(diagnostic: TemplateDiagnostic) -> dict[str, object]:
    """The variable that an error is about, with a value that has no such error; empty if there is none."""
    if diagnostic.unknown:
        return {diagnostic.unknown: Assumed()}
    return {diagnostic.origin: "1"} if diagnostic.origin else {}


class Compiler:
    """Compiles the templates of a manifest. If one cannot be compiled, its error is added to the diagnostics."""

    def __init__(self, templates: Templates, diagnostics: PlanDiagnostics) -> None:
        self._templates = templates
        self._diagnostics = diagnostics

    def arms(self, manifest: Manifest) -> Arms:
        """The arms of a manifest with each of its models, in its order."""
        common = dict(self._parameters(manifest.params, ("params",)))
        portable = dict(self._parameters(manifest.video, ("video",)))
        by_model = {model: self._of_model(manifest, model, common, portable) for model in manifest.models}
        found: dict[tuple[str, str], Arm] = {}
        for prompt in manifest.prompts:
            text = self._text(prompt)
            own = dict(self._parameters(prompt.params, (*prompt.route, "params")))
            for model, others in by_model.items():
                texts = (text,) if takes_prompt(manifest.schemas[model]) else ()
                parameters = (*texts, *{**others, **own}.values())
                found[prompt.id, model] = Arm(prompt, parameters, all(each.is_valid for each in parameters))
        return found

    def _of_model(
        self, manifest: Manifest, model: str, common: Mapping[str, Parameter], portable: Mapping[str, Parameter]
    ) -> dict[str, Parameter]:
        """The parameters of a model: its portable ones, then those of the manifest, then its own."""
        carried = {each.name: self._checked(each) for each in ported(portable, manifest.schemas[model])}
        own = dict(self._parameters(manifest.of_model(model).params, ("models", model, "params")))
        return {**carried, **common, **own}

    def _checked(self, parameter: Parameter) -> Parameter:
        """The parameter. One whose value never varies is tried here, so that its error is told once."""
        if parameter.is_constant:
            try:
                parameter.evaluate({})
            except PlacedTemplateError as error:
                add_error(error.diagnostic, error.place, "", self._diagnostics)
                return replace(parameter, evaluate=_nothing, is_valid=False)
        return parameter

    def template(self, text: str, place: Place) -> Template | None:
        """The template of a text; None if it cannot be compiled, or if an earlier template exceeded a limit."""
        if self._diagnostics.has_excess:
            return None
        try:
            return self._templates.compile(text)
        except InvalidTemplateError as error:
            add_error(self._naming_column(error.diagnostic, text), place, "", self._diagnostics)
            return None

    def _naming_column(self, diagnostic: TemplateDiagnostic, text: str) -> TemplateDiagnostic:
        """With another hint where the text names a column of a table that only `row` can name."""
        rows = (image.row for image in self._diagnostics.manifest.images if image.row is not None)
        for column in next(rows, {}):
            if not column.isidentifier() and re.search(rf"\{{\{{[^\"'}}]*{re.escape(column)}", text):
                return replace(diagnostic, hint=f'the column is row["{column}"] in templates')
        return diagnostic

    def parameter(self, name: str, value: Json, route: Route) -> Parameter:
        """A value with templates in it, at any depth."""
        templates: list[Template | None] = []
        evaluate = self._evaluator(value, route, templates)
        valid = tuple(each for each in templates if each is not None)
        is_valid = len(valid) == len(templates)
        return Parameter(name, evaluate if is_valid else _nothing, Place(route), valid, is_valid)

    def _text(self, prompt: Prompt) -> Parameter:
        """The parameter `prompt`."""
        place = Place((*prompt.route, "text"))
        template = self.template(prompt.text, place)
        evaluate = located(template.render, place) if template else _nothing
        return Parameter("prompt", evaluate, place, (template,) if template else (), template is not None)

    def _parameters(self, values: Variables, route: Route) -> Iterator[tuple[str, Parameter]]:
        """A section `params`, compiled."""
        return ((name, self.parameter(name, value, (*route, name))) for name, value in values.items())

    def _evaluator(self, value: Json, route: Route, templates: list[Template | None]) -> Evaluator:
        """How a parameter gets its value: templates at any depth are rendered, everything else stays as written.

        The templates are added to `templates`, with None for each one that cannot be compiled.
        """
        if isinstance(value, str):
            template = self.template(value, Place(route))
            templates.append(template)
            return located(template.value, Place(route)) if template else _nothing
        if isinstance(value, Mapping):
            members = {name: self._evaluator(each, (*route, name), templates) for name, each in value.items()}
            return lambda context: {name: evaluate(context) for name, evaluate in members.items()}
        if isinstance(value, Sequence):
            items = [self._evaluator(each, (*route, index), templates) for index, each in enumerate(value)]
            return lambda context: [evaluate(context) for evaluate in items]
        return lambda context: value


def add_error(
    diagnostic: TemplateDiagnostic, place: Place, key: str, diagnostics: PlanDiagnostics, context: Context | None = None
) -> None:
    """Add the error of the template at a place to the diagnostics, for the cell with this key.

    If the value of a variable of the context is wrong, the place is that of the value.
    """
    exact = Place(place.route, diagnostic.offset, diagnostic.length, fragment=diagnostic.fragment)
    origin = place_of_name(diagnostics.manifest, diagnostic.origin, context) if context is not None else None
    about = "" if origin is None and not diagnostic.is_of_value else None
    diagnostics.add(diagnostic.code, origin or exact, diagnostic.message, diagnostic.hint, cell=key, about=about)


def located(evaluate: Evaluator, place: Place) -> Evaluator:
    """The evaluator of a template at a place. Its errors carry that place."""

    def evaluated(context: Context) -> Json:
        try:
            return evaluate(context)
        except InvalidTemplateError as error:
            raise PlacedTemplateError(error.diagnostic, place) from error

    return evaluated


def _nothing(context: Context) -> Json:
    """Replaces a template that could not be compiled: the parameter is left out."""
    return None
