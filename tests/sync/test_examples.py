# SPDX-License-Identifier: GPL-2.0-or-later
"""The example configuration and the service file do what they say."""

import shutil
import subprocess

import pytest
from sync_support import INOTIFYSYNC, ROOT

SYSTEMD = ROOT / "scripts" / "systemd"


def localized(tmp_path):
    """The three nodes' configuration, with its paths moved below tmp_path."""
    text = (SYSTEMD / "three-nodes.toml").read_text()
    (tmp_path / "srv" / "www").mkdir(parents=True)
    for node in ("web1", "web2", "web3"):
        secret = tmp_path / f"{node}.secret"
        secret.write_text("let me in\n")
        secret.chmod(0o600)
    text = text.replace("/etc/inotifysync/", f"{tmp_path}/").replace('"/srv/www"', f'"{tmp_path}/srv/www"')
    config = tmp_path / "www.toml"
    config.write_text(text)
    return config


def run(*arguments):
    return subprocess.run([INOTIFYSYNC, *arguments], capture_output=True, text=True, timeout=30, check=False)


def test_the_example_is_a_good_configuration(tmp_path):
    ran = run("--config", localized(tmp_path), "--dry-run")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    for node in ("web1", "web2", "web3"):
        assert f"rsync://sync@{node}.example.org/www/" in ran.stdout
        assert f"--password-file={tmp_path}/{node}.secret" in ran.stdout
    assert ran.stdout.count("--delete") >= 3
    limited = [line for line in ran.stdout.splitlines() if "--bwlimit=5m" in line]
    assert limited and all("web3" in line for line in limited)


def test_a_secret_open_to_others_is_refused(tmp_path):
    config = localized(tmp_path)
    (tmp_path / "web2.secret").chmod(0o644)
    ran = run("--config", config, "--dry-run")
    assert ran.returncode == 78
    assert f"{tmp_path}/web2.secret: can be read or written by others; chmod 600 it" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("line, complaint", [
    ("jobz = 3\n", "www.toml:1: key 'jobz' is not known at the top level; is it 'jobs'?"),
    ("[[source]\n", "www.toml:1: "),
])
def test_a_mistake_names_file_line_and_key(tmp_path, line, complaint):
    config = tmp_path / "www.toml"
    config.write_text(line)
    ran = run("--config", config)
    assert ran.returncode == 78
    assert complaint in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (apt-get install systemd)")
def test_the_service_has_few_rights():
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=30"]
    ran = subprocess.run([*command, SYSTEMD / "inotifysync@.service"], capture_output=True, text=True)
    if "unrecognized option" in ran.stderr:
        pytest.skip(ran.stderr)
    assert ran.returncode == 0, ran.stdout + ran.stderr  # an exposure of 3.0, where "OK" ends at 4.9
    assert "OK" in ran.stdout.splitlines()[-1]


def test_the_service_starts_what_there_is():
    text = (SYSTEMD / "inotifysync@.service").read_text()
    command = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    options = [word for word in command.split() if word.startswith("--")]
    known = run("--help").stdout
    assert options
    for option in options:
        assert option in known
    assert "Type=notify" in text
