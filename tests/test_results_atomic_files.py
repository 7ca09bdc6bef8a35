"""Files that are whole or not there."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import DiskError, SecretError
from runner.results.atomic_files import replacing, writing

DAY = 86_400


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond 4 kB: the nearest thing to a full disk that needs no disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def write(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text)


def test_takes_the_place_of_the_file_before(tmp_path: Path) -> None:
    write(tmp_path / "index.json", "old")
    write(tmp_path / "index.json", "new")
    assert (tmp_path / "index.json").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["index.json"]


def test_the_old_file_stands_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    write(path, "old")
    with replacing(path) as file:
        file.write("new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_a_failing_block_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    write(path, "old")
    with pytest.raises(TypeError), replacing(path) as file:
        file.writelines(["half", 2])  # type: ignore[list-item]
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["index.json"]


def test_line_ends_and_characters_are_kept(tmp_path: Path) -> None:
    write(tmp_path / "a", "é\r\n\n\u2028")
    assert (tmp_path / "a").read_bytes() == "é\r\n\n\u2028".encode()


def test_a_lone_surrogate_is_written_as_json_spells_it(tmp_path: Path) -> None:
    write(tmp_path / "a", '"\ud800"')
    assert (tmp_path / "a").read_bytes() == b'"\\ud800"'


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "a", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_killed_writer_leaves_the_old_file_and_disturbs_nobody(tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    write(path, "old")
    script = (
        "import sys; from pathlib import Path; from runner.results.atomic_files import replacing\n"
        "with replacing(Path(sys.argv[1])) as file:\n"
        "    file.write('half'); file.flush(); print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.kill()
    assert path.read_text() == "old"
    (leftover,) = set(os.listdir(tmp_path)) - {"index.json"}

    write(path, "new")
    assert path.read_text() == "new"
    assert leftover in os.listdir(tmp_path), "it may belong to a writer at work"

    long_ago = path.stat().st_mtime - DAY
    os.utime(tmp_path / leftover, (long_ago, long_ago))
    write(path, "newer")
    assert os.listdir(tmp_path) == ["index.json"]


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    foreign = [tmp_path / name for name in ("index.json.part", ".index.csv.0123456789ab.part", ".index.json.swp")]
    for path in foreign:
        path.touch()
        os.utime(path, (0, 0))
    write(tmp_path / "index.json", "")
    assert all(path.exists() for path in foreign)


@pytest.mark.usefixtures("small_files")
def test_a_full_disk_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    write(path, "old")
    with pytest.raises(DiskError, match=r"cannot write .*index\.json") as caught:
        write(path, "x" * 100_000)
    assert caught.value.hint.startswith("make room on the disk, then run the same command again")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["index.json"]


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "make room on the disk, "),
        (errno.EDQUOT, "make room on the disk, "),
        (errno.EROFS, "make the folder writable, "),
        (errno.EACCES, "make the folder writable, "),
        (errno.EIO, "put that right, "),
    ],
)
def test_remedies(number: int, remedy: str) -> None:
    with pytest.raises(DiskError) as caught, writing(Path("/out/index.json")):
        raise OSError(number, os.strerror(number))
    assert caught.value.message == f"cannot write /out/index.json: {os.strerror(number)}"
    assert caught.value.hint.startswith(remedy)


def test_a_folder_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "index.json").mkdir()
    with pytest.raises(DiskError, match="Is a directory"):
        write(tmp_path / "index.json", "")
    assert os.listdir(tmp_path) == ["index.json"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("kept")
    (tmp_path / "index.json").symlink_to(tmp_path / "elsewhere")
    write(tmp_path / "index.json", "new")
    assert (tmp_path / "elsewhere").read_text() == "kept"
    assert (tmp_path / "index.json").read_text() == "new"


def test_a_file_that_would_hold_the_key_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "sk-very-secret")
    path = tmp_path / "index.json"
    path.write_text("old")
    for write in (lambda file: file.write("a sk-very-secret b"), lambda file: file.writelines(["a", "sk-very-secret"])):
        with pytest.raises(SecretError, match=r"index\.json would hold the key"), replacing(path) as file:
            write(file)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("index.json", "old")]
