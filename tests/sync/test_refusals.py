# SPDX-License-Identifier: GPL-2.0-or-later
"""What would lose data, or do nothing and look like a success, is refused before anything is done: in one line that
says where, what and why."""

import os

import pytest
from sync_support import said_by, write


@pytest.fixture
def configured(folder, source):
    """configured(LINES) runs with a configuration of one source that goes to `copy`, and LINES for it."""
    def run(lines, *arguments):
        config = folder / "sync.toml"
        config.write_text(f'[[source]]\npath = "{source}"\ntargets = ["{folder}/copy"]\n{lines}\n')
        return said_by("--config", config, "--once", *arguments)

    return run


# Filters

@pytest.mark.parametrize("rule", ["P /uploads/", "!", ": .rules", "merge rules", "+*.csv", "-x"])
def test_a_rule_that_is_none_here_deletes_nothing(folder, configured, rule):
    write(folder / "copy/uploads/file")
    status, said = configured(f'delete = true\nfilter = ["{rule}"]')
    assert (status, said) == (78, f"inotifysync: {folder}/sync.toml:5: key 'filter' '{rule}': a rule must begin with "
                                  '"+ " or "- "\n')
    assert (folder / "copy/uploads/file").exists()


def test_a_rule_in_the_place_of_a_pattern(folder, source, configured):
    status, said = said_by("--delete", "--exclude", "P /uploads/", source, "copy", folder=folder)
    assert status == 64 and said.startswith("inotifysync: --exclude: 'P /uploads/' looks like a filter rule")
    rules = folder / "rules"
    rules.write_text("*.tmp\nP /uploads/\n")
    status, said = said_by("--delete", "--exclude-from", rules, source, "copy", folder=folder)
    assert status == 64 and said.startswith(f"inotifysync: --exclude-from: {rules}: line 2: 'P /uploads/' looks")
    status, said = configured(f'exclude_from = ["{rules}"]')
    assert status == 78 and said.startswith(f"inotifysync: {folder}/sync.toml: exclude_from: {rules}: line 2: ")


def test_a_name_that_begins_like_a_rule(folder, source):
    write(source / "P name")
    write(source / "other")
    write(source / ": name")
    options = ["--include", "[:] name", "--exclude", "[P] name", "--exclude", "?*name"]
    assert said_by("--once", *options, source, "copy", folder=folder) == (0, "")
    assert sorted(os.listdir(folder / "copy")) == [": name", "other"]


# What does nothing

@pytest.mark.parametrize("options", [["-n"], ["-avn"], ["--list-only"], ["--only-write-batch=x"], ["-z", "--version"]])
def test_options_by_which_rsync_does_nothing(folder, source, configured, options):
    status, said = said_by("--once", source, "copy", "--", *options, folder=folder)
    assert status == 64 and said.count("\n") == 1 and f"'{options[-1]}': with -" in said
    status, said = configured(f"rsync_options = {options}")
    assert status == 78 and said.startswith(f"inotifysync: {folder}/sync.toml:4: key 'rsync_options' '{options[-1]}'")


def test_once_without_a_comparison(folder, source, configured):
    status, said = said_by("--once", "--no-initial-sync", source, "copy", folder=folder)
    assert status == 64 and "--no-initial-sync" in said and said.count("\n") == 1
    assert configured("initial_sync = false")[0] == 64


def test_options_of_rsync_are_said_in_the_file(configured):
    status, said = configured("", "--", "-z")
    assert status == 64 and "rsync_options" in said
