"""From what is seen, and the light that falls on it, to radiance."""

import numpy as np

from pictures.arrays import Array, clamp, dot, f32, normalize, reflect, smoothstep
from pictures.light import shining
from pictures.scene import Panel, Scene
from pictures.trace import MISS, Surfaces, surfaces
from pictures.view import View


def fresnel(surface: Surfaces, cosine: Array) -> Array:
    """Schlick's approximation."""
    rise = surface.grazing * (surface.mirror.max(axis=0) > 0.0) * (1.0 - clamp(cosine)) ** 5
    return f32(surface.mirror + (1.0 - surface.mirror) * rise)


def far_away(scene: Scene, origin: Array, direction: Array, soft: Array) -> Array:
    """The surroundings as a reflection shows them."""
    result = scene.sky(direction)
    for light in scene.lights:
        if isinstance(light, Panel):
            result = result + shining(light, origin, direction, soft)
    return result


def _relief(scene: Scene, view: View, surface: Surfaces) -> Array:
    """How much more the main light falls on the relief than on the smooth surface."""
    if not scene.lights:
        return np.ones_like(view.t)
    light = scene.lights[0]
    way = normalize(light.centre - view.position) if isinstance(light, Panel) else light.direction
    facing = dot(view.normal, way)
    change = (dot(surface.normal, way) - facing) / np.maximum(facing, 0.3) * smoothstep(-0.1, 0.3, facing)
    return clamp(1.0 + change, 0.3, 1.8)


def matte(scene: Scene, view: View, surface: Surfaces, irradiance: Array) -> Array:
    """Light that the surface scatters, and its own."""
    reflected = fresnel(surface, -dot(view.direction, surface.normal))
    return surface.glow + surface.albedo * irradiance * _relief(scene, view, surface) / np.pi * (1.0 - reflected)


def gloss(scene: Scene, view: View, surface: Surfaces, seen: View, irradiance: Array) -> Array:
    """Reflections: of the softboxes, of the sky, and of other things in the scene."""
    soft = f32(np.square(surface.roughness) * 1.5)
    away = far_away(scene, view.position, seen.direction, soft)
    things = surfaces(scene, seen.position, seen.normal, seen.what)
    second = reflect(seen.direction, seen.normal)
    beyond = far_away(scene, seen.position, second, f32(np.square(things.roughness) * 1.5)) * fresnel(
        things, -dot(seen.direction, seen.normal)
    )
    colour = np.where(seen.what == MISS, away, matte(scene, seen, things, irradiance) + beyond)
    reflected = fresnel(surface, -dot(view.direction, surface.normal))
    if scene.bottle is None or seen.tint is None:
        return f32(colour * reflected)
    _fill_bottle(scene, seen, colour)
    clear = view.what == scene.bottle.part
    mirror = far_away(scene, view.position, reflect(view.direction, surface.normal), soft)
    return f32(np.where(clear, colour * seen.tint * (1.0 - reflected) + mirror * reflected, colour * reflected))


def _fill_bottle(scene: Scene, seen: View, colour: Array) -> None:
    """A bottle that is itself seen in a mirror shows the surroundings through it."""
    if scene.bottle is None:
        return
    clear = np.flatnonzero(seen.what == scene.bottle.part)
    start, way, tint = scene.bottle.through(seen.position[:, clear], seen.direction[:, clear])
    colour[:, clear] += far_away(scene, start, way, np.zeros(clear.size, dtype=np.float32)) * tint
