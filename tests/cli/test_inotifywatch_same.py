# SPDX-License-Identifier: GPL-2.0-or-later
"""inotifywatch side by side with Debian's: the same bytes on stdout and stderr, the same exit status.

No step makes two equal events in a row: the kernel would merge them, or not, as the reader is slow or quick.
"""

import subprocess

import pytest

import watch_program
from watch_program import Case, differences, play

FLAT = "mkdir a b c d e; touch a/f b/f c/f d/f e/f g"
DIRECTORIES = ["a", "b", "c", "d", "e"]
# Rows with different counts, ties in totals and in single events.
BUSY = ("touch a/f", "cat b/f", "cat b/f", "touch c/n", "mv c/n e/n", "rm d/f", "chmod 600 e/f", "touch a/n", "mkdir d/d")
DEEP = "mkdir -p a/b/c a/x y z; touch a/f a/b/g a/b/c/h g"
CASES = []


def add(name, arguments, tree=FLAT, steps=BUSY, **more):
    CASES.append(Case(name, arguments, tree, tuple(steps), **more))


EVENTS = ("access modify attrib close_write close_nowrite close open moved_to moved_from move move_self create delete"
          " delete_self unmount q_overflow ignored isdir all_events").split()
CRASHING_KEYS = {("-a", "all_events"), ("-d", "all_events"), ("-d", "close"), ("-d", "move")}

# Sorting.
for flag in ("-a", "-d"):
    for key in [*EVENTS, "total", "TOTAL", "Access", "", "open,", ",open", "bogus", "tot", "total,open", "open ", "-1"]:
        if (flag, key) not in CRASHING_KEYS:
            add(f"sort {flag} {key!r}", [flag, key, *DIRECTORIES])
for flag in ("-a", "-d"):
    for key in ("open", "close_nowrite", "create", "attrib", "total"):
        add(f"sort {flag} {key} -z", [flag, key, "-z", *DIRECTORIES])
        add(f"sort {flag} {key} reverse operands", [flag, key, *reversed(DIRECTORIES)])
        add(f"sort {flag} {key} -r", ["-r", flag, key, "."], DEEP,
            ["touch a/f", "cat a/b/g", "touch a/b/c/h", "chmod 600 z", "chmod 700 z", "touch y/n"])
for words in ("-d open -d access", "-d access -d open", "-a open -d access", "-d access -a open", "-a open -a open",
              "-d open -a total", "-a total -d total", "-d total -d access", "-d open -e create", "-a open -e create",
              "-d access -e open", "-a access -e open", "-a total -e open", "-d create,delete -e moved_to", "-a move -e create",
              "-d move -e create", "-a bogus -e bogus", "-a create -e create,", "--asc open", "--desc=open", "-aopen"):
    add(f"sort {words}", [*words.split(), *DIRECTORIES])
add("sort -d '' -a open", ["-d", "", "-a", "open", *DIRECTORIES])
add("sort -a '' -d open", ["-a", "", "-d", "open", *DIRECTORIES])

# Which events are counted.
for event in EVENTS:
    add(f"-e {event}", ["-e", event, *DIRECTORIES])
    add(f"-z -e {event}", ["-z", "-e", event, *DIRECTORIES])
for words in ("create,open", "CREATE,OpEn", "create,", ",open", "create,,open", ",bogus", "bogus", "create,bogus", "create, open",
              "create,unmount", "q_overflow,create,isdir,ignored", "move,close"):
    add(f"-e {words!r}", ["-e", words, *DIRECTORIES])
    add(f"-z -e {words!r}", ["-z", "-e", words, *DIRECTORIES])
add("-e ''", ["-e", "", *DIRECTORIES])
add("-e create, -e open", ["-e", "create,", "-e", "open", *DIRECTORIES])
add("-e create -e modify,open", ["-e", "create", "-e", "modify,open", *DIRECTORIES])

# Nothing to show.
for options in ([], ["-z"], ["-r"], ["-rz"], ["-v"], ["-e", "create"], ["-t", "1"]):
    add(f"no events {' '.join(options)}", [*options, "a"], steps=())

# Operands.
for operands in (["a", "g"], ["g", "a"], ["a/"], ["a//"], ["./a/../a"], ["a", "a"], ["a", "a/"], ["a", "./a", "a/"], ["g", "./g"], ["."],
                 ["nonexistent"], ["a", "nonexistent"], ["g/"], [""], ["a", ""], ["-"], ["--", "-v"], ["--", "a", "--"], []):
    for options in (["-v"], ["-v", "-r"]):
        if options == ["-v", "-r"] and len(operands) > 1 and "./a" in operands:
            continue  # the reference counts its own looking around
        steps = ["touch a/n", "chmod 600 g"] if "a/" not in operands or "-r" not in options else ["touch a/n"]
        if "-r" in options and (operands.count("a") > 1 or "a/" in operands and "a" in operands):
            options = [*options, "-e", "create,attrib"]
        add(f"operands {' '.join([*options, *operands])!r}", [*options, *operands], steps=steps)
LINKS = DEEP + "; ln -s a la; ln -s g lg; ln -s nowhere lx"
for operands in (["la"], ["la/"], ["lg"], ["lx"], ["la", "lg"], ["lg", "g"]):
    for options in (["-v"], ["-v", "-P"], ["-v", "-r"], ["-v", "-r", "-P"]):
        add(f"links {' '.join([*options, *operands])}", [*options, *operands], LINKS,
            ["touch a/n", "touch -h la", "touch -h lg", "chmod 600 g"])

# Files and directories that go away.
for options in ([], ["-z"], ["-e", "create"], ["-z", "-e", "create"], ["-e", "delete_self,move_self"], ["-e", "unmount,attrib"]):
    text = " ".join(options)
    add(f"file removed {text}", [*options, "a/f", "g"], steps=["rm a/f", "touch a/f", "chmod 600 g"])
    add(f"file moved {text}", [*options, "a/f", "a"], steps=["mv a/f a/n", "chmod 600 a/n", "rm a/n"])
    add(f"file replaced {text}", [*options, "g"], steps=["touch n", "mv n g", "chmod 600 g"])
    add(f"directory moved {text}", [*options, "a", "b"], steps=["mv a b/a", "touch b/a/n"])
    add(f"directory removed {text}", [*options, "a", "b"], steps=["rm a/f", "rmdir a", "mkdir a", "touch a/n"])

# Trees.
STORIES = {
    "set up": ["touch g", "touch a/f", "touch a/b/g", "touch a/b/c/h", "touch z/n"],
    "new": ["mkdir n", "touch n/f", "mkdir n/m", "touch n/m/f", "mkdir z/n", "touch z/n/f"],
    "new, moved in place": ["mkdir n", "mv n m", "touch m/f"],
    "removed": ["rm a/b/c/h", "rmdir a/b/c", "rm a/b/g", "rmdir a/b", "rmdir y"],
    "made again": ["mkdir n", "touch n/f", "rm n/f", "rmdir n", "mkdir n", "touch n/f", "^USR1", "rm n/f", "rmdir n"],
    "renamed": ["mv a A", "touch A/n", "touch A/b/n", "touch A/b/c/n", "mv A/b A/B", "touch A/B/n", "touch A/B/c/n"],
    "renamed to and fro": ["mv a A", "touch A/n", "mv A a", "touch a/m", "^USR1", "mv a A"],
    "moved inside": ["mv a/b z/b", "touch z/b/n", "touch z/b/c/n", "mv z/b b", "touch b/n"],
    "moved onto": ["mkdir n", "mv -T y n", "touch n/f"],
    "swapped": ["mv y t", "mv z y", "mv t z", "touch y/n", "touch z/n"],
    "many in one row": ["touch a/1", "mkdir a/2", "mv a/1 a/3", "rm a/3", "rmdir a/2"],
    "links and pipes": ["ln -s a n", "mkfifo p", "ln g l", "rm l"],
}
MASKS = {
    "all": [], "create": ["-e", "create"], "create,delete,move": ["-e", "create,delete,move"], "move": ["-e", "move"],
    "moved_to": ["-e", "moved_to,attrib"],
    "move_self": ["-e", "move_self,attrib,create"],
    "attrib": ["-e", "attrib"], "all but": ["-e", "create,delete,move,delete_self,move_self,attrib"],
}
# Renamed a second time, the reference keeps the old name of some directory below. Without -z, it is not seen here.
STALE = "renamed to and fro"
for story, steps in STORIES.items():
    for mask, options in MASKS.items():
        add(f"tree: {story}, {mask}", ["-r", *options, "."], DEEP, steps)
        if story != STALE or mask in ("create", "attrib"):
            add(f"tree -z: {story}, {mask}", ["-r", "-z", *options, "."], DEEP, steps)
add("tree: moved in", ["-r", "-z", "z"], DEEP, ["mv a/b z/b", "touch z/b/n", "touch z/b/c/n"])
add("tree: a leaf moved out", ["-r", "-z", "a"], DEEP, ["mv a/x z/x", "touch z/x/n", "touch a/n"])
add("tree: a leaf moved out and in", ["-r", "-z", "-e", "create,move,attrib", "a"], DEEP,
    ["mv a/x z/x", "touch z/x/n", "mv z/x a/w", "touch a/w/m"])
add("tree: operand renamed", ["-r", "-z", "a"], DEEP, ["mv a A", "touch A/n", "touch A/b/n"])
add("tree: file among directories", ["-r", "-v", "g", "a"], DEEP, ["chmod 600 g", "touch a/b/n"])
add("tree: names with blanks", ["-r", "."], DEEP, ["mkdir 'x y'", "touch 'x y/ z'", "mkdir \"$(printf 'a\\377')\""])
add("tree: -v counts", ["-r", "-v", "a", "y"], DEEP, ["touch a/f"])
for operands in (["a", "a/b"], ["a/b", "a"], ["./a", "./a/b"], ["a", "a/b", "a/b/c"]):
    add(f"tree: -v counts {' '.join(operands)} once", ["-r", "-v", "-e", "attrib", *operands], DEEP, ["chmod 600 a/f"])

# Left out.
for path in ("a", "./a", "./a/", "./a/b", "./a/b/c", "./z", "./g", "", "nonexistent", "a/b", "./a//b"):
    add(f"@{path} -r .", ["-r", "-z", f"@{path}", "."], DEEP, STORIES["set up"])
add("@a -r a", ["-r", "-z", "@a", "a"], DEEP, ["touch a/n"])
add("@a/b -r a", ["-r", "-z", "a", "@a/b"], DEEP, ["touch a/n", "touch a/b/n"])
add("@a a", ["-z", "@a", "a", "z"], DEEP, ["touch a/n"])
add("@a alone", ["@a"], DEEP)
for pattern in ("b", "b$", "f$", "/b/", "^\\./a/", "a|z", "[", "(", "", "g,h", "B", "./a/b/g", "^./$"):
    for option in ("exclude", "excludei", "include", "includei"):
        add(f"--{option} {pattern!r}", ["-r", "-z", "-v", f"--{option}", pattern, "."], DEEP, STORIES["set up"])
for words in ("--exclude a --exclude b", "--include a --include b", "--exclude a --excludei b", "--include a --includei b",
              "--exclude a --include b", "--excludei a --includei b", "--exclude a --excludei b --include c",
              "--include a --includei b --exclude c", "--exclude [ -e bogus", "--exclude [ --include b", "--include [ -a open -e create",
              "--exclude a --include b -Z", "-a open -e create -Z", "-a open -e create --exclude a --include b", "-Z -a open -e create",
              "--fromfile nonexistent --exclude [", "--exclude [ nonexistent"):
    add(words, ["-r", *words.split(), "."], DEEP, STORIES["set up"])
add("an excluded directory is removed", ["-r", "-z", "-e", "modify", "--exclude", "b", "."], DEEP, STORIES["removed"])
add("an included directory is removed", ["-r", "-z", "-e", "modify", "--include", "c", "."], DEEP, STORIES["removed"])

# Operands from files.
LISTS = FLAT + r"""; printf 'a\n\n@a/b\nb/\n' > list; printf 'a\nb' > two; printf '@a' > none; : > empty
printf 'g\r\n' > cr; printf 'a\nnonexistent\n' > bad; printf ' a\n' > blank; printf '@\na\n' > at"""
for name in ("list", "two", "none", "empty", "cr", "bad", "blank", "at", "a", "nonexistent", ""):
    add(f"--fromfile {name!r}", ["-v", "--fromfile", name], LISTS, ["touch a/n", "touch b/n"])
    add(f"--fromfile {name!r} c", ["-v", "--fromfile", name, "c"], LISTS, ["touch a/n", "touch c/n"])
add("--fromfile twice", ["--fromfile", "two", "--fromfile", "two"], LISTS)
add("--fromfile -", ["-v", "--fromfile", "-"], LISTS, ["touch a/n"], stdin=b"a\nb")
add("--fromfile - empty", ["-v", "--fromfile", "-"], LISTS)
add("--fromfile -r", ["-r", "-z", "--fromfile", "list"], LISTS + "; mkdir a/b", ["touch a/n", "touch a/b/n"])
add("--fromfile -r, left out, made later", ["-r", "-z", "--fromfile", "list"], LISTS, ["mkdir a/b", "touch a/b/n"])

# The command line.
for words in ("--bogus a", "-Z a", "-e", "--event", "--recursive=1 a", "--in a", "--i a", "--ex a", "--e=x a", "--f=x a", "--exclude", "--ver a",
              "-q a", "-m a", "-s a", "-o x a", "--filename a", "--format x a", "-rvt1 a", "-t=5 a", "-tx -Z a", "-Z -tx a", "-e bogus -t x a",
              "-t x -e bogus a", "-I a", "--help=1", "-v -v -v a", "--no-dereference --zero --recursive --verbose a", "-zr -- a",
              "-vz -t 1 -t 0 a", "-t 0 a", "-vt -1 a", "-vt 010 a", "-t x a", "-t 1x a", "-t 0x1 a", "-t 0.5 a", "-t 99999999999999999999999 a",
              "-vt 99999999999 a", "-vt 4294967297 a", "--time=1 a", "--tim 1 -v a", "-a", "-d", "--ascending", "--recurs --zer a", "-rz",
              "-monitor a", "-P a", "-PP a", "-z -- -z"):
    add(f"line: {words}", words.split(), steps=["touch a/n"])
add("line: -t ''", ["-t", "", "a"])
add("line: -t ' 1'", ["-v", "-t", " 1", "a"], steps=["touch a/n"])
add("line: POSIXLY_CORRECT", ["a", "-v"], steps=["touch a/n"], environment=(("POSIXLY_CORRECT", "1"),))

# Signals.
for options in ([], ["-z"], ["-e", "create"], ["-a", "open"]):
    text = " ".join(options)
    add(f"USR1 before anything {text}", [*options, "a", "b"], steps=["^USR1"])
    add(f"USR1 in between {text}", [*options, "a", "b"], steps=["^USR1", "touch a/n", "^USR1", "^USR1", "cat b/f", "^USR1"])
for name in ("TERM", "HUP", "INT", "QUIT", "USR2", "ALRM", "PIPE"):
    add(f"ended by {name}", ["a"], steps=["touch a/n", f"^{name}"])


@pytest.fixture(scope="module")
def programs():
    if not watch_program.OURS.exists():
        pytest.skip(f"{watch_program.OURS}: build it first, or say in NOTIFY_BUILD where it is")
    try:
        found = subprocess.run([watch_program.REFERENCE, "--help"], capture_output=True, text=True).stdout.partition("\n")[0]
    except OSError as error:
        found = str(error)
    if found != watch_program.REFERENCE_RELEASE:
        pytest.skip(f"needs {watch_program.REFERENCE_RELEASE} (apt-get install inotify-tools); found: {found}")
    return watch_program.OURS, watch_program.REFERENCE


def test_names_are_unique():
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_same(case, programs, room):
    ours, reference = programs
    theirs = play(case, reference, room / "reference").shown(reference)
    said = play(case, ours, room / "ours").shown(ours)
    assert said == theirs, differences(theirs, said)
