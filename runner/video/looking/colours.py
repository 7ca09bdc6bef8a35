"""How different two colours look: CIEDE2000, from the means of frames as they are stored."""

from __future__ import annotations

import math
from typing import NamedTuple

# The white of daylight (D65), and the smallest linear light for which the cube root is used (CIE 15).
_WHITE = (0.95047, 1.0, 1.08883)
_LINEAR = (6 / 29) ** 3
_FAR = 25.0**7


class Lab(NamedTuple):
    """A colour of CIELAB."""

    light: float
    a: float
    b: float


def lab_of(red: float, green: float, blue: float) -> Lab:
    """A colour of sRGB, each part from 0 to 255, in CIELAB."""
    r, g, b = (_linear(each / 255) for each in (red, green, blue))
    x = 0.4124564 * r + 0.3575761 * g + 0.1804375 * b
    y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b
    z = 0.0193339 * r + 0.1191920 * g + 0.9503041 * b
    fx, fy, fz = (_root(each / white) for each, white in zip((x, y, z), _WHITE, strict=True))
    return Lab(116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz))


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _root(value: float) -> float:
    return value ** (1 / 3) if value > _LINEAR else value / (3 * (6 / 29) ** 2) + 4 / 29


def difference(one: Lab, other: Lab) -> float:
    """CIEDE2000 (Sharma, Wu, Dalal 2005). About 1 is the least that people see side by side."""
    chroma = (math.hypot(one.a, one.b) + math.hypot(other.a, other.b)) / 2
    stretch = 1 + 0.5 * (1 - math.sqrt(chroma**7 / (chroma**7 + _FAR)))
    c1, h1 = _polar(one.a * stretch, one.b)
    c2, h2 = _polar(other.a * stretch, other.b)
    turned = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    lightness, colour = other.light - one.light, c2 - c1
    hue = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turned / 2))
    mean_light, mean_colour = (one.light + other.light) / 2, (c1 + c2) / 2
    mean_hue = (h1 + turned / 2) % 360 if c1 * c2 else h1 + h2
    weight = 1 - 0.17 * _cos(mean_hue - 30) + 0.24 * _cos(2 * mean_hue)
    weight += 0.32 * _cos(3 * mean_hue + 6) - 0.20 * _cos(4 * mean_hue - 63)
    off = (mean_light - 50) ** 2
    light_part = lightness / (1 + 0.015 * off / math.sqrt(20 + off))
    colour_part = colour / (1 + 0.045 * mean_colour)
    hue_part = hue / (1 + 0.015 * mean_colour * weight)
    bend = 60 * math.exp(-(((mean_hue - 275) / 25) ** 2))
    mixed = -2 * math.sqrt(mean_colour**7 / (mean_colour**7 + _FAR)) * math.sin(math.radians(bend))
    return math.sqrt(light_part**2 + colour_part**2 + hue_part**2 + mixed * colour_part * hue_part)


def _polar(a: float, b: float) -> tuple[float, float]:
    """The length of a colour, and its direction in degrees from 0 to 360."""
    return math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


def _cos(degrees: float) -> float:
    return math.cos(math.radians(degrees))
