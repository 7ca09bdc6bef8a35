"""Cells of a sweep rendered to requests."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from runner.manifest.schema.wording import diagnose
from runner.manifest.variable_names import RESERVED
from runner.model import Image, Job, Manifest, Matrix, Variables, job_id
from runner.planning.expansion import matrix
from runner.planning.expansion.arms import (
    Arm,
    Compiler,
    Context,
    Evaluator,
    Parameter,
    PlacedTemplateError,
    add_error,
    errors_in,
    located,
)
from runner.planning.expansion.braces import check_values
from runner.planning.expansion.constants import with_constants
from runner.planning.expansion.keys import head_of, key_of
from runner.planning.expansion.matrix import Variant
from runner.planning.expansion.paths import safe_path, unsafe_text
from runner.planning.expansion.payloads import Payloads
from runner.planning.plan_diagnostics import Place, PlanDiagnostics
from runner.planning.templates.template import Template, Templates
from runner.planning.templates.watch import TICK

# From so many seconds of rendering on the rest is estimated, and refused where it takes longer than so many.
_PATIENCE = 5.0
_LONGEST = 600.0


class Expansion:
    """Renders the cells of a manifest; what goes wrong goes into `faults`, and the cell is left out.

    `manifest` is the one that it was made of, with its constants rendered. `used` are the names that its templates look
    up. A sweep whose rendering would take longer than anybody waits is refused (E318), unless `is_patient`.
    """

    def __init__(
        self, manifest: Manifest, templates: Templates, diagnostics: PlanDiagnostics, *, is_patient: bool = False
    ) -> None:
        compiler = Compiler(templates, diagnostics)
        self.manifest, made_from = with_constants(manifest, compiler, diagnostics)
        self._diagnostics = diagnostics
        self._watch = templates.watch
        # The ticks at the last look at how long it takes; the first is after some seconds.
        self._looked = sys.maxsize if is_patient else int(_PATIENCE / TICK)
        self.arms = compiler.arms(manifest)
        self.output = self._output_template(compiler)
        self.templates = (*made_from, *(each for arm in self.arms for each in arm.templates))
        self.templates += (self.output,) if self.output is not None else ()
        self.used = frozenset().union(*(each.names for each in self.templates))
        self._check_names()
        check_values(manifest, self.manifest.constants, diagnostics)
        self._matrix = self._valid_matrix()
        self.seen = 0

    def jobs(self) -> Iterator[Job]:
        """The request of every valid cell, image by image, in the order of the manifest. Equal ones come again."""
        manifest = self.manifest
        if self._matrix is None:
            return
        excluded = matrix.excluded(self._matrix)
        self.seen = 0
        requests = [{model: Payloads(arm, manifest.schemas[model]) for model in manifest.models} for arm in self.arms]
        for image in manifest.images:
            for arm in requests:
                places = [_Place.of(manifest, image, each) for each in arm.values()]
                prompt = places[0].requests.arm.prompt.id
                for variant in matrix.variants(self._matrix):
                    if self._diagnostics.has_excess or self._is_late():
                        return
                    for place in places:
                        if not excluded(image.id, prompt, place.requests.schema.name, variant):
                            yield from self._takes(place, variant)

    def _takes(self, place: _Place, variant: Variant) -> Iterator[Job]:
        for take in range(1, self.manifest.takes + 1):
            self.seen += 1
            job = self._job(place, variant.variables, take)
            if job is not None:
                yield job

    def _job(self, place: _Place, variables: Variables, take: int) -> Job | None:
        requests, image = place.requests, place.image
        key = key_of(place.head, variables, take)
        context = {**place.context, **variables, "take": take}
        failed: dict[Parameter, PlacedTemplateError] = {}
        payload = requests.payload(context, image, failed.__setitem__)
        path = key if self.output is None else self._rendered(self.output, context, key)
        if failed or not requests.arm.is_valid or not requests.is_valid(payload):
            self._tell(requests, payload, failed, context, key)
            return None
        if path is None:
            return None
        request, model, prompt = requests.fingerprint(payload), requests.schema.name, requests.arm.prompt.id
        return Job(
            job_id(request, take), request, take, key, model, image.id, prompt, variables, payload, safe_path(path),
            requests.seconds(payload),
        )  # fmt: skip

    def _tell(
        self,
        requests: Payloads,
        payload: Variables,
        failed: Mapping[Parameter, PlacedTemplateError],
        context: Context,
        key: str,
    ) -> None:
        """Note what is wrong with a cell. Of a parameter without a value nothing more is said."""
        for parameter, fault in failed.items():
            self._tell_errors(parameter.evaluate, context, fault, key)
        given = requests.arm.parameters
        silent = {each.name for each in (*failed, *given) if each in failed or not each.is_valid}
        places = {parameter.name: parameter.place for parameter in given}
        for diagnostic in diagnose(requests.schema.document, payload):
            name = str(diagnostic.route[0]) if diagnostic.route else ""
            if name in silent or (silent and not name):
                continue
            place = replace(places.get(name, Place(("params", name))), key=diagnostic.key)
            about = f"{name} {requests.schema.name}"
            self._diagnostics.add(diagnostic.code, place, diagnostic.message, diagnostic.hint, cell=key, about=about)

    def _tell_errors(self, evaluate: Evaluator, context: Context, first: PlacedTemplateError, key: str) -> None:
        for found in errors_in(evaluate, context, first):
            add_error(found.diagnostic, found.place, key, self._diagnostics)

    def _rendered(self, output: Template, context: Context, key: str) -> str | None:
        evaluate = located(output.render, Place(("output", "file")))
        try:
            return str(evaluate(context))
        except PlacedTemplateError as fault:
            self._tell_errors(evaluate, context, fault, key)
            return None

    def _is_late(self) -> bool:
        """Whether rendering would go on for longer than anybody waits, which is told."""
        if self._watch.ticks <= self._looked or not self.seen:
            return False
        self._looked = self._watch.ticks
        passed, cells = self._looked * TICK, self._cells()
        if passed / self.seen * (cells - self.seen) <= _LONGEST:
            return False
        message = f"rendering takes too long: {passed:.0f} s for {self.seen:,} of {cells:,} cells"
        hint = "make the templates simpler, or the sweep smaller; validate --slow waits for all of it"
        self._diagnostics.add("E318", Place(("prompts",), key=True), message, hint)
        return True

    def _cells(self) -> int:
        """How many cells there are, those that exclude leaves out included."""
        manifest = self.manifest
        variants = matrix.product_size(manifest.matrix)
        return len(manifest.images) * len(self.arms) * len(manifest.models) * variants * manifest.takes

    def _output_template(self, compiler: Compiler) -> Template | None:
        text = self.manifest.output.file
        if text is None:
            return None
        place = Place(("output", "file"))
        wrong = unsafe_text(text)
        if wrong is not None:
            self._diagnostics.add(
                "E601", place, f"output.file is not allowed: {wrong}", "for example: {{ image.id }}/{{ take }}"
            )
            return None
        return compiler.template(text, place)

    def _valid_matrix(self) -> Matrix | None:
        """The matrix without the entries that have problems; None where it is too large to be expanded."""
        manifest = self.manifest
        found = matrix.diagnose(
            manifest.matrix,
            images=[image.id for image in manifest.images],
            prompts=[prompt.id for prompt in manifest.prompts],
            models=manifest.models,
        )
        for diagnostic in found:
            place = Place(("matrix", *diagnostic.route), key=diagnostic.key)
            self._diagnostics.add(diagnostic.code, place, diagnostic.message, diagnostic.hint)
        self.is_matrix_valid = not found
        valid = matrix.without(manifest.matrix, found)
        return valid if matrix.product_size(valid) <= matrix.MAX_PRODUCT else None

    @property
    def has_grown(self) -> bool:
        """Whether there are more cells than were meant, as entries of exclude or zip have problems."""
        own = self.manifest.matrix
        return self._matrix is None or (self._matrix.exclude, self._matrix.zip) != (own.exclude, own.zip)

    def _check_names(self) -> None:
        """A name has one source: what a template means by it must not depend on an order of precedence."""
        manifest = self.manifest
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
                    self._diagnostics.add(
                        "E312", Place(route, key=True), f"'{name}' is set twice: it is also {taken[name]}",
                        "rename one of them",
                    )  # fmt: skip
            # Images, and includes, may have names in common with each other.
            taken.update({name: what for name, _ in names if what and name not in taken})


@dataclass(frozen=True, slots=True)
class _Place:
    """An image with an arm and a model: what the cells of all variants and takes have in common."""

    image: Image
    requests: Payloads
    head: str
    context: Mapping[str, object]

    @classmethod
    def of(cls, manifest: Manifest, image: Image, requests: Payloads) -> _Place:
        arm: Arm = requests.arm
        context: dict[str, object] = {
            **manifest.constants,
            **image.vars,
            "image": {"id": image.id, "width": image.width, "height": image.height},
            "prompt": {"id": arm.prompt.id},
            "model": requests.schema.name,
            "name": manifest.name,
        }
        return cls(image, requests, head_of(manifest, image.id, arm.prompt.id, requests.schema.name), context)
