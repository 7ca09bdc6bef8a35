"""For any sequence of edits to a manifest and interruptions, what succeeded is never submitted again."""

import os
import tempfile
import threading
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from runner import campaign
from runner.manifest.reader import load
from runner.model import Status
from runner.planning.selection import Selection
from runner.state.store import Store
from tests.faults.harness import connection, without_waits
from tests.faults.service import FaultyService
from tests.kit import few_frames, write_manifest

LONG = os.environ.get("REELRUN_PROFILE") == "long"

words = st.sampled_from(["push-in", "pan left", "orbit"])
documents = st.fixed_dictionaries(
    {
        "prompts": st.lists(
            st.tuples(st.sampled_from("ab"), words), min_size=1, max_size=2, unique_by=lambda arm: arm[0]
        ),
        "axis": st.permutations([1, 2.0, "two"]).flatmap(lambda order: st.integers(1, 3).map(lambda n: order[:n])),
        "name": st.sampled_from(["x", "y"]),
        "file": st.sampled_from([None, "{{ prompt.id }}/{{ v }}"]),
    }
)
steps = st.lists(st.tuples(documents, st.none() | st.floats(0.0, 0.2)), min_size=2, max_size=4)


def write(folder, document):
    prompts = [{"id": name, "text": f"A slow {word}, {{{{ v }}}}"} for name, word in document["prompts"]]
    output = {"dir": "out", **({"file": document["file"]} if document["file"] else {})}
    return write_manifest(
        folder,
        prompts=prompts,
        matrix={"v": document["axis"]},
        name="m.yaml",
        output=output,
        vars={"label": document["name"]},
    )


def interrupted_after(seconds):
    def on_start(interrupt):
        if seconds is not None:
            timer = threading.Timer(seconds, interrupt)
            timer.daemon = True
            timer.start()

    return on_start


@settings(max_examples=100 if LONG else 6)
@given(steps)
def test_what_succeeded_is_never_submitted_again(sequence):
    with FaultyService(few_frames()) as service, tempfile.TemporaryDirectory() as name:
        succeeded: dict[str, str | None] = {}
        for document, seconds in sequence:
            manifest = load(write(Path(name), document))
            with without_waits(service):
                campaign.run(
                    manifest,
                    connection(service),
                    Selection(),
                    confirm=lambda plan: True,
                    on_start=interrupted_after(seconds),
                )
            contents = service.fingerprints()
            assert len(contents) == len(set(contents)), "bought twice"
            with Store.open(manifest.output.state) as store:
                records = {record.id: record for record in store.records()}
            for job_id, request_id in succeeded.items():
                assert records[job_id].status is Status.SUCCEEDED
                assert records[job_id].request_id == request_id
                assert records[job_id].attempts == 1
            done = [record for record in records.values() if record.status is Status.SUCCEEDED]
            succeeded.update((record.id, record.request_id) for record in done)
            assert all((manifest.output.dir / record.video.path).read_bytes() == service.video for record in done)
