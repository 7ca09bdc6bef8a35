"""`python -m tests.measures.trial`: is each planted fault found by its own measure, and none in a clean clip? Are moves
of the camera measured right, and those of the sandbox named right? Prints the figures; fails where a bar is missed."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from PIL import Image as Pictures

from runner.model import Image, Measured, Origin, Threshold
from runner.results.camera_check import named
from runner.results.workers.kept_clip import look_at
from runner.sandbox.film.camera import course
from runner.sandbox.film.clip import encode
from runner.sandbox.film.frames import frames, window_size
from runner.sandbox.film.scenery import landscape
from runner.sandbox.film.seed import Seed
from runner.video.defects import USUAL, defects_of
from runner.video.measures import ViewOrder
from tests.measures.clips import FAULTS, KINDS, SIZE, clean, moved, scene, write

# What wobbles is no defect where the manifest does not say so: a crowd wobbles, too.
THRESHOLDS = (*USUAL, Threshold("wobble", ">", 0.03))
FIRST = "first_frame"
WORDS = {
    "slow push-in": {"push in"},
    "pull out": {"pull out"},
    "pan left": {"pan left"},
    "pan right": {"pan right"},
    "tilt up": {"tilt up"},
    "tilt down": {"tilt down"},
    "static shot": {"static"},
    "handheld": {"handheld"},
    "orbit left": {"orbit", "pan left", "pan right"},
}
ZOOMS, WAYS = (1.33, 1 / 1.33, 1.15), (0.3, -0.3, 0.12)
# How near a zoom, and a pan or tilt, must be to what was filmed; how many of the words must be named right.
NEAR_ZOOM, NEAR_WAY, NAMED = 0.05, 0.05, 0.9


@dataclass(frozen=True, slots=True)
class Case:
    """A clip with or without a fault. It is right where the fault is among its defects, or where it has neither."""

    kind: str
    fault: str
    seed: int
    size: tuple[int, int] = SIZE
    frames: int = 120


def cases(seeds: Iterable[int]) -> Iterator[Case]:
    for seed in seeds:
        for kind in KINDS:
            yield from (Case(kind, fault, seed) for fault in ("", *FAULTS, FIRST))


def measured(case: Case) -> Measured:
    """Make the clip, and look at it beside its first frame, or beside another picture where that is the fault."""
    made = clean(case.kind, case.seed, case.size, case.frames)
    fault = FAULTS.get(case.fault)
    with tempfile.TemporaryDirectory() as folder:
        clip = write(Path(folder) / "clip.mp4", fault(made) if fault else made)
        picture = Path(folder) / "first.png"
        first = scene(case.seed + 500).resize(case.size) if case.fault == FIRST else Pictures.fromarray(made[0])
        first.save(picture)
        return look_at(clip, ViewOrder("0" * 64, None, Image("p", Origin.FILE, str(picture), "", {}, ())))


def is_right(case: Case) -> tuple[bool, str]:
    """Whether the fault is found (or none is), and the figures in words."""
    found = measured(case)
    defects = [each.measure for each in defects_of(found, THRESHOLDS)]
    figures = " ".join(f"{name}={value:.3f}" for name, value in found.values.items() if value is not None)
    right = case.fault in defects if case.fault else not defects
    return right, f"{case.kind:9}{case.fault or 'clean':12}{' '.join(defects) or '-':40}{figures}"


def moves() -> Iterator[tuple[str, dict[str, float]]]:
    yield from (("zoom", {"zoom": zoom}) for zoom in ZOOMS)
    yield from (("pan", {"across": way}) for way in WAYS)
    yield from (("tilt", {"up": way}) for way in WAYS)


def move_error(move: tuple[str, dict[str, float]], seed: int, size: tuple[int, int] = SIZE, count: int = 120) -> float:
    """How far what was measured is from what was filmed."""
    name, way = move
    with tempfile.TemporaryDirectory() as folder:
        clip = write(Path(folder) / "clip.mp4", moved(seed, size=size, frames=count, **way))
        value = look_at(clip, ViewOrder("0" * 64)).values[name]
    (filmed,) = way.values()
    return float("inf") if value is None else abs(float(value) - filmed)


def pictures(count: int) -> list[tuple[str, int]]:
    """Half landscapes, half pictures of many shapes."""
    return [("landscape" if number % 2 else "scene", number) for number in range(count)]


def name_of(word: str, picture: tuple[str, int], height: int = 360, seconds: float = 5.0) -> str:
    """The name of the move that the sandbox filmed for a word."""
    kind, number = picture
    source = landscape(Seed(f"trial {number}")) if kind == "landscape" else scene(number)
    size, count = window_size(source.size, height), round(seconds * 24)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        views = course(f"The shoe, {word}", 0.5, seconds, count, Seed(f"{word} {number}"))
        encode(frames(source, size, views), size, clip, Path(folder) / "t.jpg", {}, lambda: False)
        return str(named(look_at(clip, ViewOrder("0" * 64)).values, seconds))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.measures.trial", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="clips of each kind and fault (%(default)s)")
    parser.add_argument("--pictures", type=int, default=10, help="pictures for each word (%(default)s)")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        found = [_faults(pool, options.seeds), _moves(pool, options.seeds), _words(pool, options.pictures)]
    return 0 if all(found) else 1


def _faults(pool: ProcessPoolExecutor, seeds: int) -> bool:
    tried = list(cases(range(1, seeds + 1)))
    missed = 0
    for right, words in pool.map(is_right, tried):
        missed += not right
        print("ok    " if right else "MISSED", words, flush=True)
    print(f"faults and clean clips: {len(tried) - missed} of {len(tried)} right")
    return not missed


def _moves(pool: ProcessPoolExecutor, seeds: int) -> bool:
    worst: Counter[str] = Counter()
    for seed in range(1, seeds + 1):
        listed = list(moves())
        for move, error in zip(listed, pool.map(partial(move_error, seed=seed), listed), strict=True):
            worst[move[0]] = max(worst[move[0]], error)  # type: ignore[assignment]
    print("worst errors of moves:", ", ".join(f"{name} {error:.4f}" for name, error in worst.items()))
    return worst["zoom"] <= NEAR_ZOOM and max(worst["pan"], worst["tilt"]) <= NEAR_WAY


def _words(pool: ProcessPoolExecutor, count: int) -> bool:
    right = total = 0
    for word, names in WORDS.items():
        told = Counter(pool.map(partial(name_of, word), pictures(count)))
        right += sum(number for name, number in told.items() if name in names)
        total += told.total()
        print(f"{word:14}{dict(told)}", flush=True)
    print(f"words of the sandbox named right: {right} of {total}")
    return right >= NAMED * total


if __name__ == "__main__":
    sys.exit(main())
