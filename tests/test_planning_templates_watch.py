"""Hostile templates: each ends with a diagnostic at its place, by the timer, the limit on memory, or a bound."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.planning.templates import watch
from runner.planning.templates.template import Templates
from runner.planning.templates.template_errors import InvalidTemplateError, TemplateDiagnostic
from runner.planning.templates.watch import Watch
from tests.templating import marked

DOUBLED = "{{% set x = {start} %}}" + "{{% set x = {twice} %}}" * 60
MACRO = "{{% macro m(x, n) %}}{body}{{% endmacro %}}{{{{ m('ab', 60) }}}}"
LOOPS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
ENDLESS = {
    "loops": LOOPS,
    "rounds": "{% for a in range(99999) %}{{ range(99999) | sort | length }}{% endfor %}",
    "compares": "{% set x = 'x' * 1000000 %}{% for a in range(99999) if x == x ~ '' %}{% endfor %}",
    "macros": MACRO.format(body="{% if n %}{{ m(x, n - 1) }}{{ m(x, n - 1) }}{% endif %}"),
    "callers": "{% macro m() %}{{ caller() }}{{ caller() }}{% endmacro %}"
    + "{% call m() %}" * 40 + "x" + "{% endcall %}" * 40,
    "wide round": "{{ 1.5 | round(10**9, 'ceil') }}",
    "words": "{{ ('x' * 1000000) | wordwrap(1) }}",
    "slices": "{{ [1] | slice(10**9) }}",
    "a long expression": "{{ 1" + " + 1" * 100_000 + " }}",
    "many expressions": "{{ 1 }}" * 100_000,
}  # fmt: skip
BOUNDED = {
    "power": "{{ 10 ** (10 ** 10) }}",
    "range": "{{ range(10 ** 30) | list }}",
    "text, joined": DOUBLED.format(start="'ab'", twice="x ~ x"),
    "text, added": DOUBLED.format(start="'ab'", twice="x + x"),
    "text, replaced": DOUBLED.format(start="'aa'", twice="x.replace('a', 'aa')"),
    "text, in blocks": "{% set x %}ab{% endset %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 60,
    "text, filtered": "{% set x %}ab{% endset %}" + "{% set x | upper %}{{ x }}{{ x }}{% endset %}" * 60,
    "text, by macros": MACRO.format(body="{{ m(x ~ x, n - 1) if n else x }}"),
    "text, out of macros": MACRO.format(body="{% set y = m(x, n - 1) if n else x %}{{ y }}{{ y }}"),
    "text, of a namespace": "{% set n = namespace(x='ab') %}" + "{% set n.x = n.x ~ n.x %}" * 60,
    "text, in with": "{% with x = 'ab' * 1000 * 1000 %}{{ x }}{% endwith %}",
    "lists": DOUBLED.format(start="[1]", twice="[x, x]") + "{{ x == x }}",
    "lists, added": DOUBLED.format(start="[1]", twice="x + x"),
    "mappings": DOUBLED.format(start="1", twice="{'a': x, 'b': x}"),
    "tuples": DOUBLED.format(start="1", twice="(x, x)"),
    "numbers": DOUBLED.format(start="9", twice="x * x"),
    "output": "{% set x = 'x' * 1000 %}{% for i in range(9999) %}{{ x }}{% endfor %}",
    "calls itself": MACRO.format(body="{{ m(x, n) }}"),
    "loops in itself": "{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
    "a number without end": "{{ (('f' * 900000) | int(base=16)) * 3 }}",
}
# More than the limit allows: it is refused before it is made.
HUGE = {
    "center": "{{ 'x'.center(2 * 10**9) }}",
    "ljust": "{{ 'x'.ljust(2 * 10**9) }}",
    "zfill": "{{ 'x'.zfill(2 * 10**9) }}",
    "expandtabs": "{{ '\t\t'.expandtabs(10**9) }}",
    "filter center": "{{ 'x' | center(2 * 10**9) }}",
    "indent": "{{ ('a\n' * 100000) | indent('y' * 100000) }}",
    "format": "{{ '{:>2000000000}'.format(1) }}",
    "format_map": "{{ '{a:>2000000000}'.format_map({'a': 1}) }}",
    "percent": "{{ '%2000000000d' % 1 }}",
    "percent star": "{{ '%*d' % (2 * 10**9, 1) }}",
    "fraction": "{{ '%.2000000000f' | format(1.5) }}",
    "replace": "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
    "output": "{% set x = 'x' * 100000 %}{% for i in range(99999) %}{{ x }}{% endfor %}",
}
IN_A_PROCESS = """
import json, re, sys
from tests.templating import fault
from runner.planning.templates.watch import limited_memory
found = {}
for name, text in json.load(sys.stdin).items():
    with limited_memory():
        problem = fault(text)
    found[name] = (problem.code, problem.offset, problem.length)
# The peak of this process alone: that of getrusage may be the peak of the one that started it.
peak = re.search("VmHWM:\\s*([0-9]+) kB", open("/proc/self/status").read()).group(1)
print(json.dumps([found, int(peak) << 10]))
"""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[Templates]:
    """Templates under a timer that waits for next to nothing."""
    monkeypatch.setattr(watch, "RENDER_SECONDS", 0.1)
    monkeypatch.setattr(watch, "TICK", 0.02)
    templates = Templates()
    with templates.watch.kept():
        yield templates


def ended(templates: Templates, text: str) -> TemplateDiagnostic:
    with pytest.raises(InvalidTemplateError) as caught:
        templates.compile(text).render({})
    return caught.value.diagnostic


# The alarm may come in a callback of hypothesis, where it is lost; the next one is not.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_what_would_not_end_is_interrupted(impatient: Templates, text: str) -> None:
    found = ended(impatient, text)
    assert found.code == "E314"
    assert "it takes more than 0.1 seconds" in found.message
    assert found.length > 0


@pytest.mark.parametrize("text", BOUNDED.values(), ids=BOUNDED)
def test_what_doubles_ends_at_a_bound(text: str) -> None:
    templates = Templates()
    with templates.watch.kept():
        found = ended(templates, text)
    assert found.code == "E314"
    assert "seconds" not in found.message
    assert 0 < found.length <= len(text)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no limit holds")
def test_what_is_too_wide_ends_at_the_limit_on_memory() -> None:
    asked = json.dumps(HUGE)
    run = subprocess.run([sys.executable, "-c", IN_A_PROCESS], input=asked, capture_output=True, text=True, check=True)
    found, peak = json.loads(run.stdout)
    assert {name: code for name, (code, _, _) in found.items()} == dict.fromkeys(HUGE, "E314")
    text = HUGE["replace"]
    _, offset, length = found["replace"]
    assert text[offset : offset + length] == text[3:-3]
    assert peak < 1_500_000_000


def test_an_interrupted_template_is_told_at_its_place_and_the_next_one_renders(impatient: Templates) -> None:
    text = "{{ 1 }} {% for a in range(9) %}" + LOOPS + "{% endfor %} {{ 2 }}"
    assert "for b in range(99999)" in marked(text, ended(impatient, text))
    assert impatient.compile("{{ 1 + 1 }}").render({}) == "2"
    assert ended(impatient, LOOPS).code == "E314"


def test_the_time_of_other_work_and_of_other_renders_is_not_counted(impatient: Templates) -> None:
    quick = impatient.compile("{{ 1 }}")
    while impatient.watch.ticks < 20:
        quick.render({})
    while impatient.watch.ticks < 40:
        pass
    assert quick.render({}) == "1"


def test_the_timer_ends_with_the_planning() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with Watch().kept():
        assert signal.getitimer(signal.ITIMER_REAL)[1] == watch.TICK
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) == before


def test_in_another_thread_there_is_no_timer() -> None:
    seen: list[tuple[float, float]] = []

    def work() -> None:
        with Watch().kept():
            seen.append(signal.getitimer(signal.ITIMER_REAL))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(0, 0)]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="elsewhere no limit holds")
def test_the_limit_on_memory_ends_with_its_work() -> None:
    code = """
import resource
from runner.errors import UsageError
from runner.planning.templates.watch import MEMORY, limited_memory
before = resource.getrlimit(resource.RLIMIT_AS)
try:
    with limited_memory():
        bytearray(2 * MEMORY)
except UsageError as error:
    print(error.message)
assert resource.getrlimit(resource.RLIMIT_AS) == before
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "planning takes more than 1 GiB of memory\n"
