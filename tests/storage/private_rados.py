"""Ceph's S3 gateway with the smallest cluster below it, in a temporary folder of our own.

One monitor, one storage daemon that keeps everything in memory, one gateway; no authentication
between them, and nothing outside this machine's loopback address is listened on.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tidewaiter.storage.custody_s3 import Bucket

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "rados")
ACCESS_KEY, SECRET_KEY = "custody-writer", "a-secret-of-the-test"
DATA_POOL = "default.rgw.buckets.data"
WAIT_S = 90.0
SETTINGS = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon}/0]
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
ms bind msgr1 = false
ms bind ipv6 = false
ms mon client mode = crc
run dir = {folder}
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
mon cluster log file = {folder}/cluster.log
crash dir = {folder}
mon data = {folder}/mon
mon allow pool size one = true
mon allow pool delete = true
mon warn on pool no redundancy = false
mon data avail crit = 1
paxos propose interval = 0.05
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 268435456
osd crush chooseleaf type = 0
osd crush initial weight = 1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd heartbeat grace = 300
osd client watch timeout = 2
rgw rados pool pg num min = 1
rgw thread pool size = 16
rgw enable usage log = false
rgw enable gc threads = false
rgw enable lc threads = false
rgw enable quota threads = false
rgw multipart min part size = 1
rgw run sync thread = false
"""


@dataclass
class PrivateRados:
    """A running store; objects are also reached below the gateway, as root on its host does."""

    folder: Path
    endpoint: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    buckets: int = 0

    def start(self) -> None:
        """Make the cluster, start it, and let one user in."""
        monitor, gateway = free_ports(2)
        fsid = str(uuid.uuid4())
        text = SETTINGS.format(fsid=fsid, folder=self.folder, mon=monitor)
        (self.folder / "ceph.conf").write_text(text)
        (self.folder / "mon").mkdir()
        (self.folder / "osd").mkdir()
        self.run("ceph-mon", "--mkfs", "-i", "a", "--fsid", fsid)
        self.launch("ceph-mon", "-f", "-i", "a")
        identity = str(uuid.uuid4())
        self.run("ceph", "--connect-timeout", "30", "osd", "new", identity)
        self.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identity)
        self.launch("ceph-osd", "-f", "-i", "0")
        named = ("--uid=custody", "--display-name=custody")
        keys = (f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}")
        self.run("radosgw-admin", "user", "create", *named, *keys)
        self.endpoint = self.gateway(gateway)

    def gateway(self, port: int) -> str:
        """The address of one more gateway to the same objects; the last of `processes` is it."""
        front = f"--rgw-frontends=beast endpoint=127.0.0.1:{port}"
        self.launch("radosgw", "-f", "-n", f"client.rgw.p{port}", front)
        self._wait(port)
        return f"http://127.0.0.1:{port}"

    def launch(self, program: str, *words: str) -> None:
        """Start a daemon that stays until `stop`."""
        with (self.folder / "output").open("ab") as output:
            command = [program, "-c", self.folder / "ceph.conf", *words]
            self.processes.append(subprocess.Popen(command, stdout=output, stderr=output))

    def run(self, program: str, *words: str) -> bytes:
        """What one of Ceph's programs prints."""
        command = [program, "-c", self.folder / "ceph.conf", *words]
        done = subprocess.run(command, capture_output=True, timeout=WAIT_S, check=False)
        assert done.returncode == 0, (words, done.stderr.decode(errors="replace"))
        return done.stdout

    def stop(self) -> None:
        """End every daemon, the gateway first; what they kept was in memory."""
        for process in reversed(self.processes):
            process.kill()
            process.wait(WAIT_S)

    def bucket(self, *, is_locking: bool) -> RadosBucket:
        """A new, empty bucket; one that can lock keeps versions as well."""
        self.buckets += 1
        made = RadosBucket(self, f"media-{self.buckets}")
        made.client.create_bucket(Bucket=made.name, ObjectLockEnabledForBucket=is_locking)
        return made

    def _wait(self, port: int) -> None:
        end = time.monotonic() + WAIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                said = (self.folder / "output").read_text(errors="replace")[-2000:]
                assert self.processes[-1].poll() is None, said
                assert time.monotonic() < end, said
                time.sleep(0.1)
            else:
                return


@dataclass
class RadosBucket:
    """A bucket by its protocol, and past it into the pool where its bytes are."""

    server: PrivateRados
    name: str

    def described(self, **more) -> Bucket:
        """The bucket as a site names it; the prefix sets its keys apart from other buckets'."""
        keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
        return Bucket(self.name, self.server.endpoint, prefix=f"{self.name}/", **keys, **more)

    def key(self, digest: str) -> str:
        """Under which key the site keeps a medium."""
        return f"{self.name}/{digest[:2]}/{digest}"

    @property
    def client(self):
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.server.endpoint,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )

    def versions(self) -> list[str]:
        """The key of every version, in order."""
        found = self.client.list_object_versions(Bucket=self.name).get("Versions", [])
        return sorted(version["Key"] for version in found)

    def keys(self) -> list[str]:
        """Every key, in order."""
        return sorted(set(self.versions()))

    def overwrite(self, key: str, content: bytes, part_bytes: int = 0) -> None:
        """Write other bytes past the gateway and every lock, to each version or part."""
        for name in self._raw_names(key):
            piece = content
            if part_bytes and "__multipart_" in name:
                first = (int(name.rsplit(".", 1)[-1]) - 1) * part_bytes
                piece = content[first : first + part_bytes]
            (self.server.folder / "content").write_bytes(piece)
            self._rados("put", name, str(self.server.folder / "content"))

    def remove(self, key: str) -> None:
        """Remove bytes past the gateway and every lock."""
        for name in self._raw_names(key):
            self._rados("rm", name)

    def _raw_names(self, key: str) -> list[str]:
        names = self._rados("ls").decode().splitlines()
        parts = [name for name in names if f"__multipart_{key}." in name]
        return parts or [name for name in names if name.endswith(f"_{key}")]

    def _rados(self, *words: str) -> bytes:
        return self.server.run("rados", "-p", DATA_POOL, *words)


def rados_is_installed() -> bool:
    """Whether every program that is needed is there."""
    return all(shutil.which(name) for name in PROGRAMS)


@contextlib.contextmanager
def private_rados() -> Iterator[PrivateRados]:
    """A fresh store, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="tw-rgw-"))
    server = PrivateRados(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
