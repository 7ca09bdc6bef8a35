"""The arms of a sweep, compiled: the prompt and the parameters of each, as functions of the variables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from runner.model import Json, Manifest, Prompt, Route, Variables
from runner.planning.faults import Faults, Place
from runner.planning.templates import Template, TemplateFault, TemplateProblem, compile_template

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


@dataclass(frozen=True, slots=True)
class Arm:
    """A prompt with all parameters but the picture: the prompt's text first."""

    prompt: Prompt
    parameters: tuple[Parameter, ...]
    is_sound: bool = True

    @property
    def names(self) -> frozenset[str]:
        """The variables that the arm looks up."""
        return frozenset().union(*(template.names for each in self.parameters for template in each.templates))


class FaultAt(Exception):  # noqa: N818  # it is a fault of the text, not of the program
    """A template's fault, with the place of the template."""

    def __init__(self, problem: TemplateProblem, place: Place) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.place = place


class _Assumed(Mapping[str, object]):
    """The variables of a cell, and further names that have a value as well; these are not listed."""

    def __init__(self, context: Context, names: Collection[str]) -> None:
        self._context = context
        self._names = names

    def __getitem__(self, name: str) -> object:
        return "" if name in self._names else self._context[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._context)

    def __len__(self) -> int:
        return len(self._context)


def faults_in(evaluate: Evaluator, context: Context) -> Iterator[FaultAt]:
    """What is wrong with a value in a cell: its first fault, and all variables that are not known.

    A render ends at the first of them, so it is repeated as if that one were known.
    """
    unknown: set[str] = set()
    while True:
        try:
            evaluate(_Assumed(context, unknown))
        except FaultAt as fault:
            name = fault.problem.unknown
            if name or not unknown:
                yield fault
            if not name:
                return
            unknown.add(name)
        else:
            return


def compiled_arms(manifest: Manifest, faults: Faults) -> list[Arm]:
    """The arms of a manifest, in its order; templates that cannot be compiled go into the faults."""
    common = dict(_parameters(manifest.params, ("params",), faults))
    return [_arm(prompt, common, faults) for prompt in manifest.prompts]


def compiled(text: str, place: Place, faults: Faults) -> Template | None:
    """The template of a text, None where it is none, which goes into the faults."""
    try:
        return compile_template(text)
    except TemplateFault as fault:
        add_fault(fault.problem, place, "", faults)
        return None


def add_fault(problem: TemplateProblem, place: Place, key: str, faults: Faults) -> None:
    """Note what is wrong with the template at a place, for the cell of this key."""
    exact = Place(place.route, problem.offset, problem.length)
    faults.add(problem.code, exact, problem.message, problem.hint, cell=key, about="")


def _arm(prompt: Prompt, common: Mapping[str, Parameter], faults: Faults) -> Arm:
    place = Place((*prompt.route, "text"))
    template = compiled(prompt.text, place, faults)
    evaluate = located(template.render, place) if template else _nothing
    text = Parameter("prompt", evaluate, place, (template,) if template else (), template is not None)
    own = dict(_parameters(prompt.params, (*prompt.route, "params"), faults))
    parameters = (text, *{**common, **own}.values())
    return Arm(prompt, parameters, all(each.is_sound for each in parameters))


def _parameters(values: Variables, route: Route, faults: Faults) -> Iterator[tuple[str, Parameter]]:
    """A section `params`, compiled."""
    for name, value in values.items():
        templates: list[Template | None] = []
        evaluate = _evaluator(value, (*route, name), templates, faults)
        sound = tuple(each for each in templates if each is not None)
        is_sound = len(sound) == len(templates)
        yield name, Parameter(name, evaluate if is_sound else _nothing, Place((*route, name)), sound, is_sound)


def _evaluator(value: Json, route: Route, templates: list[Template | None], faults: Faults) -> Evaluator:
    """How a parameter gets its value: templates at any depth are rendered, everything else is as it stands.

    The templates are added to the list, None for each that cannot be compiled.
    """
    if isinstance(value, str):
        template = compiled(value, Place(route), faults)
        templates.append(template)
        return located(template.value, Place(route)) if template else _nothing
    if isinstance(value, Mapping):
        members = {name: _evaluator(each, (*route, name), templates, faults) for name, each in value.items()}
        return lambda context: {name: evaluate(context) for name, evaluate in members.items()}
    if isinstance(value, Sequence):
        items = [_evaluator(each, (*route, index), templates, faults) for index, each in enumerate(value)]
        return lambda context: [evaluate(context) for evaluate in items]
    return lambda context: value


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
