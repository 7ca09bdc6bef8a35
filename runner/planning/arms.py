"""The arms of a sweep, compiled: the prompt and the parameters of each, as functions of the variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from runner.model import Json, Manifest, Prompt, Route, Variables
from runner.planning.faults import Faults, Place
from runner.planning.templates.problems import TemplateFault, TemplateProblem
from runner.planning.templates.template import Template, Templates
from runner.planning.templates.values import Assumed

Context = Mapping[str, object]
Evaluator = Callable[[Context], Json]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the payload. `templates` are those in its value; without any that has names it is constant.

    One that is not sound has a template that cannot be compiled, and no value.
    """

    name: str
    evaluate: Evaluator
    place: Place
    templates: tuple[Template, ...]
    is_sound: bool = True

    @property
    def is_constant(self) -> bool:
        return all(template.is_constant for template in self.templates)

    @property
    def names(self) -> frozenset[str]:
        """The variables that it looks up."""
        return frozenset().union(*(template.names for template in self.templates))


@dataclass(frozen=True, slots=True)
class Arm:
    """A prompt with all parameters but the picture: the prompt's text first."""

    prompt: Prompt
    parameters: tuple[Parameter, ...]
    is_sound: bool = True

    @property
    def templates(self) -> tuple[Template, ...]:
        """All templates of its parameters."""
        return tuple(template for each in self.parameters for template in each.templates)

    @property
    def names(self) -> frozenset[str]:
        """The variables that the arm looks up."""
        return frozenset().union(*(each.names for each in self.parameters))


class FaultAt(Exception):  # noqa: N818  # it is a fault of the text, not of the program
    """A template's fault, with the place of the template."""

    def __init__(self, problem: TemplateProblem, place: Place) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.place = place


def faults_in(evaluate: Evaluator, context: Context, first: FaultAt) -> Iterator[FaultAt]:
    """What is wrong with a value in a cell, after the first fault: all variables that are not known.

    A render ends at the first of them, so it is repeated as if that one were known.
    """
    yield first
    unknown = {first.problem.unknown}
    while "" not in unknown:
        try:
            evaluate({**context, **dict.fromkeys(unknown, Assumed())})
        except FaultAt as fault:
            if fault.problem.unknown in unknown:
                # What is assumed does not reach a fragment without context.
                return
            if fault.problem.unknown:
                yield fault
            unknown.add(fault.problem.unknown)
        else:
            return


class Compiler:
    """Compiles what a manifest has of templates; those that cannot be compiled go into the faults."""

    def __init__(self, templates: Templates, faults: Faults) -> None:
        self._templates = templates
        self._faults = faults

    def arms(self, manifest: Manifest) -> list[Arm]:
        """The arms of a manifest, in its order."""
        common = dict(self._parameters(manifest.params, ("params",)))
        return [self._arm(prompt, common) for prompt in manifest.prompts]

    def template(self, text: str, place: Place) -> Template | None:
        """The template of a text, None where it is none, or where one before took too much."""
        if self._faults.has_excess:
            return None
        try:
            return self._templates.compile(text)
        except TemplateFault as fault:
            add_fault(fault.problem, place, "", self._faults)
            return None

    def parameter(self, name: str, value: Json, route: Route) -> Parameter:
        """A value with templates in it, at any depth."""
        templates: list[Template | None] = []
        evaluate = self._evaluator(value, route, templates)
        valid = tuple(each for each in templates if each is not None)
        is_valid = len(valid) == len(templates)
        return Parameter(name, evaluate if is_valid else _nothing, Place(route), valid, is_valid)

    def _arm(self, prompt: Prompt, common: Mapping[str, Parameter]) -> Arm:
        place = Place((*prompt.route, "text"))
        template = self.template(prompt.text, place)
        evaluate = located(template.render, place) if template else _nothing
        text = Parameter("prompt", evaluate, place, (template,) if template else (), template is not None)
        own = dict(self._parameters(prompt.params, (*prompt.route, "params")))
        parameters = (text, *{**common, **own}.values())
        return Arm(prompt, parameters, all(each.is_sound for each in parameters))

    def _parameters(self, values: Variables, route: Route) -> Iterator[tuple[str, Parameter]]:
        """A section `params`, compiled."""
        return ((name, self.parameter(name, value, (*route, name))) for name, value in values.items())

    def _evaluator(self, value: Json, route: Route, templates: list[Template | None]) -> Evaluator:
        """How a parameter gets its value: templates at any depth are rendered, everything else is as it stands.

        The templates are added to the list, None for each that cannot be compiled.
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


def add_fault(problem: TemplateProblem, place: Place, key: str, faults: Faults) -> None:
    """Note what is wrong with the template at a place, for the cell of this key."""
    exact = Place(place.route, problem.offset, problem.length, fragment=problem.fragment)
    faults.add(problem.code, exact, problem.message, problem.hint, cell=key, about="")


def located(evaluate: Evaluator, place: Place) -> Evaluator:
    """The evaluator of a template at a place, which its faults then name."""

    def evaluated(context: Context) -> Json:
        try:
            return evaluate(context)
        except TemplateFault as fault:
            raise FaultAt(fault.problem, place) from fault

    return evaluated


def _nothing(context: Context) -> Json:
    """Stands for a template that could not be compiled: the parameter is left out."""
    return None
