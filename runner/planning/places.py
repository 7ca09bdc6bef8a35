"""Where the parts of a manifest are written."""

from __future__ import annotations

from runner.model import Image, Json, Manifest, same_value
from runner.planning.faults import Place


def place_of_picture(manifest: Manifest, image: Image) -> Place:
    """Where the manifest, or a table of it, names the picture."""
    if "table" in image.route:
        return Place((*image.route, "image"))
    kinds = ("file", "glob", "url", "base64")
    return Place((*image.route, next(kind for kind in kinds if manifest.source.has((*image.route, kind)))))


def place_of_value(manifest: Manifest, name: str, value: Json) -> Place:
    """Where a variable of the matrix gets this value: on its axis, else in an include. Of equal values the last one."""
    matrix = manifest.matrix
    axis = [index for index, each in enumerate(matrix.axes.get(name, ())) if same_value(each, value)]
    if axis:
        return Place(("matrix", name, axis[-1]))
    entries = [index for index, each in enumerate(matrix.include) if name in each and same_value(each[name], value)]
    return Place(("matrix", "include", entries[-1], name)) if entries else Place(("matrix", name), key=True)
