"""The example pictures: the script makes the same ones again, and they are what the API takes and worth looking at."""

import io
import itertools
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "tests" / "tools" / "render_pictures.py"
COMMITTED = sorted((ROOT / "manifests" / "images").iterdir())

Grey = npt.NDArray[np.float32]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import render_pictures

    return render_pictures


def render(script: ModuleType, name: str, scale: float) -> bytes:
    data: bytes = next(picture for picture in script.PICTURES if picture.name == name).render(scale)
    return data


def grey(source: Path | io.BytesIO, size: tuple[int, int] | None = None) -> Grey:
    with Image.open(source) as picture:
        tones = picture.convert("L")
    return np.asarray(tones if size is None else tones.resize(size, Image.Resampling.BOX), dtype=np.float32)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", SCRIPT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_same_scene_gives_the_same_bytes(script: ModuleType) -> None:
    assert render(script, "dunes", 0.1) == render(script, "dunes", 0.1)


@pytest.mark.parametrize("name", ["dunes", "teapot"])
def test_the_committed_pictures_come_from_the_script(script: ModuleType, name: str) -> None:
    again = grey(io.BytesIO(render(script, name, 0.1)))
    committed = grey(ROOT / "manifests" / "images" / f"{name}.jpg", (again.shape[1], again.shape[0]))
    # A tenth of the size has other edges and other noise, but the same light everywhere.
    assert np.abs(committed - again).mean() < 6.0
    assert np.corrcoef(committed.ravel(), again.ravel())[0, 1] > 0.97


def test_every_committed_picture_is_one_of_the_script(script: ModuleType) -> None:
    assert [path.name for path in COMMITTED] == sorted(picture.file for picture in script.PICTURES)


def test_the_command_writes_a_picture(tmp_path: Path) -> None:
    done = run("--scale", "0.05", "--output", tmp_path / "new", "dunes")
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["dunes.jpg"]
    assert grey(tmp_path / "new" / "dunes.jpg").shape == (45, 80)


def test_the_command_names_the_pictures_that_there_are(tmp_path: Path) -> None:
    done = run("--output", tmp_path, "dune")
    assert done.returncode == 2
    assert "no picture is called 'dune'; there are teapot, headphones" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.name)
def test_a_committed_picture_meets_the_limits_of_the_api(path: Path) -> None:
    assert path.stat().st_size < 1_000_000  # the API's own limit is 10 MB; ours keeps the project small
    with Image.open(path) as picture:
        picture.load()
        assert picture.format == {".jpg": "JPEG", ".png": "PNG"}[path.suffix]
        assert picture.mode == "RGB"
        assert min(picture.size) >= 300
        assert 1 / 2.5 <= picture.width / picture.height <= 2.5


def test_the_examples_stay_small() -> None:
    files = [path for path in (ROOT / "manifests").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 4_000_000


def tonal_range(picture: Grey) -> float:
    """From the darkest to the lightest hundredth, of 255."""
    low, high = np.percentile(picture, [1, 99])
    return float(high - low)


def shading(picture: Grey) -> float:
    """The share of pixels that differ from the next one, but only by little: light that falls off over a form."""
    step = np.abs(np.diff(picture, axis=1))
    return float(np.mean((step > 0) & (step <= 6)))


def detail(picture: Grey) -> list[float]:
    """The contrast within blocks of 2, 4, 8, 16, 32 and 64 pixels, each without that of the smaller ones."""
    result = []
    for _ in range(6):
        height, width = (side // 2 * 2 for side in picture.shape)
        picture = picture[:height, :width]
        half = picture.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
        result.append(float((picture - half.repeat(2, axis=0).repeat(2, axis=1)).std()))
        picture = half
    return result


def is_lively(picture: Grey) -> bool:
    """Light and depth: deep and bright tones, soft shading, and detail that grows steadily towards the large forms."""
    scales = detail(picture)
    steady = all(0.8 * fine < coarse for fine, coarse in itertools.pairwise(scales))
    return tonal_range(picture) > 120 and shading(picture) > 0.3 and min(scales) > 1.0 and scales[-1] > 6.0 and steady


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.name)
def test_a_committed_picture_has_light_and_depth(path: Path) -> None:
    assert is_lively(grey(path))


@pytest.mark.parametrize("card", ["flat", "stripes", "ramp", "noise"])
def test_a_test_card_has_neither(card: str) -> None:
    x = np.mgrid[0:600, 0:800][1].astype(np.float32)
    cards = {
        "flat": np.full_like(x, 128.0),
        "stripes": (x // 100) % 2 * 255.0,
        "ramp": np.floor(x * 0.3),
        "noise": np.random.default_rng(1).uniform(0.0, 255.0, x.shape).astype(np.float32),
    }
    assert not is_lively(cards[card])
