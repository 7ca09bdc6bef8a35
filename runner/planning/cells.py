"""Cells of a sweep rendered to requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from runner.manifest.wording import problems, validator
from runner.model import Image, Json, Manifest, ModelSchema, Prompt, Route, Variables, fingerprint, job_id
from runner.planning import matrix
from runner.planning.faults import Faults, Place
from runner.planning.keys import key_of
from runner.planning.paths import safe_path, unsafe_text
from runner.planning.templates import Template, TemplateFault, TemplateProblem, compile_template

Context = Mapping[str, object]

# Names that a template always knows; nothing else may set them.
RESERVED = ("image", "prompt", "model", "take", "name")


@dataclass(frozen=True, slots=True)
class Cell:
    """A rendered, validated cell. `output` is the rendered path, None where the key is the path."""

    key: str
    id: str
    fingerprint: str
    image: Image
    prompt: Prompt
    schema: ModelSchema
    variables: Variables
    take: int
    payload: Variables
    output: str | None


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    evaluate: Callable[[Context], Json]
    place: Place


class Expansion:
    """Renders the cells of a manifest; what goes wrong goes into `faults`, and the cell is left out."""

    def __init__(self, manifest: Manifest, faults: Faults) -> None:
        self._manifest = manifest
        self._faults = faults
        self.seen = 0

    def cells(self) -> Iterator[Cell]:
        """Every sound cell, image by image, in the order of the manifest."""
        manifest = self._manifest
        self._check_names()
        for problem in matrix.problems(
            manifest.matrix,
            images=[image.id for image in manifest.images],
            prompts=[prompt.id for prompt in manifest.prompts],
            models=manifest.models,
        ):
            place = Place(("matrix", *problem.route), key=problem.key)
            self._faults.add(problem.code, place, problem.message, problem.hint)
        output = self._output_template()
        common = self._parameters(manifest.params, ("params",))
        arms = [self._arm(prompt, common) for prompt in manifest.prompts]
        if self._faults.has_errors:
            return
        yield from self._product(arms, output)

    def _product(self, arms: Sequence[_Arm], output: Template | None) -> Iterator[Cell]:
        manifest = self._manifest
        excluded = matrix.excluded(manifest.matrix)
        variants = list(matrix.variants(manifest.matrix))
        for image in manifest.images:
            for arm in arms:
                for variant in variants:
                    for model in manifest.models:
                        if excluded(image.id, arm.prompt.id, model, variant):
                            continue
                        for take in range(1, manifest.takes + 1):
                            self.seen += 1
                            cell = self._cell(image, arm, variant.variables, model, take, output)
                            if cell is not None:
                                yield cell

    def _cell(
        self, image: Image, arm: _Arm, variables: Variables, model: str, take: int, output: Template | None
    ) -> Cell | None:
        manifest = self._manifest
        schema = manifest.schemas[model]
        key = key_of(manifest, image.id, arm.prompt.id, model, variables, take)
        context: dict[str, object] = {
            **manifest.constants,
            **image.vars,
            **variables,
            "image": {"id": image.id, "width": image.width, "height": image.height},
            "prompt": {"id": arm.prompt.id},
            "model": model,
            "take": take,
            "name": manifest.name,
        }
        payload = self._payload(arm, image, schema, context, key)
        if payload is None or not self._is_valid(arm, schema, payload, key):
            return None
        path = None
        if output is not None:
            path = self._rendered(lambda: output.render(context), Place(("output", "file")), key)
            if path is None:
                return None
        request = fingerprint(model, payload)
        return Cell(
            key, job_id(request, take), request, image, arm.prompt, schema, variables, take, payload,
            None if path is None else safe_path(path),
        )  # fmt: skip

    def _payload(
        self, arm: _Arm, image: Image, schema: ModelSchema, context: Context, key: str
    ) -> dict[str, Json] | None:
        """Every parameter that is sent: the schema's defaults, then the manifest's; `none` leaves one out."""
        payload = schema.defaults
        failed = False
        for parameter in arm.parameters:
            try:
                value = parameter.evaluate(context)
            except _FaultAt as found:
                self._template_fault(found.problem, found.place, key)
                failed = True
                continue
            if value is None:
                payload.pop(parameter.name, None)
            else:
                payload[parameter.name] = value
        payload["image"] = image.reference
        return None if failed else payload

    def _is_valid(self, arm: _Arm, schema: ModelSchema, payload: Variables, key: str) -> bool:
        if validator(schema.document).is_valid(payload):
            return True
        places = {parameter.name: parameter.place for parameter in arm.parameters}
        for problem in problems(schema.document, payload):
            name = str(problem.route[0]) if problem.route else ""
            place = places.get(name, Place(("params", name)))
            about = f"{name} {schema.name}"
            self._faults.add(problem.code, place, problem.message, problem.hint, cell=key, about=about)
        return False

    def _rendered(self, render: Callable[[], str], place: Place, key: str) -> str | None:
        try:
            return render()
        except TemplateFault as fault:
            self._template_fault(fault.problem, place, key)
            return None

    def _template_fault(self, problem: TemplateProblem, place: Place, key: str) -> None:
        exact = Place(place.route, problem.offset, problem.length)
        self._faults.add(problem.code, exact, problem.message, problem.hint, cell=key, about="")

    def _arm(self, prompt: Prompt, common: Mapping[str, _Parameter]) -> _Arm:
        place = Place((*prompt.route, "text"))
        template = self._compiled(prompt.text, place)
        text = _Parameter("prompt", _located(template.render if template else _nothing, place), place)
        own = self._parameters(prompt.params, (*prompt.route, "params"))
        return _Arm(prompt, (text, *{**common, **own}.values()))

    def _parameters(self, values: Variables, route: Route) -> dict[str, _Parameter]:
        """A section `params`, compiled."""
        return {
            name: _Parameter(name, self._evaluator(value, (*route, name)), Place((*route, name)))
            for name, value in values.items()
        }

    def _evaluator(self, value: Json, route: Route) -> Callable[[Context], Json]:
        """How a parameter gets its value: templates at any depth are rendered, everything else is as it stands."""
        if isinstance(value, str):
            place = Place(route)
            template = self._compiled(value, place)
            return _located(template.value if template else _nothing, place)
        if isinstance(value, Mapping):
            members = {name: self._evaluator(each, (*route, name)) for name, each in value.items()}
            return lambda context: {name: evaluate(context) for name, evaluate in members.items()}
        if isinstance(value, Sequence):
            items = [self._evaluator(each, (*route, index)) for index, each in enumerate(value)]
            return lambda context: [evaluate(context) for evaluate in items]
        return lambda context: value

    def _compiled(self, text: str, place: Place) -> Template | None:
        try:
            return compile_template(text)
        except TemplateFault as fault:
            self._template_fault(fault.problem, place, "")
            return None

    def _output_template(self) -> Template | None:
        text = self._manifest.output.file
        if text is None:
            return None
        place = Place(("output", "file"))
        wrong = unsafe_text(text)
        if wrong is not None:
            self._faults.add(
                "E601", place, f"output.file is not allowed: {wrong}", "for example: {{ image.id }}/{{ take }}"
            )
            return None
        return self._compiled(text, place)

    def _check_names(self) -> None:
        """A name has one source: what a template means by it must not depend on an order of precedence."""
        manifest = self._manifest
        taken = dict.fromkeys(RESERVED, "a name that every template has")
        axes = [(name, ("matrix", name)) for name in manifest.matrix.axes]
        added = [
            (name, ("matrix", "include", index, name))
            for index, include in enumerate(manifest.matrix.include)
            for name in include
            # Those that stand outside the matrix are told of already (E503).
            if name not in manifest.matrix.axes and name not in matrix.OUTSIDE
        ]
        constants = [(name, ("vars", name)) for name in manifest.constants]
        pictures = [(name, (*image.route, "vars", name)) for image in manifest.images for name in image.vars]
        for names, what in (
            (axes, "an axis of the matrix"),
            (added, "an include of the matrix"),
            (constants, "a constant under vars"),
            (pictures, ""),
        ):
            for name, route in names:
                if name in taken:
                    self._twice(name, route, taken[name])
            # Images, and includes, may have names in common with each other.
            taken.update({name: what for name, _ in names if what and name not in taken})

    def _twice(self, name: str, route: Route, other: str) -> None:
        self._faults.add(
            "E312", Place(route, key=True), f"'{name}' is set twice: it is also {other}", "rename one of them"
        )


class _FaultAt(Exception):  # noqa: N818  # as TemplateFault
    """A template's fault, with the place of the template."""

    def __init__(self, problem: TemplateProblem, place: Place) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.place = place


def _located(evaluate: Callable[[Context], Json], place: Place) -> Callable[[Context], Json]:
    def located(context: Context) -> Json:
        try:
            return evaluate(context)
        except TemplateFault as fault:
            raise _FaultAt(fault.problem, place) from fault

    return located


def _nothing(context: Context) -> Json:
    """Stands for a template that could not be compiled; nothing is rendered then."""
    return None


@dataclass(frozen=True, slots=True)
class _Arm:
    prompt: Prompt
    parameters: tuple[_Parameter, ...]
