# SPDX-License-Identifier: GPL-2.0-or-later
"""No target is in its source, around it, or another one's place, by whatever name or way it is reached."""

import subprocess

import pytest
from sync_support import said_by, wait_until

NAMESPACES = subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode == 0


@pytest.mark.parametrize("targets, words", [
    (["t1", "./t1/"], "'./t1/' is the same place as 't1'"),
    (["h::m", "rsync://bob@H:873/m/"], "'rsync://bob@H:873/m/' is the same place as 'h::m'"),
    (["t1", "link to t1"], "'link to t1' is the same place as 't1'"),
    (["link in"], "'link in' lies inside its source 'source'"),
    (["link in/new/deep"], "'link in/new/deep' lies inside its source 'source'"),
    (["link to source"], "'link to source' lies inside its source 'source'"),
    (["link in/../.."], "'link in/../..' holds its own source 'source'"),
])
def test_targets_that_are_not_what_they_seem(folder, source, targets, words):
    (folder / "t1").mkdir()
    (source / "below").mkdir()
    (folder / "link to t1").symlink_to("t1")
    (folder / "link in").symlink_to("source/below")
    (folder / "link to source").symlink_to("source")
    status, said = said_by("--once", "source", *targets, folder=folder)
    assert status == 64 and words in said and said.count("\n") == 1, said


@pytest.mark.skipif(not NAMESPACES, reason="user namespaces are not allowed here")
@pytest.mark.parametrize("mounted", ["source", "source/below"])
def test_a_target_that_is_mounted_from_the_source(folder, source, mounted):
    (source / "below").mkdir()
    (folder / "copy").mkdir()
    script = f'mount --bind "{mounted}" copy && exec "$0" "$@"'
    status, said = said_by("--once", "--delete", "source", "copy/new", folder=folder,
                           through=["unshare", "-Urm", "sh", "-c", script])
    assert (status, said) == (64, "inotifysync: 'copy/new' lies inside its source 'source'\n")


def test_sources_that_share_a_target(folder, source):
    (folder / "other").mkdir()
    config = folder / "sync.toml"

    def said_of(first, second):
        config.write_text(f'[[source]]\npath = "{source}"\ntargets = ["{first}"]\n'
                          f'[[source]]\npath = "{folder}/other"\ntargets = ["{second}"]\n')
        return said_by("--config", config, "--once")

    status, said = said_of(folder / "copy", f"{folder}/copy/")
    assert status == 78 and said == (f"inotifysync: {config}:6: key 'targets' '{folder}/copy/' is the same place as "
                                     f"'{folder}/copy', a target of {source}\n")
    status, said = said_of(folder / "other", source)
    assert status == 78 and said == (f"inotifysync: {config}: '{source}' and '{folder}/other' are targets of each "
                                     "other\n")


@pytest.mark.parametrize("outer_is_first", [True, False])
def test_a_target_inside_one_that_deletes(folder, source, outer_is_first):
    (folder / "other").mkdir()
    (folder / "t").mkdir()
    places = [folder / "t", folder / "t/sub"] if outer_is_first else [folder / "t/sub", folder / "t"]
    deletes = [f"delete = {str(place == folder / 't').lower()}" for place in places]
    config = folder / "sync.toml"
    config.write_text(f'[[source]]\npath = "{source}"\n{deletes[0]}\ntargets = ["{places[0]}"]\n'
                      f'[[source]]\npath = "{folder}/other"\n{deletes[1]}\ntargets = ["{places[1]}"]\n')
    status, said = said_by("--config", config, "--once")
    assert status == 78 and said == (f"inotifysync: {config}: '{folder}/t/sub' lies inside the target '{folder}/t', "
                                     "where its files would be deleted\n")
    config.write_text(config.read_text().replace("delete = true", "delete = false"))
    status, said = said_by("--config", config, "--once")
    assert status == 0, said


@pytest.mark.parametrize("options, words", [
    (["--log-file", "source/log"], "the log file 'source/log' lies inside the source 'source'"),
    (["--pid-file", "way in/pid"], "the pid file 'way in/pid' lies inside the source 'source'"),
    (["--status-file", "source/own", "--exclude", "own"], "put it elsewhere, or exclude 'own*'"),
])
def test_own_files_that_would_bring_each_next_run(folder, source, options, words):
    (folder / "way in").symlink_to("source")
    status, said = said_by(*options, "source", "copy", folder=folder)
    assert status == 64 and words in said and said.count("\n") == 1, said
    if "--pid-file" not in options:
        status, said = said_by(*options, "--once", "source", "copy", folder=folder)
        assert status == 0, said


def test_own_files_that_are_one(folder, source):
    for once in [], ["--once"]:
        status, said = said_by(*once, "--status-file", "own", "--pid-file", "./own", "source", "copy", folder=folder)
        assert (status, said) == (
            64, "inotifysync: 'own' is the pid file already and cannot be the status file, too\n")


def test_own_files_of_a_configuration(folder, source):
    config = folder / "sync.toml"
    config.write_text(f'log_file = "{source}/log"\n[[source]]\npath = "{source}"\ntargets = ["{folder}/copy"]\n')
    status, said = said_by("--config", config)
    assert status == 78 and f"the log file '{source}/log' lies inside the source '{source}'" in said


def test_own_files_that_are_excluded(folder, source, run):
    program = run("--exclude", "own*", "--status-file", source / "own status", "--log-file", source / "own log",
                  source, folder / "copy")
    wait_until(lambda: (folder / "copy").is_dir(), "the copy")
    assert program.running() and (source / "own log").exists()
