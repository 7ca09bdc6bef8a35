"""Makes the example pictures of manifests/images: `python tests/tools/render_pictures.py`.

Everything is computed, nothing is downloaded, and the same machine writes the same bytes each time. `--scale` makes
small ones for a look or a test, and names on the command line pick some.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pictures import coast, dunes, film, headphones, interior, perfume, ridges, stones, teapot
from pictures.arrays import Array
from pictures.studio import Quality

IMAGES = Path(__file__).resolve().parents[2] / "manifests" / "images"


@dataclass(frozen=True, slots=True)
class Picture:
    """A file to make: a scene, the film that it is developed on, and the size in pixels."""

    file: str
    scene: Callable[[int, int, Quality], Array]
    film: film.Film
    width: int
    height: int
    quality: Quality = field(default_factory=Quality)

    @property
    def name(self) -> str:
        return Path(self.file).stem

    def render(self, scale: float) -> bytes:
        """The bytes of the file, with each side `scale` times as long."""
        width, height = max(16, round(self.width * scale)), max(16, round(self.height * scale))
        radiance = self.scene(width, height, self.quality)
        return film.encoded(film.develop(radiance, self.film), Path(self.file).suffix)


PICTURES = (
    Picture("teapot.jpg", teapot.picture, teapot.FILM, 1280, 960),
    Picture("headphones.png", headphones.picture, headphones.FILM, 1000, 1000, Quality(coarse=2)),
    Picture("perfume.jpg", perfume.picture, perfume.FILM, 900, 1200, Quality(supersample=4, cell=0.014)),
    Picture("stones.jpg", stones.picture, stones.FILM, 900, 1200),
    Picture("interior.jpg", interior.picture, interior.FILM, 1280, 960, Quality(cell=0.035)),
    Picture("ridges.jpg", ridges.picture, ridges.FILM, 1600, 900),
    Picture("dunes.jpg", dunes.picture, dunes.FILM, 1600, 900),
    Picture("coast.jpg", coast.picture, coast.FILM, 1600, 900),
)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make the example pictures.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--scale", type=float, default=1.0, help="size of each side against the full one (default 1)")
    parser.add_argument("--output", type=Path, default=IMAGES, help="folder to write to (default manifests/images)")
    arguments = parser.parse_args()
    known = [picture.name for picture in PICTURES]
    for name in arguments.names:
        if name not in known:
            parser.error(f"no picture is called {name!r}; there are {', '.join(known)}")
    return arguments


def main() -> None:
    arguments = _arguments()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        if arguments.names and picture.name not in arguments.names:
            continue
        began = time.process_time()
        data = picture.render(arguments.scale)
        (arguments.output / picture.file).write_bytes(data)
        print(f"{picture.file:16} {len(data) / 1000:6.0f} kB  {time.process_time() - began:5.1f} s")


if __name__ == "__main__":
    main()
