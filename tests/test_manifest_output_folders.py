from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.manifest.output_folders import moved
from runner.model import Output


def at(folder: str, state: str = "state.sqlite") -> Output:
    return Output(Path(folder), Path(folder) / state)


def test_the_sandbox_has_a_folder_of_its_own():
    assert moved(at("/x/out"), None, True) == at("/x/out-sandbox")
    assert moved(at("/x/out"), None, False) == at("/x/out")


def test_output_takes_the_state_along_and_gets_the_suffix_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert moved(at("/x/out"), "there", False) == at(f"{tmp_path}/there")
    assert moved(at("/x/out"), "there/", True) == at(f"{tmp_path}/there-sandbox")
    assert moved(at("/x/out"), "a/../there", True) == at(f"{tmp_path}/there-sandbox")


def test_a_state_elsewhere_stays_there_but_for_the_sandbox():
    apart = Output(Path("/x/out"), Path("/fast/state.db"))
    assert moved(apart, "/y/out", False) == Output(Path("/y/out"), Path("/fast/state.db"))
    assert moved(apart, None, True) == Output(Path("/x/out-sandbox"), Path("/fast/state-sandbox.db"))


def test_clips_of_the_sandbox_have_a_mirror_of_their_own():
    def mirrored(address, folder, sandbox):
        return moved(replace(at("/x/out"), mirror=address), folder, sandbox).mirror

    assert mirrored("s3://campaigns/spring", None, True) == "s3://campaigns/spring-sandbox"
    assert mirrored("gs://campaigns", None, True) == "gs://campaigns/-sandbox"
    assert mirrored("s3://campaigns/spring", "/y/out", False) == "s3://campaigns/spring"


@pytest.mark.parametrize(
    ("output", "folder"),
    [(at("/"), None), (at("/x/out"), "/"), (at("/x/out", "."), None), (at("/x/out", "../.."), None)],
)
def test_folders_that_cannot_hold_results(output, folder):
    output = Output(output.dir, output.state.resolve())
    with pytest.raises(UsageError):
        moved(output, folder, True)
