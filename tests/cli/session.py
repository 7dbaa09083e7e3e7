# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions: what a person types at two prompts, and what inotifywait says.

A `.session` file holds many, each like this:

    == a title, which names the test
    % mkdir d                  commands before the start
    $ inotifywait -m -q d      the program; bash runs the line
    % touch d/f                then, one step at a time, what is done to the files
    > cat out                  a command whose output belongs to what is compared
    ^INT                       a signal to the program (at the end SIGTERM ends it, if it still runs)
    ...                        waiting until it ends by itself

Run so, the session is played for the reference (Debian's inotifywait) and for ours in twin directories, and what they
say must be the same bytes, step by step, on stdout and on stderr, with the same exit status.

Where ours is meant to differ from the reference, the session spells out what it says, and only ours is played:

    | d/ CREATE f              a line on stdout, after the step above it
    ! Watches established.     a line on stderr
    ? 143                      the exit status as bash would put it
    nothing                    it says nothing at all and goes on

Lines of the kind `& value` make one session of each value, which takes the place of every `{}`. `# comment` lines explain. Lines are shown with bytes outside ASCII as \\xNN; a last line without a newline ends in `<no newline>`.
"""

import re
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from program import Program, Said

# A line which is this program and nothing else; bash becomes it, so that the process we look at is the program.
PLAIN = re.compile(rb"^([A-Z_]+=\S* )*(unprivileged )?inotifywait\b")
# It waits for a limited time: it was told to, or tries again now and then what a limit left out.
WAITS_LIMITED = re.compile(rb"\s(-[a-zA-Z]*t|--ti|--total-timeout)|max_inotify_watches")


@dataclass
class Step:
    kind: str  # "start", "shell", "look", "signal" or "end"
    text: str = ""


@dataclass
class Session:
    title: str
    before: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    script: list[str] = field(default_factory=list)  # the lines from `$` on
    explicit: bool = False                           # the script says what is expected; else the reference is asked
    source: str = ""


def parse(path: Path):
    """All sessions of a file."""
    sessions, block = [], []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("== "):
            sessions += _expand(block)
            block = []
        block.append((f"{path.name}:{number}", line))
    return sessions + list(_expand(block))


def _expand(block):
    """One session, or as many as the block has `&` lines."""
    values = [line[2:] for _, line in block if line[:2] == "& "]
    for value in values or [None]:
        session = Session("", source=block[0][0] if block else "")
        for where, line in block:
            if line[:2] != "& ":
                _add_line(session, line if value is None else line.replace("{}", value), where)
        if block:
            yield session


def _add_line(session, line, where):
    mark, text = line[:2], line[2:]
    if line.startswith("== "):
        session.title = line[3:].strip()
        return
    if mark == "% " and not session.steps:
        session.before.append(text)
    elif mark == "% ":
        session.steps.append(Step("shell", text))
    elif mark == "> ":
        session.steps.append(Step("look", text))
    elif mark == "$ ":
        session.steps.append(Step("start", text))
    elif line.startswith("^"):
        session.steps.append(Step("signal", line[1:].strip()))
    elif line.strip() == "...":
        session.steps.append(Step("end"))
    elif line == "nothing" or line[:1] in "|!?":
        session.explicit = True
    else:
        raise ValueError(f"{where}: what does this line mean? {line!r}")
    if session.steps and line != "nothing":
        session.script.append(line)


def play(session, binary, room: Path):
    """Plays a session; returns [(step, Said)], the last of them about how it ended."""
    room.mkdir(parents=True)
    directory = room / "home"
    directory.mkdir()
    first = session.steps[0]
    assert first.kind == "start", f"{session.source}: no `$` line"
    command = first.text.encode(errors="surrogateescape")
    command = PLAIN.sub(_becoming, command)
    for line in session.before:
        _shell_before(line, directory)
    program = Program(binary, command, directory, room / "bin", finite=bool(WAITS_LIMITED.search(command)))
    try:
        transcript = [(first, program.settle())]
        for step in session.steps[1:]:
            if step.kind == "end":  # it may have ended before we looked, on a busy machine
                transcript[-1][1].status = None
            transcript.append((step, _take(step, program)))
        if program.process.poll() is None:
            program.signal(signal.SIGTERM)
            last = program.wait_end()
            if last != Said(status=-signal.SIGTERM):
                transcript.append((Step("signal", "TERM"), last))
        for _, said in transcript:
            said.out = merged(said.out)
        return transcript
    finally:
        program.close()


def _becoming(match):
    words = match.group().split(b" ")
    first = next(index for index, word in enumerate(words) if b"=" not in word)
    return b" ".join(words[:first] + [b"exec"] + words[first:])


def _shell_before(line, directory):
    subprocess.run(["/bin/bash", "-c", line], cwd=directory, check=True, stdin=subprocess.DEVNULL)


def _take(step, program):
    if step.kind == "end":
        return program.wait_end()
    if step.kind == "signal":
        program.signal(getattr(signal, "SIG" + step.text))
        return program.wait_end()
    shown = program.shell(step.text.encode(errors="surrogateescape"))
    said = program.settle()
    if step.kind == "look":
        said.out += shown
    return said


def merged(out):
    """Output with repeated lines said once: the kernel merges equal neighbours, if the reader has not been quicker."""
    return re.sub(rb"(?m)^(.*\n)\1+", rb"\1", out)


def render(transcript):
    """The transcript as lines of a session file."""
    lines, ended = [], False
    for step, said in transcript:
        lines.append(_render_step(step))
        lines += _render_stream("|", said.out) + _render_stream("!", said.err)
        if said.status is not None and not ended:
            ended = True
            lines.append(f"? {said.status if said.status >= 0 else 128 - said.status}")
    return lines


def _render_step(step):
    marks = {"start": "$ ", "shell": "% ", "look": "> ", "signal": "^", "end": "..."}
    return marks[step.kind] + step.text


def _render_stream(mark, data):
    if not data:
        return []
    lines = data.split(b"\n")
    tail = lines.pop()
    shown = [f"{mark} {_printable(line)}" for line in lines]
    if tail:
        shown.append(f"{mark} {_printable(tail)}<no newline>")
    return shown


def _printable(line):
    return "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in line)
