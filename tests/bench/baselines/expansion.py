"""The bare loop that planning is held against: every combination rendered and hashed, and nothing else done with it."""

from __future__ import annotations

import hashlib
import itertools
import json
import sys

import jinja2
import jinja2.sandbox


def main(document: str) -> None:
    """Expand a sweep, given as JSON: `axes` and `constants` by name, `text`, `params` and `model`."""
    sweep = json.loads(document)
    template = jinja2.sandbox.SandboxedEnvironment(undefined=jinja2.StrictUndefined).from_string(sweep["text"])
    axes, count = sweep["axes"], 0
    for values in itertools.product(*axes.values()):
        prompt = template.render(**sweep["constants"], **dict(zip(axes, values, strict=True)))
        request = {"model": sweep["model"], "payload": {**sweep["params"], "prompt": prompt}}
        hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        count += 1
    print(count)


if __name__ == "__main__":
    main(sys.argv[1])
