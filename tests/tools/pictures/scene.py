"""What is in front of the camera: solids, planes, lights, and what they are made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pictures.arrays import Array, Mask, cross, dot, f32, normalize, vec
from pictures.glass import Bottle
from pictures.shapes import Distance

Sky = Callable[[Array], Array]
"""Directions to radiance."""


@dataclass(frozen=True, slots=True)
class Coat:
    """A surface at some points. `mirror` is its reflectance straight on; 0 is a surface without any gloss."""

    albedo: Array
    mirror: Array = field(default_factory=lambda: vec(0.0, 0.0, 0.0))
    roughness: float = 0.3
    glow: Array = field(default_factory=lambda: vec(0.0, 0.0, 0.0))
    normal: Array | None = None
    """The normal with the relief of the material, where it has one."""
    grazing: float = 1.0
    """How much of the reflection at grazing angles there is; less for rough surfaces."""


Paint = Callable[[Array, Array], Coat]
"""Positions and normals to a coat."""


@dataclass(frozen=True, slots=True)
class Part:
    """A solid, within a sphere about `centre`."""

    distance: Distance
    paint: Paint
    centre: tuple[float, float, float]
    radius: float


@dataclass(frozen=True, slots=True)
class Plane:
    """All points with normal . p = offset, but for those in its opening."""

    normal: tuple[float, float, float]
    offset: float
    paint: Paint
    opening: Callable[[Array], Mask] | None = None


@dataclass(frozen=True, slots=True)
class Screen:
    """A plane that only dims the light which passes it: leaves before a window. `opacity` is 0 (clear) to 1."""

    normal: tuple[float, float, float]
    offset: float
    opacity: Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Panel:
    """A softbox: a rectangle about `centre` with half sides u and v, shining to the side of u x v."""

    centre: Array
    u: Array
    v: Array
    colour: Array
    samples: int = 16
    panes: int = 1
    """How many panes a reflection shows on each side."""

    @property
    def normal(self) -> Array:
        return normalize(cross(self.u, self.v))

    @property
    def area(self) -> float:
        return float(4.0 * np.sqrt(dot(self.u, self.u) * dot(self.v, self.v))[0])


@dataclass(frozen=True, slots=True)
class Sun:
    """A far light: `direction` points to it, `spread` is the radius of its disc in radians, `colour` its irradiance."""

    direction: Array
    spread: float
    colour: Array


Light = Panel | Sun


@dataclass(frozen=True, slots=True)
class Scene:
    parts: Sequence[Part]
    planes: Sequence[Plane]
    lights: Sequence[Light]
    sky: Sky
    fill: Array
    """Radiance that stands for all light after its second bounce."""
    screens: Sequence[Screen] = ()
    bottle: Bottle | None = None
    haze: float = 1e6
    """The distance at which the air has taken most of what lies behind it."""
    daylight: float = 1.0
    """The share of the sky that the gather sees: 0 where a softbox stands for it in a window."""
    dust: float = 0.0
    """The share of sunlight that the air scatters to the eye, for each unit of way."""
    reach: float = 60.0


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole at `eye`; `view` is the vertical angle in degrees; `shift` raises the picture without tilting it."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    view: float
    shift: float = 0.0

    def rays(self, x: Array, y: Array, aspect: float) -> tuple[Array, Array]:
        """Origins and directions for places in the picture, both 0 to 1 from the top left."""
        eye = vec(*self.eye)
        forward = normalize(vec(*self.target) - eye)
        right = normalize(cross(forward, vec(0.0, 1.0, 0.0)))
        up = cross(right, forward)
        tall = float(np.tan(np.radians(self.view) / 2.0))
        across, along = (2.0 * x - 1.0) * tall * aspect, (1.0 - 2.0 * y + self.shift) * tall
        direction = normalize(forward + right * across + up * along)
        return np.repeat(eye, x.size, axis=1), f32(direction)


def panel(
    centre: tuple[float, float, float],
    target: tuple[float, float, float],
    width: float,
    height: float,
    colour: Array,
    samples: int = 16,
    panes: int = 1,
) -> Panel:
    """A softbox at `centre` that looks at `target`."""
    middle = vec(*centre)
    toward = normalize(vec(*target) - middle)
    side = normalize(cross(toward, vec(0.02, 1.0, 0.01)))
    return Panel(middle, side * (width / 2.0), cross(side, toward) * (-height / 2.0), colour, samples, panes)
