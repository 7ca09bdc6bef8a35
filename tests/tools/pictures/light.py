"""Light that arrives at points: softboxes and sun by stratified samples, the rest by a gather with one more bounce."""

import numpy as np

from pictures.arrays import Array, basis, clamp, dot, f32, length, normalize
from pictures.scene import Light, Panel, Sun
from pictures.trace import MISS, Hits, Stage, nearest, normals, surfaces

_GOLDEN = (0.7548776662, 0.5698402910)


def _lift(stage: Stage) -> float:
    """How far above a surface a ray starts, so that the grid's coarseness does not stop it there."""
    return 2.5e-3 + 0.35 * stage.volume.cell


def dither(x: Array, y: Array) -> Array:
    """Two numbers, 0 to 1, for each pixel, unlike those of its neighbours."""
    first = np.mod(52.9829189 * np.mod(0.06711056 * x + 0.00583715 * y, 1.0), 1.0)
    second = np.mod(52.9829189 * np.mod(0.00583715 * x + 0.06711056 * y + 0.37, 1.0), 1.0)
    return f32(np.stack([first, second]))


def spread(noise: Array, k: Array | int) -> tuple[Array, Array]:
    """The k-th of a series of points that fill the unit square evenly, moved by the pixel's own noise."""
    return f32(np.mod(noise[0] + k * _GOLDEN[0], 1.0)), f32(np.mod(noise[1] + k * _GOLDEN[1], 1.0))


def _toward(light: Light, position: Array, normal: Array, u: Array, v: Array) -> tuple[Array, Array, Array]:
    """Direction and distance to a place on the light, and the irradiance that comes from there."""
    if isinstance(light, Sun):
        side, up = basis(light.direction)
        radius, angle = light.spread * np.sqrt(u), 2.0 * np.pi * v
        direction = normalize(light.direction + side * (radius * np.cos(angle)) + up * (radius * np.sin(angle)))
        return direction, np.full_like(u, 1e3), light.colour * np.maximum(dot(normal, direction), 0.0)
    path = light.centre + light.u * (2.0 * u - 1.0) + light.v * (2.0 * v - 1.0) - position
    far = length(path)
    direction = path / far
    facing = np.maximum(-dot(light.normal, direction), 0.0) * np.maximum(dot(normal, direction), 0.0)
    return direction, far, light.colour * (facing * light.area / (far * far))


def _arriving(stage: Stage, light: Light, position: Array, normal: Array, u: Array, v: Array) -> Array:
    direction, far, power = _toward(light, position, normal, u, v)
    for screen in stage.scene.screens:
        axis = f32(screen.normal).reshape(3, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = (screen.offset - dot(axis, position)) / dot(axis, direction)
        crossed = (at > 0.0) & (at < far)
        power = power * np.where(crossed, 1.0 - screen.opacity(position + direction * np.where(crossed, at, 0.0)), 1.0)
    lit = np.flatnonzero(power.max(axis=0) > 1e-5)
    stop = np.minimum(far[lit] - 2e-3, stage.scene.reach)
    free = (
        nearest(stage, position[:, lit] + normal[:, lit] * _lift(stage), direction[:, lit], stop, owners=False).what
        == MISS
    )
    lit, result = lit[free], np.zeros_like(position)
    result[:, lit] = power[:, lit]
    if stage.scene.bottle is not None:
        result[:, lit] *= stage.scene.bottle.shade(position[:, lit], direction[:, lit])
    return result


def softboxes(stage: Stage, position: Array, normal: Array, noise: Array, share: float = 1.0) -> Array:
    """Irradiance straight from the softboxes; `share` of their samples."""
    result = np.zeros_like(position)
    for light in stage.scene.lights:
        if isinstance(light, Sun):
            continue
        count = max(1, round(light.samples * share))
        for k in range(count):
            result += _arriving(stage, light, position, normal, *spread(noise, k)) / count
    return result


def sunshine(stage: Stage, position: Array, normal: Array, noise: Array, air: bool = False) -> Array:
    """Irradiance straight from the suns, one sample of each; in the air it has no slant.

    Their shadows are too sharp for the coarse grid, so this is asked for each ray.
    """
    result = np.zeros_like(position)
    for light in stage.scene.lights:
        if isinstance(light, Sun):
            facing = np.broadcast_to(light.direction, position.shape) if air else normal
            result += _arriving(stage, light, position, facing, noise[0], noise[1])
    return result


def beams(stage: Stage, origin: Array, direction: Array, far: Array, noise: Array, steps: int = 14) -> Array:
    """Sunlight that dust scatters to the eye on the way along rays."""
    result = np.zeros_like(origin)
    for k in range(steps):
        at = far * ((k + noise[0]) / steps)
        result += sunshine(stage, origin + direction * at, -direction, noise, air=True) * (far / steps)
    return result * stage.scene.dust


def _lamp(stage: Stage, position: Array, normal: Array, noise: Array, turn: int) -> Array:
    """Irradiance of all lights, guessed from one sample of one of them."""
    lights = stage.scene.lights
    if not lights:
        return np.zeros_like(position)
    return _arriving(stage, lights[turn % len(lights)], position, normal, noise[0], noise[1]) * len(lights)


def _hemisphere(normal: Array, u: Array, v: Array) -> Array:
    """Directions about the normal, in proportion to the cosine."""
    tangent, bitangent = basis(normal)
    radius, angle = np.sqrt(u), 2.0 * np.pi * v
    flat = tangent * (radius * np.cos(angle)) + bitangent * (radius * np.sin(angle))
    return f32(flat + normal * np.sqrt(np.maximum(1.0 - u, 0.0)))


def radiance(stage: Stage, origin: Array, direction: Array, noise: Array, turn: int) -> Array:
    """What comes along rays, with one sample of one light (each in its turn) at the place where they end."""
    scene = stage.scene
    hits = nearest(stage, origin, direction)
    result = scene.sky(direction) * scene.daylight
    met = np.flatnonzero(hits.what != MISS)
    if met.size == 0:
        return result
    way, what = direction[:, met], hits.what[met]
    place = origin[:, met] + way * hits.t[met]
    normal = normals(scene, place, Hits(hits.t[met], what), way)
    surface = surfaces(scene, place, normal, what)
    result[:, met] = surface.glow + surface.albedo * (
        _lamp(stage, place, normal, noise[:, met], turn) / np.pi + scene.fill
    )
    return result


def gather(stage: Stage, position: Array, normal: Array, noise: Array, samples: int) -> Array:
    """Irradiance from everywhere but the lights."""
    result = np.zeros_like(position)
    for k in range(samples):
        u, v = spread(noise, k)
        direction = _hemisphere(normal, u, v)
        result += radiance(stage, position + normal * _lift(stage), direction, np.stack([v, u]), k)
    return result * (np.pi / samples)


def shining(light: Panel, origin: Array, direction: Array, blur: Array) -> Array:
    """The softbox as a reflection shows it, its edges softened by the roughness of the mirror."""
    axis = light.normal
    slant = dot(axis, direction)
    at = dot(axis, light.centre - origin) / np.where(np.abs(slant) < 1e-6, 1e-6, slant)
    place = origin + direction * at - light.centre
    inside = np.ones_like(at)
    for half in (light.u, light.v):
        size = float(length(half)[0])
        across = dot(place, half) / (size * size)
        soft = 0.02 + blur * np.abs(at) / size
        inside = inside * clamp((1.0 + soft - np.abs(across)) / (2.0 * soft))
        if light.panes > 1:
            bar = np.abs(np.mod((across + 1.0) * 0.5 * light.panes + 0.5, 1.0) - 0.5)
            inside = inside * clamp((bar - 0.04 + soft) / (2.0 * soft), 0.08)
    inside = inside * inside * (3.0 - 2.0 * inside)
    return light.colour * (inside * ((at > 0.0) & (slant < 0.0)))
