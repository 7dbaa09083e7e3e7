# SPDX-License-Identifier: GPL-2.0-or-later
"""The walls between the rooms of the house: who may include whom, and what no room may do.

Nothing is run here: the sources are read, and the symbols of what was compiled."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "libnotify_core"
TOOLS = ROOT / "tools"

# Which rooms of the core a room may include, besides itself. Arrows go down only.
CORE_ARROWS = {
    "include": set(),
    "sys": {"include"},
    "event": {"include"},
    "backend": {"sys", "event", "include"},
    "watch": {"backend", "sys", "event", "include"},
    "text": {"event", "include"},
    "statistics": {"event", "include"},
    "c_api": {"event", "include"},
    "libinotifytools": {"backend", "sys", "event", "include"},  # a process's one state: a library of its own
}
# What of the core's inner rooms a tool may use.
INNER_FOR_TOOLS = {"event/event_mask.hpp", "sys/fd.hpp", "sys/syscall.hpp"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def sources(top):
    """All C and C++ files below it, in order."""
    return sorted(p for p in top.rglob("*") if p.suffix in (".cpp", ".hpp", ".c", ".h"))


def inside(path):
    """A path as seen from the project's root."""
    return str(path.relative_to(ROOT)) if isinstance(path, Path) else "none"


def code_of(path):
    """The text without comments and literals, line for line."""
    pattern = r'R"\((?:.|\n)*?\)"|//[^\n]*|/\*(?:.|\n)*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
    return re.sub(pattern, lambda m: "\n" * m.group().count("\n"), path.read_text())


def includes_of(path):
    return [name for _, name in INCLUDE.findall(path.read_text())]


def core_room(name):
    """The room of the core that holds an included file, if it is the core's."""
    if (CORE / "include" / name).is_file():
        return "include"
    return name.split("/")[0] if (CORE / name).is_file() else None


def resolve(path, name):
    for folder in (path.parent, CORE / "include", CORE, TOOLS):
        if (folder / name).is_file():
            return (folder / name).resolve()
    return None


def test_there_is_something_to_look_at():
    assert len(sources(CORE)) >= 8


@pytest.mark.parametrize("path", sources(CORE), ids=inside)
def test_arrows_inside_the_core_go_down(path):
    room = path.relative_to(CORE).parts[0]
    assert room in CORE_ARROWS, f"{room}: a new room; say in CORE_ARROWS what it may include"
    for name in includes_of(path):
        target = core_room(name)
        assert target is None or target == room or target in CORE_ARROWS[room], f"{path} may not include {name}"
        assert not re.match(r"cxxopts|toml|common/|inotify(wait|watch|sync)/", name), f"the core includes {name}"


@pytest.mark.parametrize("path", sources(TOOLS), ids=inside)
def test_no_tool_reaches_into_another(path):
    tool = path.relative_to(TOOLS).parts[0]
    for name in includes_of(path):
        found = resolve(path, name)
        if found is None:
            continue
        if found.is_relative_to(TOOLS):
            assert found.relative_to(TOOLS).parts[0] in (tool, "common"), f"{path} includes {name}"
        elif core_room(name) != "include":
            assert name in INNER_FOR_TOOLS, f"{path} reaches into the core for {name}"


def find_circle(arrows):
    """A path of nodes that ends where it began, or None."""
    finished = set()

    def visit(node, trail):
        if node in trail:
            return trail[trail.index(node):] + [node]
        if node in finished:
            return None
        for target in sorted(arrows.get(node, ())):
            if circle := visit(target, trail + [node]):
                return circle
        finished.add(node)
        return None

    for node in sorted(arrows):
        if circle := visit(node, []):
            return circle
    return None


def test_find_circle_finds_one():
    assert find_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert find_circle({"a": {"b", "c"}, "b": {"c"}}) is None


def test_files_include_in_no_circle():
    arrows = {}
    for path in sources(CORE) + sources(TOOLS):
        targets = {resolve(path, name) for name in includes_of(path)} - {None}
        arrows[str(path)] = {str(t) for t in targets}
    assert find_circle(arrows) is None


def test_rooms_of_a_tool_include_in_no_circle():
    arrows = {}
    for path in sources(TOOLS):
        room = str(path.parent.relative_to(TOOLS))
        if room.endswith("/loop"):
            continue  # makes the system calls that the other rooms ask for through interfaces of theirs
        for name in includes_of(path):
            found = resolve(path, name)
            if found and found.is_relative_to(TOOLS) and found.parent != path.parent:
                arrows.setdefault(room, set()).add(str(found.parent.relative_to(TOOLS)))
    assert find_circle(arrows) is None


def lines_with(pattern, paths):
    hits = []
    for path in paths:
        for number, line in enumerate(code_of(path).split("\n"), 1):
            if re.search(pattern, line):
                hits.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    return hits


def test_only_the_owner_of_descriptors_closes():
    paths = [p for p in sources(CORE) + sources(TOOLS) if p != CORE / "sys/fd.hpp"]
    assert lines_with(r"(?<![\w.>:])(?:::\s*)?close\s*\(", paths) == []


def test_system_calls_are_made_where_they_are_checked():
    """In sys/ and backend/ of the core, and in the loop/ of a tool."""
    calls = r"open|openat|read|write|v?fork|exec\w+|wait(?:pid|id)|kill|poll|ppoll|epoll_\w+|inotify_\w+|fanotify_\w+|" \
            r"l?stat|fstat\w*|statx|unlink\w*|rename\w*|mkdir\w*|socket|connect|dup\d?|pipe2?|fcntl|ioctl|syscall"
    paths = [p for p in sources(CORE) + sources(TOOLS) if p.parent.name not in ("sys", "backend", "loop")]
    assert lines_with(rf"(?<![\w>:])::(?:{calls})\s*\(", paths) == []


def test_only_sys_and_backend_of_the_core_look_at_errno():
    paths = [p for p in sources(CORE) if p.relative_to(CORE).parts[0] not in ("sys", "backend")]
    assert lines_with(r"\berrno\b", paths) == []


def test_the_core_neither_prints_nor_exits():
    pattern = r"\b(?:printf|fprintf|puts|perror|_?exit|quick_exit|abort|cout|cerr|clog)\b\s*(?:\(|<<)|<iostream>"
    assert lines_with(pattern, sources(CORE)) == []


def writable_variables(symbol_table):
    """Names of the variables in writable sections, out of what `objdump -t` prints."""
    # "00000000 l     O .bss  00000008 name": .bss and .data may be written, .data.rel.ro may not.
    line = re.compile(r"^\S+ .{6}O (\.t?(?:bss|data)(?!\.rel\.ro)\S*)\s+\S+\s+(.*)$", re.MULTILINE)
    return [name for _, name in line.findall(symbol_table) if "DW.ref." not in name]


def test_writable_variables_are_recognised():
    table = """0000000000000000 u     O .data.rel.ro.local.kinds\t00000000000004c0 kinds
0000000000000000 l     O .bss\t0000000000000004 counter
0000000000000010 g     O .data.other\t0000000000000004 setting
0000000000000000 l     O .tbss\t0000000000000004 of_a_thread
0000000000000000 g     F .text\t0000000000000004 function"""
    assert writable_variables(table) == ["counter", "setting", "of_a_thread"]


@pytest.mark.plain_build
def test_the_core_has_no_state_of_its_own():
    if not shutil.which("objdump"):
        pytest.skip("needs objdump (apt-get install binutils)")
    build = Path(os.environ.get("NOTIFY_BUILD", ROOT / "build"))
    archives = sorted((build / "libnotify_core").glob("libnotify_core_*.a"))
    table = subprocess.run(["objdump", "-t", "-C", *archives], capture_output=True, text=True, check=True).stdout
    assert "event_mask" in table
    assert writable_variables(table) == []
