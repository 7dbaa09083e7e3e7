# SPDX-License-Identifier: GPL-2.0-or-later
"""A line to a server, and what happens to lines: they are cut, they fall silent, they lose bytes."""

import socket
import threading

from sync_support import free_port


class Proxy:
    """Passes bytes on to a port, until it is told otherwise."""

    def __init__(self, to, port=None):
        self.to, self.port, self.pairs = to, port or free_port(), []
        self.flowing, self.happened = threading.Event(), threading.Event()
        self.flowing.set()
        self.left, self.what = None, None
        self.listening = True
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, daemon):
        return daemon.url.replace(f":{daemon.port}/", f":{self.port}/")

    def after(self, count, what):
        """Once so many more bytes went to the server: "cut", "silence" or "lose" (the bytes that come next).
        Sets `happened`."""
        self.happened.clear()
        self.left, self.what = count, what

    def cut(self):
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()

    def silence(self):
        """Connections stay, and are taken, but no byte passes."""
        self.flowing.clear()

    def speak(self):
        self.flowing.set()

    def refuse(self):
        """Nobody listens any more."""
        self.listening = False
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # who waits in accept(2) hears of this
        except OSError:
            pass
        self.listener.close()
        self.cut()

    def close(self):
        self.speak()
        self.refuse()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                near.close()
                continue
            self.pairs.append((near, far))
            if not self.listening:  # it was on its way while the others were cut
                return self.cut()
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, sink, source is near), daemon=True).start()

    def _pass(self, source, sink, to_server):
        try:
            while data := source.recv(1 << 16):
                if to_server and self.left is not None:
                    data = self._count(data)
                self.flowing.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _count(self, data):
        """What of `data` goes on."""
        if self.left >= len(data):
            self.left -= len(data)
            return data
        kept, self.left = data[:self.left], None
        if self.what == "cut":
            self.cut()
        elif self.what == "silence":
            self.silence()
        self.happened.set()
        return kept
