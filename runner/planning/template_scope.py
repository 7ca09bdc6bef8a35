"""One render: its variables, and how much work it may still do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from jinja2 import Environment
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.utils import missing

from runner.planning.template_faults import ExcessError
from runner.planning.template_values import size_of, text_of

# Steps of loops, and characters and items that are made or read. It is counted, not timed, so that a template that
# works on one machine works on all. Spending all of it takes a fraction of a second.
MAX_WORK = 500_000


class Scope(Context):
    """The variables of one render and its allowance of work.

    The base class copies the variables and makes records for blocks and globals, which our templates do not have:
    here a scope is made for every render, so it holds only what compiled templates use.
    """

    def __init__(self, environment: Environment, evaluation: EvalContext, variables: Mapping[str, object]) -> None:
        self.environment = environment
        self.eval_ctx = evaluation
        self.variables = variables
        self.vars = {}
        self.exported_vars = set()
        self.left = MAX_WORK

    def resolve_or_missing(self, key: str) -> object:
        return self.variables.get(key, missing)

    def spend(self, amount: int) -> None:
        """Take from the allowance, before the work is done. Raises ExcessError where there is not enough left."""
        self.left -= amount
        if self.left < 0:
            raise ExcessError("the template does too much work")

    def read(self, *values: object) -> int:
        """Spend what it takes to read the values, and return that."""
        size = sum(map(size_of, values))
        self.spend(size)
        return size

    def made(self, value: object) -> object:
        """Spend what a new value weighs, and return it."""
        self.spend(size_of(value))
        return value

    def counted(self, items: Iterable[object], cost: int) -> Iterator[object]:
        """The items one by one, each for `cost`."""
        for item in items:
            self.spend(cost)
            yield item

    def captured(self, value: object) -> str:
        """The text of a value that is kept, and not put out."""
        text = text_of(value)
        self.spend(len(text))
        return text
