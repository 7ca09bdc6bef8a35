"""A sitting that was cut goes on; one that ended well, or is old, does not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.review.serving.sitting import Sitting, new_sitting, sitting_file


def cut(folder: Path, port: int = 4321) -> Sitting:
    """Leave behind what a server that is killed leaves."""
    path = folder / ".review-ann.json"
    with sitting_file(folder, "ann") as file:
        sitting = file.resumed()
        file.keep(sitting, port)
        left = path.read_text()
    path.write_text(left)
    return sitting


def test_it_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    before = cut(tmp_path)
    with sitting_file(tmp_path, "ann") as file:
        after = file.resumed()
    assert (after.secret, after.since, after.token, after.port) == (before.secret, before.since, before.token, 4321)
    with sitting_file(tmp_path, "ann") as file:
        assert file.resumed().secret != before.secret
    assert list(tmp_path.iterdir()) == []


def test_every_sitting_has_its_own_token() -> None:
    tokens = {new_sitting().token for _ in range(3)}
    assert [len(tokens), *map(len, tokens)] == [3, 32, 32, 32]


def test_an_old_or_damaged_one_is_over(tmp_path: Path) -> None:
    path = tmp_path / ".review-ann.json"
    for spoil in (lambda: os.utime(path, (0, time.time() - 13 * 3600)), lambda: path.write_text('{"port": "x"}')):
        before = cut(tmp_path)
        spoil()
        with sitting_file(tmp_path, "ann") as file:
            assert file.resumed().secret != before.secret


def test_nobody_else_may_read_it_and_no_link_is_followed(tmp_path: Path) -> None:
    path = tmp_path / ".review-ann.json"
    with sitting_file(tmp_path, "ann"):
        assert path.stat().st_mode & 0o777 == 0o600
    (tmp_path / "elsewhere").write_text("{}")
    path.symlink_to(tmp_path / "elsewhere")
    with sitting_file(tmp_path, "ann") as file:
        file.keep(file.resumed(), 1)
    assert (tmp_path / "elsewhere").read_text() == "{}"


def test_one_at_a_time(tmp_path: Path) -> None:
    with sitting_file(tmp_path, "ann"), sitting_file(tmp_path, "bob"), pytest.raises(UsageError, match="ann"):
        sitting_file(tmp_path, "ann").__enter__()
    with sitting_file(tmp_path / "not there", "ann") as file:
        assert file.resumed().port == 0
