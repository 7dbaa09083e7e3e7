# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipes of inotifysync: a relay of thirteen nodes, and the ways over from lsyncd and from the loop."""

import os
import re
import shutil
import signal
import subprocess

import pytest
from sync_support import BUILD, INOTIFYSYNC, ROOT, wait_identical, wait_until

RECIPES = ROOT / "scripts/recipes"
OVER = RECIPES / "over"
WITH_OURS = {**os.environ, "PATH": f"{BUILD}/tools/inotifysync:{BUILD}/tools/inotifywait:{os.environ['PATH']}"}


@pytest.fixture
def launch(folder):
    """launch(command...): starts a program in a session of its own, which is killed at the end."""
    started = []

    def begin(*command):
        with open(folder / f"launched-{len(started)}", "wb") as said:
            started.append(subprocess.Popen([str(c) for c in command], env=WITH_OURS, stdin=subprocess.DEVNULL,
                                            stdout=said, stderr=said, start_new_session=True))
        return started[-1]

    yield begin
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def furnish(tree):
    (tree / "docs/deep/er").mkdir(parents=True)
    for number in range(20):
        (tree / "docs" / f"page {number}").write_text(f"page {number}\n" * number)
    (tree / "docs/deep/er/data").write_bytes(bytes(range(256)) * 300)
    (tree / "link").symlink_to("docs/page 1")


def work_in(tree):
    (tree / "docs/page 3").write_text("written anew")
    (tree / "docs/page 4").unlink()
    (tree / "docs/deep").rename(tree / "docs/renamed")
    (tree / "new").mkdir(mode=0o750)
    (tree / "new/-odd *\n").write_text("odd")
    (tree / "link").unlink()


# The relay

def test_a_relay_of_three_tiers(folder, source, start_daemon, launch):
    fleet = folder / "fleet"
    nodes, rows = {}, []
    for feeder in ["origin", "a", "b", "c"]:
        for name in ["a", "b", "c"] if feeder == "origin" else [f"{feeder}{n}" for n in (1, 2, 3)]:
            nodes[name] = start_daemon(name)
            rows.append(f"{name} {feeder} {nodes[name].url}\n")
    fleet.write_text("# node  fed by  rsync module\n" + "".join(rows))
    password = nodes["a"].password_file
    furnish(source)
    launch(RECIPES / "relay", fleet, "origin", f"{source}/", password)
    for feeder in ("a", "b", "c"):
        launch(RECIPES / "relay", fleet, feeder, f"{nodes[feeder].root}/", password)
    roots = [node.root for node in nodes.values()]
    assert len(roots) == 12
    wait_identical(source, *roots, deadline=120)
    work_in(source)
    wait_identical(source, *roots, deadline=120)
    # One in the middle was away; those below it get what it missed when it is back.
    nodes["b"].stop()
    (source / "docs/page 5").write_text("while b was away")
    wait_identical(source, *(node.root for name, node in nodes.items() if not name.startswith("b")), deadline=120)
    nodes["b"].start()
    wait_identical(source, *roots, deadline=120)


def test_a_node_that_feeds_nobody_is_told_so(folder, source):
    fleet = folder / "fleet"
    fleet.write_text("# a origin rsync://nowhere/\nb a rsync://nowhere/b\n")
    done = subprocess.run([RECIPES / "relay", fleet, "origin", source, "/dev/null"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"relay: {fleet}: origin feeds nobody\n")


# The ways over

def localized(name, folder, source, daemons):
    """A configuration with its paths and hosts changed into those of this test."""
    text = (OVER / name).read_text()
    for path in ("/var/log/", "/run/"):
        text = text.replace(path, f"{folder}/")
    text = text.replace("/srv/www", str(source)).replace("/etc/rsync.password", str(daemons[0].password_file))
    # Three names of one host, for targets are called by it.
    urls = [daemon.url.replace("127.0.0.1", host) for daemon, host in zip(daemons, ("127.0.0.1", "127.0.1", "127.1"))]
    for number, url in enumerate(urls, 1):
        text = text.replace(f"sync@web{number}::www", url).replace(f"rsync://sync@web{number}/www/", url)
    # lsyncd's has a loop over the names of the nodes.
    names = ", ".join(f'"{url}"' for url in urls)
    text = re.sub(r'ipairs\(\{.*?\}\)', f"ipairs({{ {names} }})", text)
    text = text.replace('"rsync://sync@" .. node .. "/www/"', "node")
    assert "@web" not in text and "/srv" not in text
    config = folder / name
    config.write_text(text)
    return config


def test_what_lsyncd_does_inotifysync_does_too(folder, source, start_daemon, launch):
    if shutil.which("lsyncd") is None:
        pytest.skip("needs lsyncd (apt-get install lsyncd)")
    theirs, ours = ([start_daemon(f"{who}{n}") for n in (1, 2, 3)] for who in ("theirs", "ours"))
    furnish(source)
    (source / "cache").mkdir()
    (source / "cache/left out").touch()
    (source / "left out.tmp").touch()
    launch("lsyncd", "-nodaemon", localized("lsyncd.conf", folder, source, theirs))
    launch(INOTIFYSYNC, "--config", localized("from-lsyncd.toml", folder, source, ours))

    wait_all_like(source, theirs + ours)
    work_in(source)
    (source / "later.tmp").touch()
    (source / "last").touch()
    wait_all_like(source, theirs + ours)


def wait_all_like(source, nodes):
    for node in nodes:
        wait_until(lambda: not left_to_do(source, node.root), lambda: left_to_do(source, node.root), 120)


def left_to_do(source, target):
    """What both configurations ask for and the target lacks or has too much."""
    listed = subprocess.run(
        ["rsync", "-aHnic", "--delete", "--delete-excluded", "--omit-dir-times", "--exclude=*.tmp", "--exclude=/cache/",
         f"{source}/", f"{target}/"], capture_output=True, text=True)
    return listed.stdout + listed.stderr


def test_what_the_loop_does_inotifysync_does_too(folder, source, daemons, launch):
    furnish(source)
    launch(INOTIFYSYNC, "--config", localized("from-loop.toml", folder, source, daemons))
    wait_identical(source, *(d.root for d in daemons), deadline=120)
    work_in(source)
    wait_identical(source, *(d.root for d in daemons), deadline=120)


@pytest.mark.parametrize("name", ["from-lsyncd.toml", "from-loop.toml"])
def test_the_ways_over_are_good_configurations(name, folder, source, daemons):
    done = subprocess.run([INOTIFYSYNC, "--config", localized(name, folder, source, daemons), "--dry-run"],
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f":{daemon.port}/content/" in done.stdout for daemon in daemons)
