# SPDX-License-Identifier: GPL-2.0-or-later
"""What `meson install` leaves in an empty prefix, and that a stranger can build on it."""

import fnmatch
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from program import wait_until, watch_lines

ROOT = Path(__file__).resolve().parents[2]
ALIASED = ["inotifywait", "inotifywatch"]
PROGRAMS = ALIASED + ["inotifysync"]

pytestmark = pytest.mark.plain_build


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def build():
    return Path(os.environ.get("NOTIFY_BUILD", ROOT / "build")).absolute()


@pytest.fixture(scope="module")
def prefix(build, tmp_path_factory):
    """The prefix of the build, below an empty directory."""
    stage = tmp_path_factory.mktemp("stage")
    run("meson", "install", "-C", build, "--no-rebuild", "--destdir", stage)
    return stage / "usr/local"


@pytest.fixture(scope="module")
def library(prefix):
    found = list(prefix.glob("lib*/**/libnotify_core.so"))
    assert len(found) == 1
    return found[0]


def test_all_that_belongs_there_is_there(prefix, library):
    header_names = {p.name for p in (ROOT / "libnotify_core/include/notify_core").iterdir()}
    assert {p.name for p in (prefix / "include/notify_core").iterdir()} == header_names
    for program in PROGRAMS:
        assert os.access(prefix / "bin" / program, os.X_OK)
    for program in ALIASED:
        second = program.replace("inotify", "fsnotify")
        assert os.readlink(prefix / "bin" / second) == program
        assert os.readlink(prefix / f"share/man/man1/{second}.1") == f"{program}.1"
    for program in PROGRAMS:
        assert (prefix / f"share/man/man1/{program}.1").is_file()
    for page in (ROOT / "man").glob("*.[1-8]"):
        assert (prefix / "share/man" / f"man{page.suffix[1]}" / page.name).is_file()
    for recipe in (path for path in (ROOT / "scripts/recipes").rglob("*") if path.is_file()):
        installed = prefix / "share/doc/notify-tools/recipes" / recipe.relative_to(ROOT / "scripts/recipes")
        assert os.access(installed, os.X_OK) == os.access(recipe, os.X_OK) and installed.read_bytes() == recipe.read_bytes()
    assert os.readlink(library.parent / "libnotify_core.so.5") == "libnotify_core.so.5.0.0"
    assert (library.parent / "pkgconfig/notify_core.pc").is_file()
    assert os.readlink(library.parent / "libinotifytools.so.0") == "libinotifytools.so.0.4.1"
    assert (library.parent / "pkgconfig/libinotifytools.pc").is_file()


def test_the_service_starts_what_was_installed(prefix):
    unit = (prefix / "lib/systemd/system/inotifysync@.service").read_text()
    assert "ExecStart=/usr/local/bin/inotifysync --config /etc/inotifysync/%i.toml " in unit
    assert "/usr/bin/inotifysync" not in unit
    example = prefix / "share/doc/notify-tools/three-nodes.toml"
    assert example.read_text() == (ROOT / "scripts/systemd/three-nodes.toml").read_text()


def test_nothing_else_is_there(prefix):
    """No tests, no static copies of the objects, no folder that was not expected."""
    assert {p.name for p in prefix.iterdir()} <= {"bin", "include", "lib", "lib64", "share", "libexec"}
    assert not list(prefix.glob("lib*/**/*.a"))
    assert {p.name for p in (prefix / "include").iterdir()} == {"notify_core", "inotifytools"}


def test_every_file_has_its_package(prefix):
    """scripts/package puts what is installed into Debian packages, by these patterns."""
    patterns = {line for path in (ROOT / "scripts/debian").glob("*.install") for line in path.read_text().splitlines()}
    for path in sorted(p for p in prefix.rglob("*") if not p.is_dir() or p.is_symlink()):
        name = str("usr" / path.relative_to(prefix)).replace("zsh/site-functions", "zsh/vendor-completions")
        name = name.replace("usr/lib/systemd", "lib/systemd")
        name = re.sub(r"^usr/lib(64)?/(?!\w+-linux-)", "usr/lib/multiarch/", name)
        above = [name, *map(str, Path(name).parents)]
        homes = [p for p in patterns if any(fnmatch.fnmatch(n, p) and n.count("/") == p.count("/") for n in above)]
        assert len(homes) == 1, f"{name}: {homes}"


def test_the_library_has_its_soname_and_shows_only_public_names(library):
    assert "Library soname: [libnotify_core.so.5]" in run("readelf", "-d", library)
    shown = [line.split(" ", 2)[2] for line in run("nm", "-DC", "--defined-only", library).splitlines()]
    inner = ("sys::", "event::", "backend::", "watch::", "text::", "Impl::")
    assert any("notify_core::Watcher::create" in name for name in shown)
    for name in shown:
        public = name.startswith(("notify_", "typeinfo for notify_core::", "typeinfo name for notify_core::",
                                  "vtable for notify_core::", "NOTIFY_CORE_5"))
        assert public and not any(room in name.split("(")[0] for room in inner), name


def test_shells_find_the_completions_there(prefix):
    environment = {"PATH": f"{prefix}/bin:/usr/bin:/bin", "HOME": str(prefix), "XDG_DATA_DIRS": f"{prefix}/share"}
    in_bash = f". {prefix}/share/bash-completion/completions/inotifysync; complete -p inotifysync fsnotifywait"
    assert "complete -F" in run("bash", "-c", in_bash, env=environment)
    if shutil.which("fish"):
        for typed in ("inotifysync --set", "fsnotifywatch --rec"):
            assert run("fish", "-c", f"complete -C '{typed}'", env=environment).startswith(typed.split(" ")[1])
    if shutil.which("zsh"):
        in_zsh = f"fpath=({prefix}/share/zsh/site-functions $fpath); autoload -U compinit; compinit -u -D;"
        assert run("zsh", "-fc", in_zsh + "print $_comps[inotifysync]", env=environment) == "_notify_tools\n"


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_run_from_there(prefix, program):
    """They find the library beside themselves, wherever the prefix was put."""
    linked = run("ldd", prefix / "bin" / program)
    assert "not found" not in linked
    assert str(prefix.parent.parent) in linked
    done = subprocess.run([prefix / "bin" / program, "--help"], capture_output=True, text=True, timeout=20)
    assert program in done.stdout and done.stderr == ""


def printed_examples():
    """The programs of the library's manual page, as a reader sees them: the first in C++, the second in C."""
    page = (ROOT / "man/libnotify_core.3").read_text()
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", page, re.MULTILINE | re.DOTALL)
    return [block.replace("\\e", "\\") for block in blocks]


def watch_and_compare(program, library, tmp_path):
    """Runs it until it has printed that a file was made below the tree it watches."""
    (tmp_path / "tree/below").mkdir(parents=True)
    environment = dict(os.environ, LD_LIBRARY_PATH=str(library.parent))
    with subprocess.Popen([program, "tree"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as running:
        try:
            wait_until(lambda: running.poll() is not None or len(watch_lines(running.pid)) == 2, "two watches")
            assert running.poll() is None
            (tmp_path / "tree/below/new").touch()
            assert running.stdout.readline() == "tree/below/ CREATE new\n"
        finally:
            running.kill()


@pytest.mark.parametrize("number, compiler, standard, suffix", [(0, "c++", "c++20", "cpp"), (1, "cc", "c11", "c")])
def test_the_examples_of_the_page_build_and_run(prefix, library, tmp_path, number, compiler, standard, suffix):
    flags = run("pkg-config", f"--define-variable=prefix={prefix}", "--cflags", "--libs", "notify_core",
                env=dict(os.environ, PKG_CONFIG_PATH=str(library.parent / "pkgconfig"))).split()
    source = tmp_path / f"example.{suffix}"
    source.write_text(printed_examples()[number])
    run(compiler, f"-std={standard}", "-Wall", "-Wextra", "-Werror", source, "-o", tmp_path / "example", *flags)
    watch_and_compare(tmp_path / "example", library, tmp_path)


def test_a_program_for_inotify_tools_library_builds_and_runs(prefix, library, tmp_path):
    """As it would with the package of that library: by its name alone."""
    where = [f"-I{prefix}/include", f"-L{library.parent}", f"-Wl,-rpath,{library.parent}"]
    run("cc", "-Wall", "-Werror", ROOT / "tests/cli/inotifytools/words.c", *where, "-linotifytools", "-o", tmp_path / "words")
    assert "str_to_event(create) = 256" in run(tmp_path / "words")


def test_every_public_header_stands_alone(prefix, tmp_path):
    """Each can be included first; the C header in C too."""
    for header in sorted((prefix / "include/notify_core").iterdir()):
        source = tmp_path / "source.cpp"
        source.write_text(f"#include <notify_core/{header.name}>\nint main() {{}}\n")
        run("c++", "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{prefix}/include", source)
        if header.suffix == ".h":
            run("cc", "-x", "c", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{prefix}/include", source)
