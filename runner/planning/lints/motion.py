"""Whether a prompt says what moves, or what the camera does. This is decided by its words, and only for English.

People switch off a warning that is often wrong. So in doubt a word counts as motion, and the lists are long.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from functools import lru_cache

from runner.planning.lints.camera_words import STILL, VERBS

# Verbs that mean motion in all of their regular forms.
_VERBS = """
    accelerate advance animate appear approach arise ascend bend billow blink bloom blow boil bounce breathe bubble
    burn burst cascade change chase chew climb coil collapse crash crawl cross crumble curl dance dangle dart
    descend disappear dissolve dive drag drift drip drizzle emerge enter erupt evaporate evolve exhale expand
    explode fade fall flap flare flash flicker fling flip flit float flow flutter fly follow gallop glide glint
    glisten grow gush hop hover inhale jerk jiggle jog jolt jump kick kneel laugh leap lift loop lower lunge lurch
    march meander melt morph move nod ooze oscillate pass peel pirouette pivot plunge pour pulsate pulse quake
    quiver race recede retreat reveal revolve ride ripple rise roam run rush rustle sail saunter scatter scroll
    scurry shake shatter shift shimmer shiver shrink shuffle sing sink sizzle skate skid skip slither slosh soar
    sparkle speak spill spin spiral splash splatter spray sprint sprout stagger stir stretch stride stroll stumble
    surge sway sweep swim swing swirl swish swivel swoop talk topple toss transform transition travel tremble
    trickle tumble turn twinkle twirl twist twitch undulate unfold unfurl unroll unwrap vanish vibrate wade waft
    walk waltz wander warp wave weave whip whirl wiggle wink wobble wriggle writhe zigzag zip
"""
# In this order: irregular forms; forms of verbs that need not mean motion in other forms ("a rose", "an open road");
# moving air; speed; and the camera.
_WORDS = """
    arose crept fell fallen flew flown flung grew grown leapt moved movement movements motion motions ran risen sank
    shook slid spun sprang strode swam swept swung
    breaking closes closing coming cooking dripping driving drives dropped dropping eating gesturing going leaning
    lightens opening opens playing raining raises raising reaching rocking rolling rolls settles settling snowing
    spreading spreads steaming stepping streaming throwing throws typing winding
    breeze breezes breezy gust gusts gusty rotation wavering wind winds windy
    fluidly gently gradually quickly rapidly slow slowly smoothly suddenly swiftly
    animated boomerang cinemagraph drone flyby flyover flythrough fpv gimbal handheld parallax pov slowmo steadicam
    timelapse
"""
# The camera in several languages with Latin letters. Parts of words count: cameras, Kamerafahrt.
_CAMERA = ("camera", "kamera", "caméra", "cámara", "câmera", "hyperlapse", "travelling", "zoom")
# Marks between words become spaces. Translating and splitting takes a third of the time of a regular expression.
_SPACED = str.maketrans(dict.fromkeys(string.punctuation + string.digits + "–—‘’“”„…«»·", " "))
# The last Latin letter, except for rare ones (https://www.unicode.org/Public/UCD/latest/ucd/Scripts.txt).
_LAST_LATIN = "\u024f"
# The same prompt recurs for each take, and for each value that it does not use.
_REMEMBERED = 1024


@lru_cache(maxsize=_REMEMBERED)
def says_motion(text: str) -> bool:
    """Whether one of the words means motion, or is about the camera, even if it says that the camera is static."""
    lowered = text.lower()
    return not _MOVING.isdisjoint(lowered.translate(_SPACED).split()) or any(word in lowered for word in _CAMERA)


def is_latin(text: str) -> bool:
    """Whether at least half of the letters are Latin, as in English. Texts in other scripts cannot be checked."""
    if text.isascii():
        return True
    letters = [each for each in text if each.isalpha()]
    latin = sum(each <= _LAST_LATIN or "\u1e00" <= each <= "\u1eff" for each in letters)
    return 2 * latin >= len(letters)


def _forms(verb: str) -> Iterator[str]:
    """The regular forms of a verb, with and without a doubled consonant. Non-words such as `paning` do no harm."""
    stem = verb.removesuffix("e")
    yield from (verb, f"{verb}s", f"{verb}es", f"{stem}ing", f"{stem}ed")
    yield from (f"{verb}{verb[-1]}ing", f"{verb}{verb[-1]}ed")
    if verb.endswith("y"):
        yield from (f"{verb[:-1]}ies", f"{verb[:-1]}ied")


_MOVING = frozenset((*_WORDS.split(), *STILL, *(form for verb in (*_VERBS.split(), *VERBS) for form in _forms(verb))))
