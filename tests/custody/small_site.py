"""A custody site in a folder without configuration: log, media, secrets, agent, class keys."""

from __future__ import annotations

import contextlib
import hashlib
import itertools

from tests.custody.record_kit import World, secret_of
from tidewaiter.casework.custody_log import open_log
from tidewaiter.casework.custody_site import Site
from tidewaiter.custody.device import DeviceState
from tidewaiter.custody.keys import ED25519_NOTE, SigningKey
from tidewaiter.custody.policy import Policy
from tidewaiter.storage.custody_agent import SqliteAgent
from tidewaiter.storage.custody_class_keys import FolderOfClassKeys
from tidewaiter.storage.custody_files import FolderOfBlobs
from tidewaiter.storage.custody_secrets import SqliteSecrets
from tidewaiter.storage.custody_sqlite import SqliteLog

ORIGIN = "custody.customs.example/2026"
LOG_KEY = SigningKey(ORIGIN, ED25519_NOTE, b"log key." * 4)
POLICY = f"log {LOG_KEY.verifier}\nquorum none\n".encode()
FIRST_CLASS_KEY = bytes(range(32))
_drawn = itertools.count()


def small_world() -> World:
    """Founders, the site's service, one retention class."""
    world = World()
    world.enrol("ingest", holder="service")
    world.define_class()
    return world


def drawn(length: int) -> bytes:
    """A test's chance: never twice the same."""
    return hashlib.sha256(f"site {next(_drawn)}".encode()).digest()[:length]


@contextlib.contextmanager
def opened_small_site(folder, now_ms, *, create=False):
    log, keys = folder / "log.sqlite", FolderOfClassKeys(folder / "keys")
    with contextlib.ExitStack() as stack:
        store = SqliteLog.create(log, ORIGIN) if create else SqliteLog(log)
        stack.callback(store.close)
        secrets = SqliteSecrets(folder / "secrets.sqlite", create=create)
        stack.callback(secrets.close)
        agent = SqliteAgent(folder / "agent.sqlite", create=create)
        stack.callback(agent.close)
        if create:
            agent.add(DeviceState("ingest", 0, secret=secret_of("ingest")))
            keys.make("routine", FIRST_CLASS_KEY)
        yield Site(
            log=open_log(store, LOG_KEY),
            policy=Policy.parse(POLICY),
            blobs=FolderOfBlobs(folder / "media"),
            secrets=secrets,
            agent=agent,
            class_key=keys.key,
            service="ingest",
            now_ms=now_ms,
            random=drawn,
            next_class_key=keys.waiting,
        )
