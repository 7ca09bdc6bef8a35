"""What a payload must fulfil, and the message for the first thing that it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from jsonschema import Draft202012Validator, ValidationError

from runner.sandbox.catalog import Model
from runner.sandbox.errors import RefusedError

_REFUSED_WORD = re.compile(r"\bforbidden\b", re.IGNORECASE)
_TYPES = {
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
}


def check_payload(model: Model, payload: Mapping[str, object]) -> None:
    """Hold a payload to the model's schema. Raises RefusedError (400) for the first problem."""
    problems = Draft202012Validator(model.schema).iter_errors(payload)
    first = min(problems, key=lambda problem: [str(part) for part in problem.absolute_path], default=None)
    if first is not None:
        raise RefusedError(400, _message(first))


def check_policy(payload: Mapping[str, object]) -> None:
    """Refuse a prompt with the word "forbidden", so that people can see what a refusal looks like."""
    if _REFUSED_WORD.search(str(payload.get("prompt", ""))):
        raise RefusedError(400, "content policy: the prompt was refused")


def _message(problem: ValidationError) -> str:
    """One line that names the field and never repeats what was sent, which may be a whole picture."""
    field = ".".join(["payload", *(str(part) for part in problem.absolute_path)])
    keyword, wanted, given = str(problem.validator), problem.validator_value, problem.instance
    if keyword == "required" and isinstance(wanted, list) and isinstance(given, dict):
        return f"{field}.{next(name for name in wanted if name not in given)}: is required"
    if keyword == "additionalProperties" and isinstance(given, dict):
        return f"{field}.{_unknown(problem.schema, given)}: is not a parameter of this model"
    if keyword == "pattern" and isinstance(problem.schema, dict) and "patternErrorMessage" in problem.schema:
        return f"{field}: {problem.schema['patternErrorMessage']}"
    return f"{field}: {_say(keyword, wanted, given)}"


def _unknown(schema: object, given: Mapping[str, object]) -> str:
    known = schema.get("properties", {}) if isinstance(schema, dict) else {}
    return min((name for name in given if name not in known), default="?")[:64]


def _say(keyword: str, wanted: object, given: object) -> str:
    if keyword == "enum" and isinstance(wanted, list):
        return "must be " + " or ".join(json.dumps(value) for value in wanted)
    if keyword == "type":
        names = wanted if isinstance(wanted, list) else [wanted]
        return "must be " + " or ".join(_TYPES.get(str(name), str(name)) for name in names)
    if keyword == "maxLength" and isinstance(given, str):
        return f"has {len(given)} characters; at most {wanted} are allowed"
    words = _LIMITS.get(keyword)
    return f"must be {words} {wanted}" if words else f"does not satisfy {keyword} of the model's schema"
