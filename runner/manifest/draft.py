"""A manifest's content that can be changed, without a change of the values that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from runner.manifest.values import items
from runner.model import Json, Route

_Container: TypeAlias = "dict[str, Json] | list[Json]"


class Draft:
    """A copy of a content: what is not changed is shared with it. `moved` is as in `Source`.

    Values that a YAML alias puts in several places are changed in one place alone.
    """

    def __init__(self, content: Mapping[str, Json]) -> None:
        self.content = dict(content)
        self.moved: dict[Route, str | int] = {}
        self._own: dict[Route, _Container] = {(): self.content}

    def get(self, route: Route) -> Json:
        """The value at `route`, None where there is none."""
        found: Json = self.content
        for step in route:
            if isinstance(found, Mapping) and isinstance(step, str):
                found = found.get(step)
            else:
                listed = items(found)
                found = listed[step] if isinstance(step, int) and step < len(listed) else None
        return found

    def set(self, route: Route, value: Json) -> None:
        """Put a value at `route`, in place of one or as a further one of a mapping; nothing, where it has no parent."""
        parent, step = self._container(route[:-1]), route[-1]
        if isinstance(parent, dict):
            parent[str(step)] = value
        elif parent is not None and isinstance(step, int):
            parent[step] = value

    def drop(self, route: Route) -> None:
        """Leave a key out. An item becomes None, so that those after it keep their places."""
        parent, step = self._container(route[:-1]), route[-1]
        if isinstance(parent, dict):
            parent.pop(str(step), None)
        else:
            self.set(route, None)

    def rename(self, route: Route, key: str) -> None:
        """Read a key as another one, which stands in its place."""
        parent = self._container(route[:-1])
        if isinstance(parent, dict):
            old = str(route[-1])
            renamed = {key if each == old else each: value for each, value in parent.items()}
            parent.clear()
            parent.update(renamed)
            self.moved[(*route[:-1], key)] = old

    def close(self, route: Route) -> None:
        """Close the gaps that `drop` left in a list."""
        listed = self._container(route)
        if isinstance(listed, list):
            kept = [index for index, value in enumerate(listed) if value is not None]
            self.moved.update({(*route, place): index for place, index in enumerate(kept) if place != index})
            listed[:] = [listed[index] for index in kept]

    def _container(self, route: Route) -> _Container | None:
        """The mapping or list at `route`, copied if it is still shared; None where there is another value or none."""
        if route in self._own:
            return self._own[route]
        value = self.get(route)
        parent = self._container(route[:-1])
        if parent is None or not isinstance(value, (Mapping, list)):
            return None
        copy: _Container = list(value) if isinstance(value, list) else dict(value)
        self.set(route, copy)
        self._own[route] = copy
        return copy
