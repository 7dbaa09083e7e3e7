# SPDX-License-Identifier: GPL-2.0-or-later
"""libinotifytools, ours beside Debian's: the same programs, compiled against each, print the same."""

import os
import subprocess
from pathlib import Path

import pytest

from program import is_waiting, wait_until, watch_lines

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("NOTIFY_BUILD", ROOT / "build")).absolute()
SOURCES = sorted((ROOT / "tests/cli/inotifytools").glob("*.c"))
REFERENCE = Path("/usr/include/inotifytools/inotifytools.h")
HEADERS = ROOT / "libnotify_core/libinotifytools/include"
LIBRARY = BUILD / "libnotify_core/libinotifytools"
LANGUAGES = {"c": ["cc", "-std=c11"], "c++": ["c++", "-std=c++20", "-x", "c++"]}

pytestmark = pytest.mark.plain_build


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True, timeout=120, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def compile_against(header_directory, library_directory, language, source, program, *flags):
    where = [] if library_directory is None else [
        f"-I{header_directory}", f"-L{library_directory}", f"-Wl,-rpath,{library_directory}"]
    run(*LANGUAGES[language], "-D_GNU_SOURCE", *flags, source, "-x", "none", "-o", program, *where, "-linotifytools")
    return program


def printed_by(program, room, name):
    (room / name).mkdir()
    return run(program, cwd=room / name)


@pytest.mark.skipif(not REFERENCE.exists(), reason="needs Debian's library (apt-get install libinotifytools0-dev)")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_programs_print_the_same(source, language, room):
    theirs = compile_against(None, None, "c", source, room / "theirs", "-w")
    strict = ["-Wall", "-Wextra", "-Werror"] if language == "c" else ["-Wall", "-Wextra", "-Werror", "-Wno-write-strings"]
    ours = compile_against(HEADERS, LIBRARY, language, source, room / "ours", *strict)
    assert b"libnotify_core.so" not in run("ldd", ours)  # it stands alone
    assert printed_by(ours, room, "a") == printed_by(theirs, room, "b")


@pytest.mark.skipif(not REFERENCE.exists(), reason="needs Debian's library (apt-get install libinotifytools0-dev)")
def test_a_program_compiled_for_theirs_runs_with_ours(room):
    """The number after "so." is the same, and so is what is behind it."""
    program = compile_against(None, None, "c", ROOT / "tests/cli/inotifytools/watches.c", room / "program", "-w")
    theirs = printed_by(program, room, "theirs")
    (room / "ours").mkdir()
    environment = dict(os.environ, LD_LIBRARY_PATH=str(LIBRARY))
    assert run(program, cwd=room / "ours", env=environment) == theirs
    assert str(LIBRARY) in run("ldd", program, env=environment).decode()


@pytest.mark.parametrize("options", [
    [], ["-r"], ["-r", "-e", "create", "--format", "%w|%f|%:e|%c|%n"], ["-r", "--csv"], ["-r", "--exclude", "/left", "-e", "move"],
    ["-m", "-r", "-e", "create,delete"]], ids=" ".join)
def test_debians_inotifywait_runs_with_ours(options, reference, room):
    """The whole program, on our library instead of its own, says what it said."""
    said = {}
    for name, environment in (("theirs", {}), ("ours", {"LD_LIBRARY_PATH": str(LIBRARY)})):
        (room / name / "d/below").mkdir(parents=True)
        command = [reference, "-q", *options, "d"]
        with subprocess.Popen(command, cwd=room / name, env=os.environ | environment, stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL) as running:
            wait_until(lambda: len(watch_lines(running.pid)) >= (2 if "-r" in options else 1), "its watches")
            wait_until(lambda: is_waiting(running.pid), "its waiting")
            (room / name / "d/left").touch()
            (room / name / "d/made").touch()
            (room / name / "d/made").rename(room / name / "d/moved")
            (room / name / "d/moved").unlink()
            if "-m" in options:
                wait_until(lambda: is_waiting(running.pid), "all to be read")
                running.terminate()
            said[name] = running.communicate(timeout=60)[0]
    assert said["ours"] == said["theirs"] != b""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("header", sorted(HEADERS.rglob("*.h")), ids=lambda path: path.name)
def test_every_header_stands_alone(header, language, tmp_path):
    source = tmp_path / "source.c"
    source.write_text(f"#include <inotifytools/{header.name}>\n")
    run(*LANGUAGES[language], "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{HEADERS}", source)


FILESYSTEM = r"""
#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char** arguments) {
  (void)count;
  const int whole = strcmp(arguments[1], "filesystem") == 0;
  if (!inotifytools_init(1, whole, 0)) return inotifytools_error() == EPERM ? 77 : 1;
  if (!inotifytools_watch_file(arguments[2], IN_CREATE)) return 77;
  if (fork() == 0) _exit(mkdir(arguments[3], 0755) != 0);
  wait(NULL);
  char line[4096], wanted[4096];
  snprintf(wanted, sizeof wanted, "%s CREATE,ISDIR\n", arguments[3]);
  do {
    struct inotify_event* event = inotifytools_next_event(30);
    if (event == NULL) return 2;
    struct nstring text;
    inotifytools_sprintf(&text, event, "%w%f %e\n");
    snprintf(line, sizeof line, "%.*s", (int)text.len, text.buf);
  } while (strcmp(line, wanted) != 0);
  return 0;
}
"""


@pytest.mark.parametrize("scope, made", [("directory", "d/made"), ("filesystem", "d/below/made")])
def test_by_fanotify(scope, made, room):
    (room / "fanotify.c").write_text(FILESYSTEM)
    program = compile_against(HEADERS, LIBRARY, "c", room / "fanotify.c", room / "fanotify")
    (room / "d/below").mkdir(parents=True)
    done = subprocess.run([program, scope, room / "d", room / made], timeout=60)
    if done.returncode == 77:
        pytest.skip("no right to watch by fanotify here, or a filesystem that it does not know")
    assert done.returncode == 0
