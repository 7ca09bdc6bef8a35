"""Schemas compiled by jsonschema-rs, which decides in a microsecond whether a value is valid."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from runner.manifest.json_values import mapping
from runner.manifest.schema.expectations import Schema
from runner.model import Json

# Most patterns are matched in time linear in the text. Those with look-arounds or back-references may need any time.
# After this many backtracking steps, which take a twentieth of a second, the value counts as invalid.
_STEPS_BACK = 1_000_000


class Validator:
    """A compiled schema of draft 2020-12. As the draft has it, formats are not checked and patterns are ECMA-262."""

    def __init__(self, text: str) -> None:
        """Compile the JSON text of a schema. Raises ValueError if it is not a schema, or a `$ref` leads out of it."""
        # Imported here, because commands such as --help need no schema.
        from jsonschema_rs import Draft202012Validator, FancyRegexOptions

        patterns = FancyRegexOptions(backtrack_limit=_STEPS_BACK)
        self._compiled = Draft202012Validator(text, validate_formats=False, offline=True, pattern_options=patterns)

    def is_valid(self, instance: Json) -> bool:
        """Whether the schema accepts a value."""
        try:
            return self._compiled.is_valid(instance)
        except ValueError:
            # The value is not JSON, or has half of a surrogate pair, which no request can carry.
            return False

    def gives_up(self, instance: Json) -> bool:
        """Whether the pattern takes too many backtracking steps. The schema must consist of a `pattern` only."""
        return any(error.message.startswith("Error executing regex") for error in self._compiled.iter_errors(instance))


_compiled = lru_cache(maxsize=64)(Validator)


def validator(schema: Schema) -> Validator:
    """The compiled validator of a schema. Equal schemas share one."""
    return _compiled(json.dumps(schema))


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern is found in a text; false if the search takes too long."""
    return validator({"pattern": pattern}).is_valid(text)


def unknown_keys(value: Mapping[str, Json], schema: Schema) -> list[str]:
    """The keys of a value that `additionalProperties` applies to."""
    known, patterns = mapping(schema.get("properties")), mapping(schema.get("patternProperties"))
    return [key for key in value if key not in known and not any(matches(pattern, key) for pattern in patterns)]
