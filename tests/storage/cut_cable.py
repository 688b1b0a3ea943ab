"""A cable between a log and its PostgreSQL server, cut in the moment that a word passes."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path


class Cable:
    """Carries bytes between clients and a server's socket, and is cut once at a word."""

    def __init__(self, server: Path, *, arrives: bool) -> None:
        self.server, self.arrives, self.cuts_at = server, arrives, b""
        self.folder = server / "cable"
        self.folder.mkdir(exist_ok=True)
        self.path = self.folder / ".s.PGSQL.5432"
        self.path.unlink(missing_ok=True)

    def __enter__(self):
        self.opened = contextlib.ExitStack()
        self.listening = self.opened.enter_context(socket.socket(socket.AF_UNIX))
        self.listening.bind(str(self.path))
        self.listening.listen()
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(20)
        self.opened.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self.opened.enter_context(self.listening.accept()[0])
                server = self.opened.enter_context(socket.socket(socket.AF_UNIX))
                server.connect(str(self.server / ".s.PGSQL.5432"))
                for ends in ((client, server), (server, client)):
                    self.threads.append(threading.Thread(target=self._carry, args=ends))
                    self.threads[-1].start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if self.cuts_at and self.cuts_at in data:
                    self.cuts_at = b""
                    # The client hears nothing more, whether the server gets it or not.
                    source.shutdown(socket.SHUT_RDWR)
                    if self.arrives:
                        target.sendall(data)
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_WR)
