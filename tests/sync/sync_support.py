# SPDX-License-Identifier: GPL-2.0-or-later
"""Real rsync daemons, a real sshd and the program under test, on loopback ports, as whoever runs the tests."""

import hashlib
import os
import pty
import random
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("NOTIFY_BUILD", ROOT / "build"))
INOTIFYSYNC = BUILD / "tools" / "inotifysync" / "inotifysync"
PASSWORD = "let me in"
RSYNC = shutil.which("rsync")


DEADLINE = 60.0  # seconds; what is waited for comes in a tenth of one, and costs no more when it does


def wait_until(condition, what, deadline=DEADLINE):
    """Asks until the condition holds; fails loudly when it never does."""
    end = time.monotonic() + deadline
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline} s: {what() if callable(what) else what}")
        time.sleep(0.005)


def free_port():
    """Below those that the kernel gives to clients: one of them may not take it while a daemon is down."""
    while True:
        port = random.randrange(12_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def accepts(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def write(path, text="content"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def put_rsync(place, target):
    (place / "rsync.new").symlink_to(target)
    (place / "rsync.new").rename(place / "rsync")


def fake_rsync(place, name, text):
    """A program that stands in for rsync, in Python; REAL is the real one."""
    program = place / name
    program.write_text(f"#!{sys.executable}\nimport os, subprocess, sys\nREAL = {RSYNC!r}\n{text}")
    program.chmod(0o755)
    put_rsync(place, program)


class Service:
    """A server in a process group of its own, so that its children can be stopped and killed with it."""

    def __init__(self, command, port):
        self.command, self.port, self.process = [str(c) for c in command], port, None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until(lambda: accepts(self.port), f"{self.command[0]} listens on {self.port}")
        return self

    def signal_session(self, number, is_done):
        """Until `is_done` of every process: one that forks meanwhile has a child that was not told."""
        def all_done():
            states = self.session_states()
            left = [pid for pid, state in states.items() if not is_done(state)]
            for pid in left:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            return not left

        wait_until(all_done, lambda: f"signal {number} reaches {self.session_states()}")

    def session_states(self):
        """All processes of the session: a daemon's children may leave its group, never its session."""
        states = {}
        for entry in Path("/proc").iterdir() if self.process else ():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.process.pid:
                states[int(entry.name)] = fields[0]
        return states

    def stop(self):
        if not self.process:
            return
        self.signal_session(signal.SIGKILL, lambda state: state in "ZX")
        self.process.wait()
        self.process = None

    def pause(self):
        self.signal_session(signal.SIGSTOP, lambda state: state in "TtZX")

    def resume(self):
        self.signal_session(signal.SIGCONT, lambda state: state not in "Tt")


class RsyncDaemon(Service):
    """One daemon with one module, `content`, kept in `root`; user `web`, PASSWORD."""

    def __init__(self, folder, name, settings=None, program="rsync"):
        self.name = name
        self.folder = folder / name
        self.root = self.folder / "content"
        self.root.mkdir(parents=True)
        self.log = self.folder / "rsyncd.log"
        port = free_port()
        secrets = self.folder / "secrets"
        secrets.write_text(f"web:{PASSWORD}\n")
        secrets.chmod(0o600)
        self.password_file = self.folder / "password"
        self.password_file.write_text(PASSWORD + "\n")
        self.password_file.chmod(0o600)
        lines = {
            "path": self.root, "read only": "no", "use chroot": "no", "munge symlinks": "no",
            "auth users": "web", "secrets file": secrets, "log file": self.log, "transfer logging": "yes",
        }
        if os.getuid() == 0:
            lines |= {"uid": "0", "gid": "0"}
        lines |= settings or {}
        self.config = self.folder / "rsyncd.conf"
        self.config.write_text("[content]\n" + "".join(f"  {k} = {v}\n" for k, v in lines.items()))
        super().__init__([program, "--daemon", "--no-detach", "--address=127.0.0.1", f"--port={port}",
                          f"--config={self.config}"], port)

    def reconfigure(self, **settings):
        """Goes on with other settings; who is connected loses the connection, which has the old ones."""
        running = self.process is not None
        self.stop()
        text = self.config.read_text()
        for key, value in settings.items():
            key = key.replace("_", " ")
            text = "".join(line for line in text.splitlines(True) if not line.startswith(f"  {key} = "))
            if value is not None:
                text += f"  {key} = {value}\n"
        beside = self.config.with_suffix(".new")
        beside.write_text(text)
        beside.rename(self.config)
        if running:
            self.start()

    @property
    def url(self):
        return f"rsync://web@127.0.0.1:{self.port}/content/"

    def logged(self, text):
        return self.log.exists() and text in self.log.read_text(errors="replace")


class SshServer(Service):
    def __init__(self, folder):
        folder.mkdir()
        port = free_port()
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        (folder / "authorized").write_text((folder / "user.pub").read_text())
        server = folder / "sshd_config"
        server.write_text(f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nPidFile none\n"
                          f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\n"
                          "PasswordAuthentication no\nPermitRootLogin yes\n")
        self.client_config = folder / "ssh_config"
        self.client_config.write_text(f"Host node\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {folder}/user\n"
                                      f"  UserKnownHostsFile {folder}/known\n  StrictHostKeyChecking no\n"
                                      "  IdentitiesOnly yes\n  LogLevel ERROR\n")
        super().__init__(["/usr/sbin/sshd", "-D", "-e", "-f", server], port)


def describe(path, info):
    """What must be equal of one entry; contents as a digest."""
    kind = stat.S_IFMT(info.st_mode)
    what = {"type": stat.filemode(info.st_mode)[0], "mode": oct(stat.S_IMODE(info.st_mode))}
    if kind == stat.S_IFLNK:
        return {"type": "l", "to": os.readlink(path)}
    if kind == stat.S_IFREG:
        with open(path, "rb") as file:
            what |= {"mtime": info.st_mtime_ns, "size": info.st_size,
                     "digest": hashlib.blake2b(file.read(), digest_size=8).hexdigest()}
    return what


def tree(top):
    """Every entry below `top`: types, contents, modes, nanosecond mtimes, and which names are one file."""
    top = os.fsencode(top)
    entries, names_of = {}, {}
    stack = [b""]
    while stack:
        relative = stack.pop()
        with os.scandir(os.path.join(top, relative)) as listing:
            for entry in listing:
                name = os.path.join(relative, entry.name)
                info = entry.stat(follow_symlinks=False)
                entries[name] = describe(entry.path, info)
                if entry.is_dir(follow_symlinks=False):
                    stack.append(name)
                elif info.st_nlink > 1:
                    names_of.setdefault(info.st_ino, []).append(name)
    for names in names_of.values():
        for name in names if len(names) > 1 else ():  # its other names lie elsewhere
            entries[name]["same file as"] = sorted(names)
    return entries


def differences(left, right):
    """Empty when two trees are the same; else what differs, as lines to read."""
    try:
        a, b = tree(left), tree(right)
    except OSError as changing:  # somebody is at work in it: not equal yet
        return [f"changing: {changing}"]
    lines = [f"only in {left}: {name!r}" for name in sorted(a.keys() - b.keys())]
    lines += [f"only in {right}: {name!r}" for name in sorted(b.keys() - a.keys())]
    lines += [f"{name!r}: {a[name]} / {b[name]}" for name in sorted(a.keys() & b.keys()) if a[name] != b[name]]
    return lines


def wait_identical(source, *targets, deadline=DEADLINE):
    for target in targets:
        wait_until(lambda: not differences(source, target),
                   lambda: "identical: " + "\n".join(differences(source, target)[:20]), deadline)


def at_a_terminal(*arguments, environment=None):
    """(exit status, what inotifysync says) where a person looks on."""
    ours, theirs = pty.openpty()
    program = subprocess.Popen([str(INOTIFYSYNC), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=theirs,
                               stderr=theirs, env={**os.environ, **(environment or {})})
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 4096):
            said += chunk
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    return program.wait(DEADLINE), said


def said_by(*arguments, folder=None, through=(), stdin=subprocess.DEVNULL):
    """(exit status, what it said on stderr)."""
    done = subprocess.run([*through, INOTIFYSYNC, *arguments], cwd=folder, capture_output=True, text=True,
                          timeout=DEADLINE, stdin=stdin)
    return done.returncode, done.stderr


class Inotifysync:
    """The program under test, with what it said."""

    def __init__(self, folder, *arguments, stdin=subprocess.DEVNULL, environment=None, through=()):
        """`through`: a command that becomes the one which follows it."""
        self.said = folder / f"said-{time.monotonic_ns()}"
        with open(self.said, "wb") as said:
            command = [*through, str(INOTIFYSYNC), *map(str, arguments)]
            self.process = subprocess.Popen(command, stdin=stdin, stdout=said, stderr=subprocess.STDOUT,
                                            start_new_session=True, env={**os.environ, **(environment or {})})

    def output(self):
        return self.said.read_text(errors="replace")

    def wait_said(self, text, deadline=DEADLINE, times=1):
        wait_until(lambda: self.output().count(text) >= times,
                   lambda: f"it says {text!r}; it said:\n{self.output()}", deadline)

    def children(self):
        try:
            return [int(pid) for task in Path(f"/proc/{self.process.pid}/task").glob("*/children")
                    for pid in task.read_text().split()]
        except OSError:  # it has ended meanwhile
            return []

    def running(self):
        return self.process.poll() is None

    def wait(self, deadline=DEADLINE):
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end; it said:\n{self.output()}") from None

    def terminate(self, deadline=DEADLINE):
        if self.running():
            self.process.send_signal(signal.SIGTERM)
        return self.wait(deadline)

    def kill(self):
        if self.running():
            self.process.kill()
        self.process.wait()
