"""Put a custody site together from its folder: configuration, stores, keys, witnesses.

Nothing here reads a password: PostgreSQL's comes from PGPASSWORD or a .pgpass file, object
storage's from where its SDK looks.
"""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tidewaiter.casework.custody_class_keys import finish_rotations
from tidewaiter.casework.custody_finding import bring_up
from tidewaiter.casework.custody_log import CustodyLog, open_log
from tidewaiter.casework.custody_site import Site
from tidewaiter.custody.chains import Allowed
from tidewaiter.custody.keys import ED25519_NOTE, SEED_BYTES, SigningKey, VerifierKey
from tidewaiter.custody.policy import Policy
from tidewaiter.custody.seal import KEY_LENGTH
from tidewaiter.custody.store import BlobStore, LogStore
from tidewaiter.errors import ConfigurationError, IntegrityError, MalformedText
from tidewaiter.outlets.witness_client import WitnessClient
from tidewaiter.storage.custody_agent import SqliteAgent
from tidewaiter.storage.custody_class_keys import FolderOfClassKeys
from tidewaiter.storage.custody_files import FolderOfBlobs
from tidewaiter.storage.custody_secrets import SqliteSecrets
from tidewaiter.storage.custody_sqlite import SqliteLog
from tidewaiter.storage.durable import write_new
from tidewaiter.storage.key_file import read_keys

CONFIGURATION = "custody.toml"


class LogPlace(BaseModel):
    """Where the entries are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: Literal["sqlite", "postgres"] = Field(
        default="sqlite", description="one file on a local disk, or a PostgreSQL server"
    )
    path: Path = Field(default=Path("log.sqlite"), description="the file, for sqlite")
    address: str = Field(
        default="", description="libpq's words, for postgres; the password is not among them"
    )
    schema_name: str = Field(default="custody", description="schema of the tables, for postgres")
    role: str = Field(
        default="", description="who may add entries and no more, for postgres; told at `init`"
    )


class MediaPlace(BaseModel):
    """Where the sealed media are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: Literal["folder", "s3"] = Field(
        default="folder", description="a folder, or a bucket of S3-compatible object storage"
    )
    path: Path = Field(default=Path("media"), description="the folder")
    bucket: str = Field(default="", description="the bucket, for s3")
    endpoint: str = Field(default="", description="address of the object storage, for s3")
    region: str = Field(default="us-east-1", description="region of the bucket, for s3")
    prefix: str = Field(default="", description="before every object's name, for s3")
    lock_days: int = Field(
        default=0, ge=0, description="days of compliance lock asked for, for s3; 0 asks for none"
    )


class StampingPlace(BaseModel):
    """Where RFC 3161 time stamps are kept, and from whom they are asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(default=Path("stamps"), description="folder of the stamps")
    authority: str = Field(
        default="", description="address of a time-stamping authority; empty asks nobody"
    )
    anchors: Path | None = Field(
        default=None, description="the authority's certificates (PEM), its root among them"
    )


class CustodySettings(BaseModel):
    """What `custody.toml` in a site's folder may say; paths are relative to that folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str = Field(description="name of the log: no spaces, best like a host and a year")
    service: str = Field(default="ingest", description="who signs the site's own entries")
    log: LogPlace = LogPlace()
    media: MediaPlace = MediaPlace()
    stamping: StampingPlace = StampingPlace()
    policy: Path = Field(default=Path("policy"), description="policy file (C2SP tlog-policy)")
    secrets: Path = Field(
        default=Path("secrets.sqlite"),
        description="salts and wrapped keys: what erasing destroys; back it up apart",
    )
    agent: Path = Field(
        default=Path("agent.sqlite"),
        description="device keys and numbers: never restore an older one",
    )
    log_key: Path = Field(default=Path("keys/log.key"), description="the log's secret key")
    class_keys: Path = Field(
        default=Path("keys"),
        description="folder of the keys of retention classes; best on another disk",
    )
    receipts: Path = Field(default=Path("receipts"), description="where proof files are written")
    retention: str = Field(
        default="routine", description="retention class of what is taken in without a word"
    )
    silence_s: int = Field(
        default=300, ge=1, description="seconds a device may be silent without a signed stop"
    )
    offset_s: int = Field(default=120, ge=1, description="seconds a device's clock may be off")


class SitePlace:
    """A site's folder with its configuration; every path made absolute."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigurationError where there is no site, or it is configured wrongly."""
        self.folder = folder
        self.settings = _settings(folder / CONFIGURATION)

    def path(self, relative: Path) -> Path:
        """A path of the configuration, seen from the site's folder."""
        return self.folder / relative

    @property
    def allowed(self) -> Allowed:
        """How long devices may be silent and how far their clocks may be off."""
        return Allowed(1000 * self.settings.silence_s, 1000 * self.settings.offset_s)

    def read_policy(self) -> Policy:
        """The policy. Raises ConfigurationError."""
        return parse_policy(self.policy_text(), self.settings.policy.name)

    def policy_text(self) -> bytes:
        """The bytes of the policy file. Raises ConfigurationError."""
        return read_file(self.path(self.settings.policy))

    def log_key(self) -> SigningKey:
        """The log's signing key. Raises ConfigurationError."""
        return read_keys(self.path(self.settings.log_key))[0]

    def log_verifier(self) -> VerifierKey:
        """The log's public key, as the policy has it. Raises ConfigurationError."""
        for log in self.read_policy().logs:
            if log.key.name == self.settings.origin:
                return log.key
        raise ConfigurationError(
            f"the policy {self.settings.policy.name!r} names no log {self.settings.origin!r}"
        )

    def class_key(self, retention: str) -> bytes:
        """The key of a retention class. Raises ConfigurationError where there is none."""
        return self.class_keys().key(retention)

    def class_keys(self) -> FolderOfClassKeys:
        """Where the keys of retention classes are kept."""
        return FolderOfClassKeys(self.path(self.settings.class_keys))

    def make_class_key(self, retention: str) -> None:
        """Make the key of a new retention class. Raises ConfigurationError where it exists."""
        self.class_keys().make(retention, os.urandom(KEY_LENGTH))

    def witnesses(self) -> list[WitnessClient]:
        """The witnesses of the policy that have an address."""
        log = self.log_verifier()
        return [
            WitnessClient(one.name, [one.key], one.url, log)
            for one in self.read_policy().witnesses
            if one.url
        ]

    def open_store(self, *, read_only: bool) -> LogStore:
        """The log's store. Raises ConfigurationError, SecondWriter, StorageError."""
        place = self.settings.log
        if place.store == "sqlite":
            return SqliteLog(self.path(place.path), read_only=read_only)
        from tidewaiter.storage.custody_postgres import PostgresLog

        return PostgresLog(place.address, place.schema_name, read_only=read_only)

    def create_store(self) -> LogStore:
        """A new, empty log. Raises ConfigurationError where one exists."""
        place = self.settings.log
        if place.store == "sqlite":
            return SqliteLog.create(self.path(place.path), self.settings.origin)
        from tidewaiter.storage.custody_postgres import PostgresLog

        return PostgresLog.create(
            place.address, self.settings.origin, place.schema_name, role=place.role
        )

    def open_blobs(self) -> BlobStore:
        """The store of the sealed media. Raises ConfigurationError, StorageError."""
        place = self.settings.media
        if place.store == "folder":
            return FolderOfBlobs(self.path(place.path))
        from tidewaiter.storage.custody_s3 import Bucket, BucketOfBlobs

        return BucketOfBlobs(
            Bucket(
                place.bucket,
                endpoint=place.endpoint,
                region=place.region,
                prefix=place.prefix,
                lock_days=place.lock_days,
            )
        )


@contextmanager
def opened_site(place: SitePlace, *, ask_witnesses: bool = True) -> Iterator[Site]:
    """The site, to write to; its witnesses are asked first what they confirmed last."""
    with ExitStack() as stack:
        store = place.open_store(read_only=False)
        stack.callback(store.close)
        log = open_log(store, place.log_key(), place.witnesses() if ask_witnesses else ())
        bring_up(store)
        site = _site(place, log, stack)
        # A wrapped key that is broken must not keep the site shut: with it still open, the
        # recording can be erased; the command that rotates says what is wrong.
        with suppress(IntegrityError):
            finish_rotations(site, place.class_keys())
        yield site


@contextmanager
def readable_site(place: SitePlace) -> Iterator[Site]:
    """The site, to read from beside its one writer; its key for the log is not needed."""
    with ExitStack() as stack:
        store = place.open_store(read_only=True)
        stack.callback(store.close)
        reader = SigningKey(place.settings.origin, ED25519_NOTE, bytes(SEED_BYTES))
        yield _site(place, CustodyLog(store, reader), stack)


def _site(place: SitePlace, log: CustodyLog, stack: ExitStack) -> Site:
    secrets = SqliteSecrets(place.path(place.settings.secrets))
    stack.callback(secrets.close)
    agent = SqliteAgent(place.path(place.settings.agent))
    stack.callback(agent.close)
    return Site(
        log=log,
        policy=place.read_policy(),
        blobs=place.open_blobs(),
        secrets=secrets,
        agent=agent,
        class_key=place.class_key,
        service=place.settings.service,
        now_ms=now_ms,
        random=os.urandom,
        next_class_key=place.class_keys().waiting,
    )


def now_ms() -> int:
    """The clock of this machine, in POSIX milliseconds."""
    return time.time_ns() // 1_000_000


def parse_policy(text: bytes, name: str) -> Policy:
    """A policy of the operator. Raises ConfigurationError."""
    try:
        return Policy.parse(text)
    except MalformedText as error:
        raise ConfigurationError(f"{name!r}: {error}") from error


def read_file(path: Path) -> bytes:
    """The bytes of a file of the site. Raises ConfigurationError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{path.name!r} of the site cannot be read ({error.strerror})"
        ) from error


def write_secret(path: Path, text: str) -> None:
    """Write a new file that only its owner reads. Raises ConfigurationError where it exists."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_new(path, text.encode("utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"{path.name!r} could not be made ({error.strerror}); a secret is never overwritten"
        ) from error


def _settings(path: Path) -> CustodySettings:
    try:
        return CustodySettings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"there is no custody site in {path.parent.name!r}: `tidewaiter custody init` makes "
            "one, --site names another folder"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{path.name!r} cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name!r} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"{path.name!r} says something unusable at {place!r}: {first['msg']}"
        ) from error
