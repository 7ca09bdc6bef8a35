"""Cells of a sweep rendered to requests."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from runner.manifest.pictures.media_files import MediaFiles
from runner.manifest.schema.wording import diagnose
from runner.manifest.variable_names import RESERVED
from runner.media import parameters_of
from runner.model import NO_IMAGE, Image, Job, Manifest, Matrix, Variables, job_id
from runner.planning.expansion import matrix
from runner.planning.expansion.arms import Compiler, add_error, errors_in, located
from runner.planning.expansion.braces import check_values
from runner.planning.expansion.constants import with_constants
from runner.planning.expansion.evaluation import Context, Evaluator, Parameter, PlacedTemplateError
from runner.planning.expansion.keys import head_of, key_of
from runner.planning.expansion.matrix import Variant
from runner.planning.expansion.paths import safe_path, unsafe_text
from runner.planning.expansion.payloads import Payloads
from runner.planning.expansion.picture_parameters import unfit, wrong_sizes
from runner.planning.expansion.retakes import Growth, Retakes, no_retakes
from runner.planning.plan_diagnostics import Place, PlanDiagnostics, place_of_picture
from runner.planning.templates.template import Template, Templates
from runner.planning.templates.watch import TICK

# After _PATIENCE seconds of rendering, the time for the rest is estimated. If it is longer than _LONGEST seconds, the
# sweep is refused.
_PATIENCE = 5.0
_LONGEST = 600.0


class Expansion:
    """Renders the cells of a manifest. A cell with an error is left out, and the error is added to the diagnostics.

    `manifest` is the given manifest with its constants rendered. `used` are the names that its templates look up. A
    sweep that would take too long to render is refused (E318), unless `allows_slow`. `retakes` says which cells have
    more takes than the manifest says.
    """

    def __init__(
        self,
        manifest: Manifest,
        templates: Templates,
        diagnostics: PlanDiagnostics,
        *,
        allows_slow: bool = False,
        retakes: Retakes | None = None,
    ) -> None:
        self.retakes = retakes or no_retakes(manifest)
        compiler = Compiler(templates, diagnostics)
        self.manifest, made_from = with_constants(manifest, compiler, diagnostics)
        self._diagnostics = diagnostics
        self._watch = templates.watch
        # The tick of the last estimate of the time. No estimate is made before _PATIENCE seconds have passed.
        self._last_estimate = sys.maxsize if allows_slow else int(_PATIENCE / TICK)
        self.arms = compiler.arms(manifest)
        self.files = MediaFiles(manifest.path.parent)
        self.output = self._output_template(compiler)
        self.templates = (*made_from, *(each for arm in self.arms.values() for each in arm.templates))
        self.templates += (self.output,) if self.output is not None else ()
        self.used = frozenset().union(*(each.names for each in self.templates))
        self._check_names()
        self._unfit = unfit(manifest, self.arms, diagnostics)
        uses_rows = "row" in self.used or any(each.is_dynamic for each in self.templates)
        check_values(manifest, self.manifest.constants, diagnostics, uses_rows=uses_rows)
        self._matrix = self._valid_matrix()
        self.seen = 0

    def jobs(self) -> Iterator[Job]:
        """The request of every valid cell, image by image, in the order of the manifest, with equal ones repeated.

        Retakes follow all others, those that were bought before the new ones: of what is limited they get the rest.
        """
        grown: list[_Grown] = []
        yield from self._own_jobs(grown)
        for is_new in (False, True) if not self._diagnostics.has_errors else ():
            for each in grown:
                yield from self._further(each, is_new=is_new)

    def _own_jobs(self, grown: list[_Grown]) -> Iterator[Job]:
        """The jobs without retakes. Adds the cells that may have some to `grown`."""
        manifest = self.manifest
        if self._matrix is None:
            return
        excluded = matrix.excluded(self._matrix)
        self.seen = 0
        arms = [(prompt, self._requests(prompt.id)) for prompt in manifest.prompts]
        for image, (prompt, requests) in product((*manifest.images, NO_IMAGE), arms):
            groups = [_Group.of(manifest, image, each) for each in requests if self._is_for(image, each)]
            for variant in matrix.variants(self._matrix) if groups else ():
                if self._diagnostics.has_excess or self._is_late():
                    return
                for group in groups:
                    if not excluded(image.id, prompt.id, group.requests.schema.name, variant):
                        yield from self._takes(group, variant, grown)

    @property
    def is_dynamic(self) -> bool:
        """Whether more may change the jobs than the manifest and its text files: fragments, media of parameters."""
        schemas = self.manifest.schemas.items()
        media = {(model, each.name) for model, schema in schemas for each in parameters_of(schema)}
        named = ((model, each.name) for (_, model), arm in self.arms.items() for each in arm.parameters)
        return any(each.is_dynamic for each in self.templates) or not media.isdisjoint(named)

    def _requests(self, prompt: str) -> list[Payloads]:
        """The payloads of an arm for each model."""
        manifest = self.manifest
        return [
            Payloads(
                self.arms[prompt, model],
                manifest.schemas[model],
                self.files,
                takes_images=manifest.gives_images(model),
            )
            for model in manifest.models
            if (prompt, model) not in self._unfit
        ]

    def _is_for(self, image: Image, requests: Payloads) -> bool:
        """Whether there are cells of an image, or of none, for an arm and a model."""
        if requests.takes_images:
            return image is not NO_IMAGE and requests.arm.prompt.is_for(image.id)
        return image is NO_IMAGE and requests.arm.prompt.images is None

    def _takes(self, group: _Group, variant: Variant, grown: list[_Grown]) -> Iterator[Job]:
        growth = Growth("")
        for take in range(1, self.manifest.takes + 1):
            self.seen += 1
            job = self._job(group, variant.variables, take, growth.cell)
            if job is not None:
                growth.cell = job.cell
                if self.retakes.is_active:
                    self.retakes.see(job, growth)
                yield job
        if growth.cell and self.retakes.is_active:
            growth.bought = self._highest_bought(group, variant.variables, growth.cell)
            if self.retakes.may_grow(growth):
                grown.append(_Grown(group, variant.variables, growth))

    def _further(self, cell: _Grown, *, is_new: bool) -> Iterator[Job]:
        """The retakes of a cell, as many as were bought, or as it is to have."""
        growth, take = cell.growth, self.manifest.takes
        while take < (self.retakes.wanted(growth) if is_new else growth.bought):
            take += 1
            if take in growth.made or (is_new and not self.retakes.wants(growth, take)):
                continue
            job = self._job(cell.group, cell.variables, take, growth.cell)
            if job is None:
                return
            if not is_new and not self.retakes.is_bought(job.fingerprint, take):
                continue
            growth.made.add(take)
            self.retakes.see(job, growth)
            self.retakes.explain(job, growth)
            yield job

    def _highest_bought(self, group: _Group, variables: Variables, cell: str) -> int:
        """The highest take of a cell that was bought beyond those of the manifest; 0 if there is none."""
        if not self._varies_by_take:
            return self.retakes.highest_bought(cell)
        context = {**group.context, **variables}
        return next((take for take in self.retakes.numbers if self._is_bought(group, {**context, "take": take})), 0)

    def _is_bought(self, group: _Group, context: Context) -> bool:
        """Whether a take was bought. That it cannot be made any more is no error."""
        failed: list[Parameter] = []
        payload = group.requests.payload(context, group.image, lambda parameter, _: failed.append(parameter))
        take = context["take"]
        return (
            not failed and isinstance(take, int) and self.retakes.is_bought(group.requests.fingerprint(payload), take)
        )

    @property
    def _varies_by_take(self) -> bool:
        """Whether takes of a cell may be different requests."""
        return "take" in self.used or any(each.is_dynamic for each in self.templates)

    def _job(self, group: _Group, variables: Variables, take: int, cell: str = "") -> Job | None:
        """A take of a cell, whose first take has the fingerprint `cell`. It is empty for the first itself."""
        requests, image = group.requests, group.image
        key = key_of(group.head, variables, take)
        context = {**group.context, **variables, "take": take}
        failed: list[tuple[Parameter, PlacedTemplateError]] = []
        payload = requests.payload(context, image, lambda *each: failed.append(each))
        path = key if self.output is None else self._rendered(self.output, context, key)
        if failed or not requests.arm.is_valid or not requests.is_valid(payload):
            self._report(requests, payload, image, failed, context, key)
            return None
        if path is None or (requests.sized and self._has_wrong_size(requests, payload, image, key)):
            return None
        request, model, prompt = requests.fingerprint(payload), requests.schema.name, requests.arm.prompt.id
        return Job(
            job_id(request, take), request, take, key, model, image.id, prompt, variables, payload, safe_path(path),
            requests.seconds(payload), cell=cell or request, is_retake=take > self.manifest.takes,
        )  # fmt: skip

    def _has_wrong_size(self, requests: Payloads, payload: Variables, image: Image, key: str) -> bool:
        """Whether a picture must be as large as a parameter says and is not, which is reported (E404)."""
        places = {each.name: each.place for each in requests.arm.parameters}
        wrong = list(wrong_sizes(payload, requests.sized, {**self.files.found, image.reference: image}))
        for medium, message in wrong:
            is_first = medium.text == image.reference
            place = place_of_picture(self.manifest, image) if is_first else places[medium.parameter.name]
            self._diagnostics.add("E404", place, message, "make the picture of that size", cell=key)
        return bool(wrong)

    def _report(
        self,
        requests: Payloads,
        payload: Variables,
        image: Image,
        failed: Sequence[tuple[Parameter, PlacedTemplateError]],
        context: Context,
        key: str,
    ) -> None:
        """Report the errors of a cell. For a parameter without a value, only the error of its template is reported."""
        for parameter, error in failed:
            self._report_errors(parameter.evaluate, context, error, key)
        given = requests.arm.parameters
        silent = {each.name for each, _ in failed} | {each.name for each in given if not each.is_valid}
        places = {parameter.name: parameter.place for parameter in given}
        if image.reference and requests.first is not None:
            places.setdefault(requests.first.name, place_of_picture(self.manifest, image))
        for diagnostic in diagnose(requests.schema.document, payload):
            name = str(diagnostic.route[0]) if diagnostic.route else ""
            if name in silent or (silent and not name):
                continue
            place = replace(places.get(name, Place(("params", name))), key=diagnostic.key)
            # One parameter may be wrong in several ways, but has other values in other cells.
            missing = diagnostic.message if diagnostic.code == "E202" else ""
            about = f"{diagnostic.route} {missing} {requests.schema.name}"
            self._diagnostics.add(diagnostic.code, place, diagnostic.message, diagnostic.hint, cell=key, about=about)

    def _report_errors(self, evaluate: Evaluator, context: Context, first: PlacedTemplateError, key: str) -> None:
        for found in errors_in(evaluate, context, first):
            add_error(found.diagnostic, found.place, key, self._diagnostics, context)

    def _rendered(self, output: Template, context: Context, key: str) -> str | None:
        evaluate = located(output.render, Place(("output", "file")))
        try:
            return str(evaluate(context))
        except PlacedTemplateError as error:
            self._report_errors(evaluate, context, error, key)
            return None

    def _is_late(self) -> bool:
        """Whether rendering would take too long. If so, this is reported (E318)."""
        if self._watch.ticks <= self._last_estimate or not self.seen:
            return False
        self._last_estimate = self._watch.ticks
        passed, cells = self._last_estimate * TICK, self.cells
        if passed / self.seen * (cells - self.seen) <= _LONGEST:
            return False
        message = f"rendering takes too long: {passed:.0f} s for {self.seen:,} of {cells:,} cells"
        hint = "make the templates simpler, or the sweep smaller; validate --slow waits for all of it"
        self._diagnostics.add("E318", Place(("prompts",), key=True), message, hint)
        return True

    @property
    def cells(self) -> int:
        """The most cells that there can be: those that exclude leaves out are among them."""
        manifest = self.manifest
        variants = matrix.product_size(manifest.matrix) + len(manifest.matrix.include)
        if manifest.matrix.sample is not None:
            variants = min(variants, manifest.matrix.sample.count)
        pairs = sum(prompt.is_for(image.id) for image, prompt in product(manifest.images, manifest.prompts))
        pictured = sum(map(manifest.gives_images, manifest.models))
        plain = (len(manifest.models) - pictured) * sum(prompt.images is None for prompt in manifest.prompts)
        return (pairs * pictured + plain) * variants * manifest.takes

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
        """The matrix without its invalid entries; None if it is too large to be expanded."""
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
        """Whether there are more cells than were meant, because invalid entries of exclude or zip were left out."""
        own = self.manifest.matrix
        return self._matrix is None or (self._matrix.exclude, self._matrix.zip) != (own.exclude, own.zip)

    def _check_names(self) -> None:
        """Check that each name is set in one place: what it means must not depend on an order of precedence."""
        manifest = self.manifest
        taken = dict.fromkeys(RESERVED, "a name that every template has")
        axes = [(name, ("matrix", name)) for name in manifest.matrix.axes]
        added = [
            (name, ("matrix", "include", index, name))
            for index, include in enumerate(manifest.matrix.include)
            for name in include
            # Names that stand outside the matrix are already reported (E503).
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
            # Several images may set the same name, and so may several includes.
            taken.update({name: what for name, _ in names if what and name not in taken})


@dataclass(frozen=True, slots=True)
class _Group:
    """An image with an arm and a model: what its cells, for all variants and takes, have in common."""

    image: Image
    requests: Payloads
    head: str
    context: Mapping[str, object]

    @classmethod
    def of(cls, manifest: Manifest, image: Image, requests: Payloads) -> _Group:
        prompt, model = requests.arm.prompt.id, requests.schema.name
        return cls(
            image, requests, head_of(manifest, image.id, prompt, model), context_of(manifest, image, prompt, model)
        )


@dataclass(frozen=True, slots=True)
class _Grown:
    """A cell that may have retakes."""

    group: _Group
    variables: Variables
    growth: Growth


def context_of(manifest: Manifest, image: Image, prompt: str, model: str) -> dict[str, object]:
    """What the templates of a cell see beside the variables of its variant and `take`."""
    row = {} if image.row is None else {"row": image.row}
    return {
        **manifest.constants,
        **image.vars,
        **row,
        **({} if image is NO_IMAGE else {"image": {"id": image.id, "width": image.width, "height": image.height}}),
        "prompt": {"id": prompt},
        "model": model,
        "name": manifest.name,
    }
