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
        arms = [self._arm(prompt) for prompt in manifest.prompts]
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
            except TemplateFault as fault:
                self._template_fault(fault.problem, parameter.place, key)
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
        exact = Place(place.route, place.prompt, problem.offset, problem.length)
        self._faults.add(problem.code, exact, problem.message, problem.hint, cell=key, about="")

    def _arm(self, prompt: Prompt) -> _Arm:
        text_place = Place((*prompt.route, "text"), prompt if prompt.file else None)
        parameters = [_Parameter("prompt", self._text(prompt.text, text_place), text_place)]
        own = {name: (*prompt.route, "params", name) for name in prompt.params}
        common = {name: ("params", name) for name in self._manifest.params}
        values = {**self._manifest.params, **prompt.params}
        for name, route in {**common, **own}.items():
            if name in ("image", "prompt"):
                what = "pictures stand under images" if name == "image" else "prompts stand under prompts"
                self._faults.add("E312", Place(route, key=True), f"params must not set {name}", what)
                continue
            parameters.append(_Parameter(name, self._evaluator(values[name], route), Place(route)))
        return _Arm(prompt, tuple(parameters))

    def _text(self, text: str, place: Place) -> Callable[[Context], Json]:
        template = self._compiled(text, place)
        return (lambda context: None) if template is None else template.render

    def _evaluator(self, value: Json, route: Route) -> Callable[[Context], Json]:
        """How a parameter gets its value: templates at any depth are rendered, everything else is as it stands."""
        if isinstance(value, str):
            template = self._compiled(value, Place(route))
            return (lambda context: None) if template is None else template.value
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
        variables = dict.fromkeys(manifest.matrix.axes, "an axis of the matrix")
        for include in manifest.matrix.include:
            for name in include:
                variables.setdefault(name, "an include of the matrix")
        for name in (*variables, *manifest.constants):
            if name in RESERVED:
                route = ("vars", name) if name in manifest.constants else ("matrix", name)
                self._twice(name, route, "a name that every template has")
        for name in manifest.constants:
            if name in variables:
                self._twice(name, ("vars", name), variables[name])
        for image in manifest.images:
            for name in image.vars:
                other = variables.get(name) or ("a constant under vars" if name in manifest.constants else None)
                if name in RESERVED:
                    other = "a name that every template has"
                if other is not None:
                    self._twice(name, (*image.route, "vars", name), other)

    def _twice(self, name: str, route: Route, other: str) -> None:
        self._faults.add(
            "E312", Place(route, key=True), f"'{name}' is set twice: it is also {other}", "rename one of them"
        )


@dataclass(frozen=True, slots=True)
class _Arm:
    prompt: Prompt
    parameters: tuple[_Parameter, ...]
