# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipes that stand on inotifywait, each run as it stands; those of inotifysync are in tests/sync."""

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from program import furnish, is_waiting, wait_until

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "scripts/recipes"
ODD_NAMES = [b"plain", b"a b", b"-n", b"'\"", b"\\n\\", b"a\nb", b"$(x)", b"*", "é".encode(), b"\xff\xfe", b"%s", b"\t "]


class Recipe:
    """A recipe at work, in a session of its own, so that all of it ends with the test."""

    def __init__(self, room, binary, name, *arguments):
        furnish(room / "bin", binary)
        self.said_file = room / f"said-{time.monotonic_ns()}"
        with self.said_file.open("wb") as said:
            self.process = subprocess.Popen(
                [RECIPES / name, *arguments], cwd=room, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                start_new_session=True, env=dict(os.environ, PATH=f"{room / 'bin'}:{os.environ['PATH']}"))

    def said(self):
        return self.said_file.read_text(errors="replace")

    def wait_said(self, text, times=1):
        wait_until(lambda: self.said().count(text) >= times, lambda: f"{text!r}, {times} times, in:\n{self.said()}")

    def members(self):
        """The processes of its session."""
        found = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and os.getsid(int(entry)) == self.process.pid:
                    found.append(int(entry))
            except OSError:
                pass
        return found

    def wait_watching(self):
        wait_until(lambda: any(is_waiting(pid, finite=True) for pid in self.members()),
                   lambda: f"it watches; it said:\n{self.said()}")

    def kill_shell(self):
        """Only the script itself: what it started is left behind, as after a crash."""
        self.process.kill()
        self.process.wait()

    def close(self):
        for pid in self.members():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


@pytest.fixture
def start(room, inotifywait):
    """start(name, arguments...): a recipe in the room, ended with the test."""
    started = []

    def begin(name, *arguments):
        started.append(Recipe(room, inotifywait, name, *arguments))
        return started[-1]

    yield begin
    for recipe in started:
        recipe.close()


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


# A command that says in the file "ran" that it has begun, and goes on when it is let go: its n-th run by let_go(n).
STOPS = 'echo $(ls src | wc -l) >>ran; go=go$(wc -l <ran); mkfifo $go; read -r word <$go; '


def let_go(room, run, word=""):
    """Waits until that run waits, and lets it go on. Each has a pipe of its own, so that none gets another's word."""
    def opened():
        try:
            return os.open(room / f"go{run}", os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # it is not there, or nobody reads it yet
            return None

    pipe = wait_until(opened, lambda: f"run {run} waits; there were {lines(room / 'ran')}")
    os.write(pipe, f"{word}\n".encode())
    os.close(pipe)


@pytest.mark.parametrize("recipe", sorted(path.name for path in RECIPES.iterdir() if path.is_file()))
def test_each_says_how_it_is_used(recipe):
    done = subprocess.run([RECIPES / recipe], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith(f"usage: {recipe} ") and done.stderr.count("\n") == 1


NOWHERE = [("test-on-change", "nowhere", "true"), ("events-to-log", "log", "nowhere"), ("work-queue", "q", "me", "true"),
           ("reload-on-save", "true", "true", "nowhere/file"), ("events-to-redis", "stream", "nowhere")]


@pytest.mark.parametrize("command", NOWHERE, ids=lambda command: command[0])
def test_what_keeps_it_from_watching_is_said(command, start, room):
    if command[0] == "work-queue":  # makes what it watches, so something else is in the way
        (room / "bin").mkdir()
        (room / "bin/inotifywait").symlink_to("refusing")
        (room / "bin/refusing").write_text("#!/bin/sh\necho Couldn\\'t watch nowhere >&2; exit 1\n")
        (room / "bin/refusing").chmod(0o755)
    recipe = start(*command)
    assert recipe.process.wait(60) == 1
    assert "Couldn't watch nowhere" in recipe.said() and "passed" not in recipe.said()


def test_each_is_in_the_manual_and_the_readme():
    pages = "".join(page.read_text() for page in (ROOT / "man").iterdir())
    readme = (ROOT / "README.md").read_text()
    for recipe in (path.name for path in RECIPES.iterdir()):
        assert recipe in pages and recipe in readme, recipe


# test-on-change

def test_tests_run_at_the_start_and_after_each_change(start, room):
    (room / "src/.git").mkdir(parents=True)
    (room / "src/main.c").write_text("good")
    recipe = start("test-on-change", "src", "grep", "-q", "good", "src/main.c")
    recipe.wait_said("passed", times=1)
    (room / "src/.git/index").write_text("no source")
    (room / "src/main.c").write_text("bad")
    recipe.wait_said("FAILED (last: changed: src/main.c)", times=1)
    (room / "src/main.c.new").write_text("good")
    (room / "src/main.c.new").rename(room / "src/main.c")
    recipe.wait_said("passed", times=2)
    assert ".git" not in recipe.said()


def test_what_changes_while_the_tests_run_is_tested_in_one_run_more(start, room):
    (room / "src").mkdir()
    recipe = start("test-on-change", "src", "sh", "-c", STOPS)
    wait_until(lambda: lines(room / "ran") == ["0"], "the first run")
    settled = start("events-to-log", "log", "src", "--settle", "0.5")  # its event says that the others' time is over too
    settled.wait_watching()
    for number in range(40):
        (room / f"src/{number}").touch()
    wait_until(lambda: len(lines(room / "log")) >= 40, "things have settled")
    let_go(room, 1)
    let_go(room, 2)
    recipe.wait_said("passed", times=2)
    # Where the machine is slow, some may have been found quiet a moment later.
    assert lines(room / "ran")[:2] == ["0", "40"] and len(lines(room / "ran")) <= 4


# work-queue

def put(room, name, text):
    (room / "incoming").mkdir(exist_ok=True)
    (room / "incoming" / name).write_text(text)
    (room / "queue/new").mkdir(parents=True, exist_ok=True)
    (room / "incoming" / name).rename(room / "queue/new" / name)


def comm(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


def results(room):
    return {path.parent.name: path.read_text() for path in (room / "queue/done").glob("*/result")}


def test_jobs_are_done_once_by_one_of_three_workers(start, room):
    wanted = {f"job {number}": str(number) for number in range(60)}
    for number in range(20):
        put(room, f"job {number}", str(number))  # before anybody is there to serve
    for worker in ("one", "two", "three"):
        start("work-queue", "queue", worker, "sh", "-c", "read -r job; printf %s $job; echo $job >>ran")
    for number in range(20, 60):
        put(room, f"job {number}", str(number))
    wait_until(lambda: results(room) == wanted, lambda: f"all jobs done: {len(results(room))}")
    assert sorted(map(int, lines(room / "ran"))) == list(range(60))
    wait_until(lambda: not list((room / "queue/work").glob("*/*")), "nothing is half done")
    assert not list((room / "queue/new").iterdir()) and not list((room / "queue/failed").iterdir())


def test_a_killed_worker_finishes_its_job_when_it_is_started_again(start, room):
    (room / "src").mkdir()
    command = ("sh", "-c", f'cat; {STOPS} echo " $word"')
    put(room, "-n *", "hello")
    worker = start("work-queue", "queue", "one", *command)
    wait_until(lambda: lines(room / "ran"), "the job has begun")
    worker.close()
    put(room, "later", "and")
    start("work-queue", "queue", "one", *command)
    let_go(room, 2, "again")
    let_go(room, 3, "more")
    wait_until(lambda: results(room) == {"-n *": "hello again\n", "later": "and more\n"}, lambda: str(results(room)))
    assert not list((room / "queue/work/one").iterdir())


def test_what_outlives_a_killed_worker_is_waited_for(start, room):
    (room / "src").mkdir()
    command = ("sh", "-c", f"{STOPS} echo $word")
    put(room, "job", "")
    worker = start("work-queue", "queue", "one", *command)
    wait_until(lambda: lines(room / "ran"), "the job has begun")
    worker.kill_shell()
    second = start("work-queue", "queue", "one", *command)
    wait_until(lambda: "flock\n" in map(comm, second.members()), "it waits")
    assert len(lines(room / "ran")) == 1
    let_go(room, 1, "lost")
    let_go(room, 2, "kept")
    wait_until(lambda: results(room) == {"job": "kept\n"}, lambda: str(results(room)))


def test_a_job_that_fails_is_kept_apart(start, room):
    worker = start("work-queue", "queue", "one", "sh", "-c", "cat; exit 1")
    put(room, "job", "text")
    wait_until(lambda: (room / "queue/failed/job/job").exists(), "it failed")
    assert (room / "queue/failed/job/result").read_text() == "text"
    put(room, "job", "again")
    worker.wait_said("queue/new/job: there was a job of this name before")
    assert (room / "queue/new/job").read_text() == "again"


# reload-on-save

def save(path, text):
    """As editors do: beside it, and renamed over it."""
    other = path.with_suffix(".tmp")
    other.write_text(text)
    other.rename(path)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answer(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as reply:
            return reply.read().decode()
    except OSError:
        return None


def nginx_conf(room, port, words):
    temporary = "".join(f"  {name}_temp_path {room}/temp;\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return (f"pid {room}/pid;\nerror_log {room}/error.log;\nevents {{ }}\nhttp {{\n{temporary}  access_log off;\n"
            f"  server {{ listen 127.0.0.1:{port}; location / {{ return 200 {words}; }} }}\n}}\n")


def test_nginx_is_reloaded_after_good_saves_only(start, room):
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        pytest.skip("needs nginx (apt-get install nginx-light)")
    port, conf = free_port(), room / "nginx.conf"
    command = f"{nginx} -p {room} -e {room}/error.log -c {conf}"
    conf.write_text(nginx_conf(room, port, "one"))
    server = subprocess.Popen([*command.split(), "-g", "daemon off;"])
    try:
        wait_until(lambda: answer(port) == "one", "nginx answers")
        recipe = start("reload-on-save", f"{command} -tq", f"{command} -s reload", conf)
        recipe.wait_watching()
        save(conf, nginx_conf(room, port, "two"))
        wait_until(lambda: answer(port) == "two", lambda: f"it is reloaded; {recipe.said()}")
        save(conf, nginx_conf(room, port, "three }"))
        recipe.wait_said("not reloaded")
        assert answer(port) == "two"
        conf.write_text(nginx_conf(room, port, "four"))
        wait_until(lambda: answer(port) == "four", lambda: f"it is reloaded; {recipe.said()}")
    finally:
        server.terminate()
        server.wait()


def test_files_saved_together_are_one_reload(start, room):
    (room / "a.conf").write_text("a")  # b.conf is not there yet
    recipe = start("reload-on-save", "! grep -q bad a.conf", "echo reload >>reloads", "a.conf", "b.conf")
    recipe.wait_watching()
    for _ in range(10):
        save(room / "b.conf", "b")
        save(room / "a.conf", "a")
    recipe.wait_said("reloaded after")
    (room / "a.conf").write_text("bad")
    recipe.wait_said("not reloaded: a.conf was saved, and does not pass the check")
    # One of both files, as a rule; a slow machine may need more than half a second between two saves.
    assert len(lines(room / "reloads")) < 10


# events-to-log

def test_no_event_is_lost_when_the_log_is_renamed(start, room):
    (room / "data").mkdir()
    recipe = start("events-to-log", "log", "data")
    recipe.wait_watching()
    rotated = 0
    for number in range(300):
        os.close(os.open(room / "data" / str(number), os.O_CREAT | os.O_RDONLY, 0o600))
        if number % 50 == 25:
            wait_until(lambda: (room / "log").exists(), "there is a log")
            rotated += 1
            (room / "log").rename(room / f"log.{rotated}")
    parts = [room / f"log.{number}" for number in range(1, rotated + 1)] + [room / "log"]

    def told():
        return [json.loads(line)["name"] for part in parts for line in lines(part) if line.endswith("}")]

    wait_until(lambda: len(told()) >= 300, lambda: f"{len(told())} of 300 names")
    assert told() == [str(number) for number in range(300)]


# events-to-redis

@pytest.fixture
def redis(room):
    """redis(): starts a server, on a socket in the room, which keeps everything on disk."""
    if not shutil.which("redis-server") or not shutil.which("redis-cli"):
        pytest.skip("needs redis (apt-get install redis-server)")
    servers = []

    def begin():
        servers.append(subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", room / "redis.sock", "--dir", room, "--save", "",
             "--appendonly", "yes", "--appendfsync", "always"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
        wait_until(lambda: ask(room, "PING") == b"PONG\n", "redis answers")
        return servers[-1]

    yield begin
    for server in servers:
        server.kill()
        server.wait()


def ask(room, *words):
    return subprocess.run(["redis-cli", "-s", room / "redis.sock", *words], capture_output=True).stdout


def names_in_stream(room):
    objects = re.findall(rb'^\{"watched".*\}$', ask(room, "XRANGE", "changes", "-", "+"), re.M)
    events = [json.loads(line) for line in objects]
    assert all("redis" not in event["watched"] for event in events)
    return [base64.b64decode(event["name_base64"]) if "name_base64" in event else event["name"].encode() for event in events]


def test_events_are_in_the_stream_whatever_their_names(start, room, redis):
    server = redis()
    (room / "data").mkdir()
    recipe = start("events-to-redis", "changes", "data", "-s", room / "redis.sock")
    recipe.wait_watching()
    for name in ODD_NAMES:
        os.mkdir(os.fsencode(room / "data") + b"/" + name)
    wait_until(lambda: names_in_stream(room) == ODD_NAMES, lambda: f"{names_in_stream(room)}; {recipe.said()}")
    server.kill()
    server.wait()
    (room / "data/while away").mkdir()
    recipe.wait_said("not added yet")
    (room / "data/still away").mkdir()
    redis()
    wanted = ODD_NAMES + [b"while away", b"still away"]
    wait_until(lambda: names_in_stream(room) == wanted, lambda: f"{names_in_stream(room)}; {recipe.said()}")
