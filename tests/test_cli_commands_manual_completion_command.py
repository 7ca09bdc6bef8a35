"""The scripts for shells, asked by these shells themselves."""

import re
import shutil
import subprocess

import pytest

from runner.cli.arguments import parser
from tests.command import call, environment, terminal

# What stands on the line, and what the last word may become.
ASKED = [
    ("pl", ["plan"]),
    ("run --retry-", ["--retry-failed", "--retry-rejected"]),
    ("-q run --lock", ["--locked", "--locked-strict"]),
    ("plan camp", ["campaign.yaml"]),
    ("run --concurrency 3 camp", ["campaign.yaml"]),
    ("validate --format s", ["sarif"]),
    ("explain E20", [f"E20{digit}" for digit in range(1, 10)]),
    ("help fix", ["fix-pictures"]),
    ("completion z", ["zsh"]),
    ("schema ind", ["index"]),
    ("init --model Veo", ["Veo3", "Veo3-Fast"]),
    ("run campaign.yaml --sandbox-behave syn", ["sync"]),
    ("review --mode c", ["cull"]),
    ("publish --picks maj", ["majority"]),
]
BASH = """
source "$1"
while read -r -a COMP_WORDS; do
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMPREPLY=()
  _shtab_reelrun
  echo "${COMPREPLY[*]}"
done
"""
FISH = """
source $argv[1]
while read line
  string join -- ' ' (complete -C "$line" | string split -f1 -- \\t)
end
true  # the loop ends with the status of the last `read`
"""


@pytest.fixture
def folder(tmp_path):
    """A folder to complete in: a manifest, a file that is none, and a folder."""
    for name in ("campaign.yaml", "camp.txt"):
        (tmp_path / name).touch()
    (tmp_path / "handover").mkdir()
    return tmp_path


def needed(shell):
    """Skips where a shell is not there."""
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")


def script(shell, folder):
    path = folder / f".script.{shell}"
    path.write_text(call("completion", shell).out)
    return path


def answers(words, folder):
    """What a shell's program answers to each line."""
    lines = "".join(f"reelrun {line}\n" for line, _ in ASKED)
    done = subprocess.run(
        words, cwd=folder, env=environment(HOME=str(folder)), input=lines, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [sorted(line.split()) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("shell", "words"), [("bash", ("bash", "-uc", BASH, "bash")), ("fish", ("fish", "--no-config", "-c", FISH))]
)
def test_bash_and_fish_complete(folder, shell, words):
    needed(shell)
    assert answers((*words, script(shell, folder)), folder) == [sorted(expected) for _, expected in ASKED]


def test_zsh_completes(folder):
    """What only one word can be is on the line after a tab, and a function in the place of the command shows it."""
    needed("zsh")
    path = script("zsh", folder)
    with terminal("-f", "-i", program=("zsh",), columns=200, HOME=str(folder)) as screen:
        screen.press(f"cd {folder}; autoload -Uz compinit; compinit -u -D; eval \"$(<{path})\"; print go''ne\n")
        screen.until("gone")
        screen.press('reelrun() { print -r -- "<${(j:|:)@}>" }\n')
        for line, expected in ASKED:
            if len(expected) == 1:
                screen.press(f"reelrun {line}\t\n")
                whole = [*line.split()[:-1], *expected]
                screen.until(re.escape(f"<{'|'.join(whole)}>"))


def test_folders_are_folders(folder):
    line = 'source "$1"; COMP_WORDS=(reelrun publish --to \'\'); COMP_CWORD=3; _shtab_reelrun; echo "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "-c", line, "bash", script("bash", folder)], cwd=folder, capture_output=True, text=True
    )
    assert done.stdout == "handover\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_and_flag_is_in_it(shell):
    text = call("completion", shell).out
    for name, command in parser().commands.items():
        assert name in text
        assert [flag for flag in command.flags() if flag.lstrip("-") not in text] == []


def test_another_shell_is_told():
    ended = call("completion", "tcsh")
    assert (ended.code, ended.out) == (2, "")
    assert "invalid choice: 'tcsh' (choose from 'bash', 'zsh', 'fish')" in ended.err


def test_help_tells_how_to_have_it_in_every_shell():
    told = call("completion", "--help").out
    assert """  bash: echo 'eval "$(reelrun completion bash)"' >> ~/.bashrc\n""" in told
    assert "  zsh: " in told
    assert "  fish: reelrun completion fish > ~/.config/fish/completions/reelrun.fish" in told
