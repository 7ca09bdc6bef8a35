"""Placeholders of other tools that are left in a text: nothing fills them, so they would be sent as they stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from runner.diagnostics.suggestions import closest
from runner.diagnostics.words import name as quoted
from runner.model import NO_IMAGE, Image, Job, Manifest
from runner.planning.expansion.arms import Arms
from runner.planning.expansion.evaluation import Parameter
from runner.planning.plan_diagnostics import Place, PlanWarning, place_of_name

# Each part has a limit, so that a text of a million characters takes no longer than it must.
_PLACEHOLDER = re.compile(
    r"""
    \$\{[^{}\s][^{}]{0,99}\}                                   # ${NAME}
    | (?<!\{) \{ \w[\w\ .-]{0,99} \} (?!\})                    # {name}
    | (?<!\{) \{ [^{}":|]{0,99} (?:\|[^{}":|]{0,99}){1,99} \} (?!\})    # {a|b}
    | (?<![\w$]) \$[A-Za-z_]\w{0,99}                            # $NAME
    | (?<!\w) __[A-Za-z][\w/-]{0,99}?__ (?!\w)                  # __name__
    | (?<!<) </?[A-Za-z][\w\ -]{0,99}> (?!>)                     # <name>, but not <<<name>>>
    | \[\[ [^\[\]]{1,99} \]\]                                   # [[name]], but not [push in]
    | %\([A-Za-z_]\w{0,99}\)[sdfr]                              # %(name)s
    """,
    re.VERBOSE,
)
# What every placeholder has. Nearly all texts have none of these signs.
_SIGN = re.compile(r"[{<\[$%_]")
# The same prompt recurs for each take, and for each value that it does not use.
_REMEMBERED = 1024


class Placeholders:
    """Looks for placeholders in the rendered texts of jobs."""

    def __init__(self, manifest: Manifest, arms: Arms) -> None:
        self._manifest = manifest
        self._arms = arms
        self._images = {image.id: image for image in (*manifest.images, NO_IMAGE)}
        self._found: dict[tuple[str, str, str], PlanWarning] = {}

    def see(self, job: Job) -> None:
        """Look at the texts that the manifest gives a job."""
        for parameter in self._arms[job.prompt_id, job.model].parameters:
            text = job.payload.get(parameter.name)
            if isinstance(text, str) and _SIGN.search(text):
                for word in placeholders(text):
                    self._count(job, parameter, word)

    def warnings(self) -> Iterator[PlanWarning]:
        """A warning for each parameter of an arm and each placeholder in it (W343)."""
        return iter(self._found.values())

    def _count(self, job: Job, parameter: Parameter, word: str) -> None:
        index = (job.prompt_id, parameter.name, word)
        if index not in self._found:
            if word in _known(self._manifest, job.model, parameter.name):
                return
            place, names = self._place(job, parameter, word), self._names(self._images[job.image], job)
            message = f"{quoted(word)} is left in the text: nothing fills it"
            self._found[index] = PlanWarning("W343", place, message, _hint(word, names), first=job.key)
        self._found[index].cells += 1

    def _names(self, image: Image, job: Job) -> dict[str, object]:
        return {**self._manifest.constants, **image.vars, **job.variables, "image": {"id": image.id}}

    def _place(self, job: Job, parameter: Parameter, word: str) -> Place:
        """Where the placeholder was written: in the template, in the value of a variable, or in a fragment."""
        for template in parameter.templates:
            offset = template.text.find(word)
            if offset >= 0 and len(parameter.templates) == 1:
                return Place(parameter.place.route, offset, len(word))
        image = self._images[job.image]
        values = self._names(image, job)
        row = (image.row or {}) if "row" in parameter.names else {}
        columns = [name for name, cell in row.items() if word in str(cell)]
        names = [name for name in parameter.names if isinstance(values.get(name), str) and word in str(values[name])]
        places = (place_of_name(self._manifest, name, values) for name in sorted((*names, *columns)))
        texts = (text for template in parameter.templates for text in template.fragments if word in text.text)
        inside = (Place(parameter.place.route, text.text.find(word), len(word), fragment=text) for text in texts)
        return next(filter(None, (*places, *inside)), parameter.place)


@lru_cache(maxsize=_REMEMBERED)
def placeholders(text: str) -> tuple[str, ...]:
    """The placeholders in a text, each once."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))


def _known(manifest: Manifest, model: str, parameter: str) -> str:
    """What the schema says of a parameter: tags that stand in its description or its examples mean something there."""
    return json.dumps(manifest.schemas[model].properties.get(parameter), ensure_ascii=False)


def _hint(word: str, names: Mapping[str, object]) -> str:
    inner = word.strip("$%{}_<>/[]()sdfr" if word.startswith("%") else "$%{}_<>/[]()").strip()
    if "|" in inner:
        values = ", ".join(each.strip() for each in inner.split("|"))
        return f"for a job with each of them make an axis, matrix: {{NAME: [{values}]}}, and write {{{{ NAME }}}}"
    found = closest(re.sub(r"\W+", "_", inner), names)
    if found is not None:
        return f"did you mean {{{{ {found} }}}}?"
    return "a variable is written {{ name }}, and set under vars, matrix or the picture's vars"
