"""From linear radiance to a file: glow, tone curve, vignette, a little grain."""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from pictures.arrays import Array, f32, luminance

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Film:
    exposure: float = 1.0
    bloom: float = 0.06
    vignette: float = 0.25
    grain: float = 0.006
    saturation: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    sharpen: float = 0.25
    contrast: float = 1.0
    """Above 1: darker shadows and brighter lights about the middle."""


def _reduce(image: Array, factor: int) -> Array:
    planes, height, width = image.shape
    h, w = height // factor, width // factor
    cropped = image[:, : h * factor, : w * factor]
    return f32(cropped.reshape(planes, h, factor, w, factor).mean(axis=(2, 4)))


def blur(image: Array, radius: float) -> Array:
    """A Gaussian blur with mirrored edges; radius is the standard deviation in pixels."""
    reach = max(1, int(3.0 * radius))
    at = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (at / radius) ** 2)
    kernel /= kernel.sum()
    for axis in (1, 2):
        pad = [(0, 0), (0, 0), (0, 0)]
        pad[axis] = (reach, reach)
        padded = np.pad(image, pad, mode="symmetric" if image.shape[axis] > reach else "edge")
        size = image.shape[axis]
        image = f32(sum(float(k) * np.take(padded, range(i, i + size), axis=axis) for i, k in enumerate(kernel)))
    return image


def _enlarge(image: Array, height: int, width: int) -> Array:
    planes = [Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC) for plane in image]
    return np.stack([f32(np.asarray(plane)) for plane in planes])


def _bloom(image: Array, amount: float) -> Array:
    """Light that strays in the lens, at three widths."""
    _, height, width = image.shape
    small = _reduce(np.minimum(image, 6.0), max(1, height // 240))
    size = small.shape[1] / 240.0
    glow = sum((blur(small, max(0.6, radius * size)) for radius in (2.0, 7.0, 22.0)), start=np.zeros_like(small)) / 3.0
    return image * (1.0 - amount) + _enlarge(f32(glow), height, width) * amount


def aces(colour: Array) -> Array:
    """The ACES reference and output transforms as fitted by S. Hill."""
    r, g, b = colour
    r, g, b = (
        0.59719 * r + 0.35458 * g + 0.04823 * b,
        0.07600 * r + 0.90834 * g + 0.01566 * b,
        0.02840 * r + 0.13383 * g + 0.83777 * b,
    )
    r, g, b = ((c * (c + 0.0245786) - 0.000090537) / (c * (0.983729 * c + 0.4329510) + 0.238081) for c in (r, g, b))
    return np.stack(
        [
            1.60475 * r - 0.53108 * g - 0.07367 * b,
            -0.10208 * r + 1.10813 * g - 0.00605 * b,
            -0.00327 * r - 0.07276 * g + 1.07602 * b,
        ]
    )


def _encode(linear: Array) -> Array:
    a = np.clip(linear, 0.0, 1.0)
    return f32(np.where(a <= 0.0031308, a * 12.92, 1.055 * a ** (1.0 / 2.4) - 0.055))


def _contrast(image: Array, amount: float) -> Array:
    """A symmetric curve through black, middle grey and white."""
    low = np.minimum(image, 1.0 - image)
    bent = 0.5 * np.maximum(2.0 * low, 0.0) ** amount
    return f32(np.where(image < 0.5, bent, 1.0 - bent))


def _vignette(height: int, width: int, amount: float) -> Array:
    y, x = np.mgrid[0:height, 0:width]
    far = ((x + 0.5) / width * 2.0 - 1.0) ** 2 + ((y + 0.5) / height * 2.0 - 1.0) ** 2
    return f32(1.0 - amount * np.clip(far / 2.0, 0.0, 1.0) ** 1.3)


def develop(radiance: Array, film: Film) -> Pixels:
    """Pixels of shape (height, width, 3) from linear radiance."""
    image = _bloom(np.maximum(radiance, 0.0), film.bloom)
    image = (
        image
        * _vignette(image.shape[1], image.shape[2], film.vignette)
        * film.exposure
        * f32(film.tint).reshape(3, 1, 1)
    )
    image = _encode(aces(image))
    image = _contrast(image, film.contrast)
    grey = luminance(image)
    image = grey + (image - grey) * film.saturation
    image = image + film.sharpen * (image - blur(image, 0.8))
    grain = np.random.default_rng(7).normal(0.0, 1.0, image.shape[1:])
    image = image + f32(grain) * film.grain
    pixels: Pixels = np.clip(image * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)
    return pixels.transpose(1, 2, 0)


def encoded(pixels: Pixels, suffix: str) -> bytes:
    """The bytes of a JPEG or PNG file."""
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels)
    if suffix == ".png":
        picture.save(buffer, "PNG", optimize=True)
    else:
        picture.save(buffer, "JPEG", quality=88, subsampling=0, optimize=True, progressive=True)
    return buffer.getvalue()
