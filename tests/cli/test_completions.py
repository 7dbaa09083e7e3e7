# SPDX-License-Identifier: GPL-2.0-or-later
"""The completions, in the real shells: what is offered is what --help says."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

COMPLETIONS = Path(__file__).resolve().parents[2] / "scripts" / "completions"

# What is typed before TAB, and some of what must, and must not, be offered.
CASES = [
    ("inotifywait --mon", {"--monitor"}, {"--quiet"}),
    ("inotifywait --ex", {"--exclude", "--excludei"}, {"--event"}),
    ("inotifywait -e clo", {"close", "close_write", "close_nowrite"}, {"open"}),
    ("inotifywait -m --event mov", {"moved_to", "moved_from", "move", "move_self"}, {"modify"}),
    ("inotifywait --fromfile ta", {"table"}, {"--monitor"}),
    ("inotifywait -m ta", {"table"}, {"--timefmt"}),
    ("inotifywatch --by dir", {"directory"}, {"event"}),
    ("inotifysync --set", {"--settle"}, {"--delete"}),
    ("inotifysync --log-format js", {"json"}, {"--json"}),
    ("inotifysync -c ta", {"table"}, {"--timeout"}),
    ("inotifywait -e create,mov", {"moved_to", "moved_from", "move_self"}, {"modify"}),
    ("inotifywait --event=clo", {"close_write", "close_nowrite"}, {"open"}),
    ("inotifywatch --descending clo", {"close_write", "close_nowrite"}, {"open"}),
]


def bash(line, environment, offered=()):
    words = line.replace("=", " = ").split(" ")  # so bash does
    script = (
        f"source {COMPLETIONS}/notify-tools.bash; COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1};"
        f" _notify_tools {words[0]} {words[-1]} {words[-2]}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    return subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60)


def fish(line, environment, offered):
    script = f"source {COMPLETIONS}/notify-tools.fish; complete --do-complete '{line}' | cut -f1"
    return subprocess.run(["fish", "-c", script], env=environment, capture_output=True, text=True, timeout=60)


# zsh completes only at a prompt, so it gets one, of a pseudo-terminal; what it would insert is shown by list-choices.
ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
read-until() { local all chunk; until [[ $all == *$1* ]]; do zpty -r shell chunk || return 1; all+=$chunk; done; print -r -- $all }
zpty -w shell "PROMPT= ; stty -echo columns 200; autoload -U compinit; fpath=($1 \$fpath); compinit -u -D"
zpty -w shell "bindkey '^I' list-choices; zstyle ':completion:*' list-grouped false; LISTMAX=1000; echo rea''dy"
read-until ready >/dev/null
zpty -n -w shell "$2"$'\t'
read-until "$3"
zpty -n -w shell $'\C-u'"echo do''ne"$'\n'
read-until done
zpty -d shell
"""


def zsh(line, environment, offered):
    functions = Path(environment["HOME"]) / "functions"
    functions.mkdir(exist_ok=True)
    shutil.copy(COMPLETIONS / "notify-tools.zsh", functions / "_notify_tools")
    command = ["zsh", "-f", "-c", ZSH, "zsh", functions, line, max(offered, key=len)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", timeout=60)


@pytest.mark.parametrize("shell", [bash, fish, zsh])
@pytest.mark.parametrize("line, offered, not_offered", CASES, ids=[case[0] for case in CASES])
def test_offers(shell, line, offered, not_offered, inotifywait, room):
    if shutil.which(shell.__name__) is None:
        pytest.skip(f"needs {shell.__name__} (apt-get install {shell.__name__})")
    (room / "table").touch()
    tools = inotifywait.parents[1]
    path = ":".join(str(tools / name) for name in ("inotifywait", "inotifywatch", "inotifysync"))
    environment = {"PATH": f"{path}:/usr/bin:/bin", "HOME": str(room), "TERM": "dumb"}
    before = os.getcwd()
    os.chdir(room)
    try:
        shown = shell(line, environment, offered)
    finally:
        os.chdir(before)
    words = set(re.findall(r"[\w-]+", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b.", " ", shown.stdout)))
    assert offered <= words, shown
    assert not (not_offered & words), shown


def test_every_option_of_the_help_is_offered_by_bash(inotifywait, room):
    environment = {"PATH": f"{inotifywait.parent}:/usr/bin:/bin", "HOME": str(room)}
    help_text = subprocess.run([inotifywait, "--help"], capture_output=True, text=True).stdout
    options = {name for line in re.findall(r"^\t(-\S+)", help_text, re.M) for name in line.split("|")}
    assert "--monitor" in options and len(options) > 30
    assert set(bash("inotifywait -", environment).stdout.split()) == options
