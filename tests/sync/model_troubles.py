# SPDX-License-Identifier: GPL-2.0-or-later
"""What may go wrong while model_sync.py plays: each is called in the middle of a burst, and returns what ends it."""

import os
import resource
import shutil
import signal
from contextlib import suppress

from sync_support import RSYNC, fake_rsync, put_rsync

def kill_program(stage):
    stage.program.kill()
    return stage.start


def kill_rsync(stage):
    for pid in stage.program.children():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return None


def kill_daemon(stage):
    stage.daemons[0].stop()
    return stage.daemons[0].start


def pause_daemon(stage):
    stage.daemons[0].pause()
    return stage.daemons[0].resume


def stop_program(stage):
    """Told to end; what waits for a server that hangs is waited for no longer when told again."""
    stage.program.process.send_signal(signal.SIGTERM)

    def back():
        stage.program.terminate()
        stage.start()
    return back


def hang_up(stage):
    stage.wait_ready()
    stage.program.process.send_signal(signal.SIGHUP)
    return None


def no_descriptors(stage):
    stage.wait_ready()
    pid = stage.program.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")) + 2, hard))
    return lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


def pause_rsync(stage):
    def tell(number):
        for pid in stage.program.children():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    tell(signal.SIGSTOP)
    return lambda: tell(signal.SIGCONT)


def pause_program(stage):
    stage.program.process.send_signal(signal.SIGSTOP)
    return lambda: stage.program.process.send_signal(signal.SIGCONT)


def cut_connection(stage):
    stage.proxy.cut()
    return None


def cut_later(stage):
    stage.proxy.after(3000, "cut")
    return None


def lose_bytes(stage):
    stage.proxy.after(3000, "lose")
    return None


def silence(stage):
    stage.proxy.silence()
    return stage.proxy.speak


def refuse_to_write(stage):
    """The local target cannot be written for a while (root can always)."""
    os.chmod(stage.folder / "local", 0o500)
    return lambda: os.chmod(stage.folder / "local", 0o755)


def read_only(stage):
    stage.daemons[0].reconfigure(read_only="yes")
    return lambda: stage.daemons[0].reconfigure(read_only="no")


def no_connection_left(stage):
    stage.daemons[0].reconfigure(max_connections="-1")
    return lambda: stage.daemons[0].reconfigure(max_connections=None)


def refuse_to_delete(stage):
    stage.daemons[0].reconfigure(refuse_options="delete")
    return lambda: stage.daemons[0].reconfigure(refuse_options=None)


def wrong_password(stage):
    secrets = stage.daemons[0].folder / "secrets"
    right = secrets.read_text()
    secrets.write_text("web:another\n")
    return lambda: secrets.write_text(right)


def no_rsync(stage):
    stage.rsync(False)
    return lambda: stage.rsync(True)


def another_rsync(stage, name, text):
    """Until it is ended, what is called rsync is a program in Python."""
    stage.rsync(False)
    fake_rsync(stage.folder / "bin", name, text)
    return lambda: put_rsync(stage.folder / "bin", RSYNC)


def rsync_fails_at_random(stage):
    """Sometimes before it has done anything, sometimes when all is done."""
    return another_rsync(stage, "failing", """
import random
status = random.choice([1, 2, 3, 5, 10, 11, 12, 13, 14, 20, 21, 22, 23, 24, 25, 30, 35, 124, 127, 255])
if random.random() < 0.4:
    sys.exit(status)
done = subprocess.run([REAL, *sys.argv[1:]], close_fds=False).returncode
sys.exit(random.choice([status, done]))
""")


def rsync_is_killed_at_random(stage):
    return another_rsync(stage, "killed", """
import random, signal
child = subprocess.Popen([REAL, *sys.argv[1:]], close_fds=False)
try:
    sys.exit(child.wait(random.random() * 0.15))
except subprocess.TimeoutExpired:
    child.kill()
    os.kill(os.getpid(), signal.SIGKILL)
""")


def rsync_says_anything(stage):
    """Before or after its work, on both streams, and it may forget to read its input."""
    return another_rsync(stage, "talking", """
import random
def babble():
    for stream in (sys.stdout, sys.stderr):
        stream.buffer.write(random.randbytes(random.choice([0, 10, 100_000])))
        stream.buffer.flush()
babble()
status = random.choice([0, 0, 1, 12, 20, 23, 24])
if random.random() < 0.5:
    status = subprocess.run([REAL, *sys.argv[1:]], close_fds=False).returncode
babble()
sys.exit(status)
""")


def rsync_gets_half_of_its_input(stage):
    return another_rsync(stage, "deaf", """
import random
if "--files-from=-" in sys.argv:
    names = sys.stdin.buffer.read(random.choice([1, 10, 1000])).rpartition(b"\\0")[0]
    os.close(0)
    subprocess.run([REAL, *sys.argv[1:]], input=names, close_fds=False)
sys.exit(random.choice([1, 2, 10, 11, 12, 20, 22, 30, 255]))
""")


def rsync_does_nothing(stage):
    return another_rsync(stage, "idle", "sys.exit(0)\n")


def module_elsewhere(stage):
    (stage.folder / "elsewhere").mkdir(exist_ok=True)
    stage.daemons[0].reconfigure(path=stage.folder / "elsewhere")
    return lambda: stage.daemons[0].reconfigure(path=stage.daemons[0].root)


def source_elsewhere(stage):
    """Another directory stands in its place for a while; not from the start, for then that would be the source."""
    stage.wait_ready()
    (stage.folder / "t").rename(stage.folder / "t-away")
    (stage.folder / "t").mkdir()
    (stage.folder / "t/strange").touch()

    def back():
        shutil.rmtree(stage.folder / "t")
        (stage.folder / "t-away").rename(stage.folder / "t")
    return back


TROUBLES = [kill_program, stop_program, hang_up, no_descriptors, kill_rsync, pause_rsync, kill_daemon, pause_daemon,
            pause_program, cut_connection, cut_later, lose_bytes, silence, refuse_to_write, read_only,
            no_connection_left, refuse_to_delete, wrong_password, no_rsync, rsync_fails_at_random,
            rsync_is_killed_at_random, rsync_says_anything, rsync_gets_half_of_its_input, rsync_does_nothing,
            module_elsewhere, source_elsewhere]
