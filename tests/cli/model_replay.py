# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reader of the events knows of the tree: created, deleted and moved entries, kept as the lines come.

After a burst this must be the tree itself. What lies inside a directory that was moved in from elsewhere is not said,
so such a directory is `opaque`: entries nobody spoke of may be in it; unless it is known that nothing came from
elsewhere (`inside`): then all must have been said. Two entries that change places (renameat2(2) with
RENAME_EXCHANGE) look to the reader like two that were moved one over the other, so no lines with such can be replayed.
"""

from dataclasses import dataclass, field


KINDS = {"CREATE", "DELETE", "MOVED_FROM", "MOVED_TO"}


@dataclass(eq=False)
class Known:
    directory: bool
    opaque: bool = False
    children: dict = field(default_factory=dict)
    certain: bool = True    # False: may be there or not


@dataclass(frozen=True)
class Event:
    names: tuple  # as printed: CREATE, ISDIR
    cookie: str
    watched: bytes
    name: bytes
    recovered: bool = False

    @property
    def path(self):
        return self.watched + self.name

    def __str__(self):
        return f"{','.join(self.names):24} {self.cookie:>6} {self.path!r}{' (recovered)' if self.recovered else ''}"


class Replay:
    def __init__(self, root, inside=False):
        self.inside = inside
        self.root = Known(True)
        self.root_name = root
        self.limbo = {}
        self.faults = []

    def restart(self, listing):
        """Forgets all and takes the tree as it is: after an overflow."""
        self.root, self.limbo = Known(True), {}
        for path in sorted(listing):
            parent, name = self._find(path)
            parent.children[name] = Known(listing[path])

    def _find(self, path, make=False):
        """The directory an entry stands in, and its name; None where the reader does not know the directory."""
        parts = path.split(b"/")
        node = self.root
        for part in parts[1:-1]:
            below = node.children.get(part)
            if below is None or not below.directory:
                if not (make or node.opaque):
                    return None, parts[-1]
                below = node.children[part] = Known(True, opaque=True, certain=False)
            node = below
        return node, parts[-1]

    def take(self, events):
        for event in events:
            if event.name and KINDS & set(event.names):
                self._one(event)

    def _one(self, event):
        parent, name = self._find(event.path)
        directory = "ISDIR" in event.names
        if parent is None:
            # A place the reader never heard of: fine for what is gone, a fault for what is new.
            if "CREATE" in event.names or "MOVED_TO" in event.names:
                self.faults.append(f"in a directory nobody spoke of: {event}")
                parent, name = self._find(event.path, make=True)
            else:
                self.limbo[event.cookie] = None
                return
        there = parent.children.get(name)
        if "CREATE" in event.names:
            if there is not None and there.certain:
                self.faults.append(f"created where something is: {event}")
            parent.children[name] = Known(directory)
        elif "DELETE" in event.names:
            parent.children.pop(name, None)
        elif "MOVED_FROM" in event.names:
            self.limbo[event.cookie] = parent.children.pop(name, None)
        else:
            moved = self.limbo.pop(event.cookie, None)
            parent.children[name] = moved or Known(directory, opaque=directory and not self.inside)

    def compare(self, listing):
        """What the reader got wrong, as lines."""
        wrong = list(self.faults)
        self.faults = []
        said = set()
        stack = [(self.root_name, self.root)]
        while stack:
            path, node = stack.pop()
            for name, child in node.children.items():
                full = path + b"/" + name
                said.add(full)
                if full not in listing:
                    if child.certain:
                        wrong.append(f"reported, but not there: {full!r}")
                elif listing[full] != child.directory and child.certain:
                    wrong.append(f"reported as {'a directory' if child.directory else 'no directory'}: {full!r}")
                elif child.directory:
                    stack.append((full, child))
        for path in sorted(set(listing) - said):
            if not self._may_hide(path):
                wrong.append(f"there, but never reported: {path!r}")
        self._learn(listing)
        return wrong

    def _may_hide(self, path):
        """Inside a directory that was moved in, all may stand unsaid."""
        node = self.root
        for part in path.split(b"/")[1:-1]:
            below = node.children.get(part)
            if below is None:
                return node.opaque
            node = below
        return node.opaque

    def _learn(self, listing):
        """Goes on from what is there, so that opaque places and doubts do not gather."""
        self.restart(listing)
