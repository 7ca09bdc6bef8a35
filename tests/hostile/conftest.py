"""The tables of hostile texts are products. The suite tries every fifth row, and `REELRUN_ALL=1` all of them.

Of the largest it tries every eleventh: there are more texts than that, so that each place has one, and each is tried.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.kit import EVERYTHING

# They share no factor with the lengths of the tables, so that each text and each place is tried.
_EVERY = 5
_LARGE = {"test_a_hostile_text_is_not_obeyed": 11}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if EVERYTHING:
        return
    numbers: Counter[str] = Counter()
    left_out = []
    for item in items:
        if item.path.name == "test_texts.py" and isinstance(item, pytest.Function):
            if numbers[item.originalname] % _LARGE.get(item.originalname, _EVERY):
                left_out.append(item)
            numbers[item.originalname] += 1
    config.hook.pytest_deselected(items=left_out)
    dropped = set(map(id, left_out))
    items[:] = [item for item in items if id(item) not in dropped]
