# SPDX-License-Identifier: GPL-2.0-or-later
"""Random things that can be done to a tree of files, out of a seed, and the doing of them.

A burst is a list of operations, each a tuple of a name and its arguments (paths are bytes). The list is made from a
rough picture of the tree alone, so the same seed always gives the same list; an operation that turns out not to be
possible when it is done (another one was faster) is skipped. So a list stays a list of possible operations whatever
is taken out of it, and a failing one can be shrunk.

Two trees are played with: `t`, which is watched, and `o` beside it, which is not.
"""

import ctypes
import os
import random
import shutil
import stat
import sys
import threading

INSIDE, OUTSIDE = b"t", b"o"
AT_FDCWD, RENAME_EXCHANGE = -100, 2
_libc = ctypes.CDLL(None, use_errno=True)

# Few names, so that operations meet; and some that programs trip over.
COMMON = [b"a", b"b", b"c", b"d"]
ODD = [b" lead", b"trail ", b"new\nline", b"tab\there", b'"quoted"', b"'", b"back\\slash", b"-rf", b"--", b"#hash",
       b";semi", b"$(touch x)", b"`id`", b"*", b"[a-z]", b"\xff\xfe", "é".encode(), b"%w%f", b"a,b", b"..a", b"...",
       b"{}", b"\x1b[31m", b"\x01", b"!x", b"~", b"=", b"x" * 255]
MOST_ENTRIES = 400
LARGE = 300_000  # bytes: more than inotifysync sends a second time when it is renamed
# Several threads may copy each other's copies into one another; os.walk and shutil.rmtree call themselves a level.
sys.setrecursionlimit(10_000)


class Picture:
    """What the tree should roughly look like: names to dicts (directories) or None (all else)."""

    def __init__(self, rng):
        self.rng = rng
        self.top = {INSIDE: {}, OUTSIDE: {}}
        self.serial = 0
        self.exchanges = False  # let two entries change places, too
        self.hard_links = True
        self.large = 0.0  # the share of what is written that is not little
        # Never up, past the two trees: what is done through such a link would be done to the machine.
        self.links_to = [b".", b"nowhere", b"a", b"../b", b"../o"]

    def entries(self, root=None):
        """All (path, is_directory) below the roots, the roots left out."""
        found = []
        for name in ([root] if root else list(self.top)):
            stack = [(name, self.top[name])]
            while stack:
                path, node = stack.pop()
                for child, below in node.items():
                    full = path + b"/" + child
                    found.append((full, below is not None))
                    if below is not None:
                        stack.append((full, below))
        return found

    def at(self, path):
        node = self.top
        for part in path.split(b"/"):
            node = node[part]
        return node

    def place(self, path):
        parent, _, name = path.rpartition(b"/")
        return self.at(parent), name

    def take(self, path):
        parent, name = self.place(path)
        return parent.pop(name)

    def put(self, path, node):
        parent, name = self.place(path)
        parent[name] = node

    def directories(self, root=None):
        roots = [root] if root else [INSIDE] * 3 + [OUTSIDE] * (OUTSIDE in self.top)  # mostly where somebody looks
        return roots + [path for path, is_directory in self.entries(root) if is_directory]

    def name(self):
        chance = self.rng.random()
        if chance < 0.55:
            return self.rng.choice(COMMON)
        if chance < 0.65:
            return self.rng.choice(ODD)
        self.serial += 1
        return b"n%d" % self.serial

    def new_path(self, root=None):
        return self.rng.choice(self.directories(root)) + b"/" + self.name()

    def exists(self, path):
        try:
            self.at(path)
        except (KeyError, TypeError):
            return False
        return True


def burst(picture, count):
    """The next `count` operations; the picture is what they will leave."""
    made = []
    while len(made) < count:
        operation = _choose(picture)
        if operation:
            made.append(operation)
    return made


def _choose(picture):
    rng = picture.rng
    entries = picture.entries()
    if len(entries) > MOST_ENTRIES or (entries and rng.random() < 0.06):
        return _remove(picture, rng.choice(entries))
    maker = rng.choices([_create, _mkdir, _deep, _rename, _exchange, _link, _replace, _touch, _copy, _remove_one],
                        [18, 12, 8, 24, 6 if picture.exchanges else 0, 6, 6, 10, 3, 9])[0]
    return maker(picture, entries)


def _create(picture, _entries):
    path = picture.new_path()
    if picture.exists(path):
        return None
    picture.put(path, None)
    return ("create", path)


def _mkdir(picture, _entries):
    path = picture.new_path()
    if picture.exists(path):
        return None
    picture.put(path, {})
    return ("mkdir", path)


def _deep(picture, _entries):
    """mkdir -p and a file at the bottom: what is lost where a new directory is not watched in time."""
    path = picture.new_path()
    if picture.exists(path):
        return None
    names = [picture.name() for _ in range(picture.rng.randint(1, 5))]
    node = None
    for name in reversed(names):
        node = {name: node}
    picture.put(path, node)
    return ("deep", path, b"/".join(names))


def _rename(picture, entries):
    if not entries:
        return None
    directories = [entry for entry in entries if entry[1]]
    source, is_directory = picture.rng.choice(directories if directories and picture.rng.random() < 0.7 else entries)
    if picture.rng.random() < 0.25:
        target = picture.rng.choice(entries)[0]  # over something that exists
    else:
        target = picture.new_path()
    if target == source or (target + b"/").startswith(source + b"/") or (source + b"/").startswith(target + b"/"):
        return None
    if picture.exists(target):
        there = picture.at(target)
        if is_directory != (there is not None) or there:
            return None
    picture.put(target, picture.take(source))
    return ("rename", source, target)


def _exchange(picture, entries):
    if len(entries) < 2:
        return None
    (one, _), (other, _) = picture.rng.sample(entries, 2)
    if (one + b"/").startswith(other + b"/") or (other + b"/").startswith(one + b"/"):
        return None
    first, second = picture.at(one), picture.at(other)
    picture.put(one, second)
    picture.put(other, first)
    return ("exchange", one, other)


def _link(picture, entries):
    files = [path for path, is_directory in entries if not is_directory]
    path = picture.new_path()
    if picture.exists(path):
        return None
    picture.put(path, None)
    if files and picture.hard_links and picture.rng.random() < 0.5:
        return ("link", picture.rng.choice(files), path)
    target = picture.rng.choice([*picture.links_to, os.path.basename(path)])
    return ("symlink", target, path)


def _replace(picture, entries):
    """As editors save: written beside it, and renamed over it."""
    files = [path for path, is_directory in entries if not is_directory]
    return ("replace", picture.rng.choice(files)) if files else None


def _touch(picture, entries):
    if not entries:
        return None
    path, is_directory = picture.rng.choice(entries)
    if is_directory or picture.rng.random() < 0.4:
        return ("chmod", path, picture.rng.choice([0o700, 0o711, 0o755] if is_directory else [0o600, 0o644, 0o444]))
    if picture.large and picture.rng.random() < picture.large:
        return ("append", path, LARGE)
    return ("append", path, picture.rng.randint(1, 4000))


def _copy(picture, entries):
    directories = [path for path, is_directory in entries if is_directory]
    path = picture.new_path()
    if not directories or picture.exists(path):
        return None
    source = picture.rng.choice(directories)
    if (path + b"/").startswith(source + b"/"):
        return None
    picture.put(path, _copied(picture.at(source)))
    return ("copy", source, path)


def _copied(node):
    return None if node is None else {name: _copied(below) for name, below in node.items()}


def _remove_one(picture, entries):
    return _remove(picture, picture.rng.choice(entries)) if entries else None


def _remove(picture, entry):
    path, is_directory = entry
    picture.take(path)
    return ("rmtree" if is_directory else "unlink", path)


# Doing them

def perform(operations, threads=1):
    """Does them all, in turn, or in several threads that take every n-th each. The working directory holds the trees."""
    if threads == 1:
        for operation in operations:
            attempt(operation)
        return
    workers = [threading.Thread(target=lambda i=i: perform(operations[i::threads])) for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def attempt(operation):
    try:
        globals()["_do_" + operation[0]](*operation[1:])
    except (OSError, shutil.Error):
        pass


def _do_create(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))


def _do_append(path, size):
    number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        os.write(number, os.urandom(size))  # what is alike could take the place of another
    finally:
        os.close(number)


def _do_mkdir(path):
    os.mkdir(path)


def _do_deep(path, below):
    parts = below.split(b"/")
    os.mkdir(path)
    for part in parts[:-1]:
        path += b"/" + part
        os.mkdir(path)
    _do_create(path + b"/" + parts[-1])


def _do_rename(source, target):
    os.rename(source, target)


def _do_exchange(one, other):
    if _libc.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def _do_link(source, path):
    os.link(source, path, follow_symlinks=False)


def _do_symlink(target, path):
    os.symlink(target, path)


def _do_replace(path):
    beside = os.path.dirname(path) + b"/.tmp%d" % threading.get_ident()
    with open(beside, "wb") as file:
        file.write(b"new")
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise FileNotFoundError(path)
        os.rename(beside, path)
    except OSError:
        os.unlink(beside)
        raise


def _do_chmod(path, mode):
    kind = os.lstat(path).st_mode
    if stat.S_ISLNK(kind):
        return
    if stat.S_ISDIR(kind):  # in a file's place by now; an ordinary user must be able to look into it
        mode |= 0o700
    os.chmod(path, mode)


def _do_copy(source, path):
    found = sorted(listing(source).items())  # at once: in several threads, the copy may come to lie in the source
    os.mkdir(path)
    for entry, is_directory in found:
        if is_directory:
            os.mkdir(path + entry[len(source):])
        else:
            shutil.copyfile(entry, path + entry[len(source):], follow_symlinks=False)


def _do_unlink(path):
    os.unlink(path)


def _do_rmtree(path):
    shutil.rmtree(path)


def listing(root):
    """{path: is_directory} of all below `root`."""
    found = {}
    for directory, directories, files in os.walk(root):
        for name in directories:
            path = os.path.join(directory, name)
            found[path] = not os.path.islink(path)
        for name in files:
            found[os.path.join(directory, name)] = False
    return found


def describe(operations):
    """As lines that a person can read."""
    return "\n".join(repr(operation).replace("x" * 255, "x*255") for operation in operations)


def picture(seed, exchanges=False, inside=False):
    made = Picture(random.Random(seed))
    made.exchanges = exchanges
    if inside:
        del made.top[OUTSIDE]
        made.links_to.remove(b"../o")
    return made
