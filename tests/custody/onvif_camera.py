"""A camera that signs what it is given as ONVIF Media Signing prescribes; no encoder needed.

Pictures are letters: I begins a group, P follows, i and p are further slices of the same picture,
V is a parameter set, X a unit nobody hashes, Z a message of somebody else. Messages come out as S
(signed), s (a later one vouches for it) and G (certificates only).
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tidewaiter.custody.onvif import OnvifReader
from tidewaiter.custody.onvif_judging import MediaSigning
from tidewaiter.custody.onvif_message import (
    CERTIFICATE_MESSAGE,
    CERTIFICATES,
    CRYPTO,
    GENERAL,
    HASH_LIST,
    HASHES,
    ONVIF_UUID,
    SIGNATURE,
    SIGNED_WITH_ESCAPES,
    VENDOR,
)
from tidewaiter.media.nal import Splitter, unit_type

DAY = dt.timedelta(days=1)
NOW = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)
TICKS_1970 = 134_774 * 864_000_000_000
KINDS = {
    "h264": {"I": 0x65, "i": 0x65, "P": 0x41, "p": 0x41, "V": 0x67, "X": 0x6C},
    "hevc": {"I": 19, "i": 19, "P": 1, "p": 1, "V": 33, "X": 38},
}


@dataclass(frozen=True)
class Unit:
    letter: str
    data: bytes


@dataclass(frozen=True)
class Identity:
    """A camera's key with its chain (PEM, without the anchor), and the anchor (PEM)."""

    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    chain: bytes
    anchor: bytes


def certificate(subject, key, issuer, issuer_key, *, days=(-400, 400), ca=False, usage=None):
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + days[0] * DAY)
        .not_valid_after(NOW + days[1] * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if usage is not None:
        flags = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
             "key_agreement", "crl_sign", "encipher_only", "decipher_only"), False)  # fmt: skip
        builder = builder.add_extension(x509.KeyUsage(key_cert_sign=usage, **flags), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


@functools.cache
def identity(name="camera 1", kind="ec", days=(-400, 400), *, between=True, ca=True) -> Identity:
    root_key, factory_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if kind == "ec"
        else rsa.generate_private_key(65537, 2048)
    )
    root = certificate("Root", root_key, "Root", root_key, ca=True)
    factory = certificate("Factory", factory_key, "Root", root_key, ca=ca)
    issuer, issuer_key = ("Factory", factory_key) if between else ("Root", root_key)
    leaf = certificate(name, key, issuer, issuer_key, days=days)
    chain = pem(leaf) + (pem(factory) if between else b"")
    return Identity(key, chain, pem(root))


def pem(one) -> bytes:
    return one.public_bytes(serialization.Encoding.PEM)


@dataclass
class Camera:
    """Signs units as they come; every setting is one that the specification leaves open."""

    codec: str = "h264"
    version: int = 2
    identity: Identity = field(default_factory=identity)
    hash_name: str = "sha256"
    hash_list: bool = True
    escapes: str = "signed"
    """"signed" over escaped bytes, "after" signing, or "none" at all (as some writers do)."""

    partial: int = 0
    sign_every: int = 1
    delay: int = 0
    """Pictures by which a message comes late, as when signing takes its time."""

    certificates: bool = True
    start: int = TICKS_1970 + round(NOW.timestamp() * 10**7)
    counter: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        self.anchor, self.hashes, self.link, self.number = b"", [], bytes(64), 0
        self.pending: list[tuple[int, Unit]] = []

    def sign(self, letters: str) -> list[Unit]:
        """Units for these letters, with messages among them."""
        return self.sign_units([self.unit(letter) for letter in letters])

    def sign_units(self, given: list[Unit]) -> list[Unit]:
        """These units with messages among them, each behind the picture that called for it."""
        units: list[Unit] = []
        for number, unit in enumerate(given):
            full = self.partial and len(self.hashes) >= self.partial and unit.letter in "IP"
            if (unit.letter == "I" or full) and self.hashes:
                message = self.message(is_partial=unit.letter != "I")
                self.pending.append((self.delay, message))
            self._hash(unit)
            units.append(unit)
            following = given[number + 1].letter if number + 1 < len(given) else ""
            if following not in ("i", "p"):
                units += self._due()
        return units

    def _due(self) -> list[Unit]:
        """The messages that come behind this picture; the others wait for one picture less."""
        due = [message for left, message in self.pending if left == 0]
        self.pending = [(left - 1, message) for left, message in self.pending if left]
        for message in due:
            if message.letter == "s":
                self._add(message.data)
        return due

    def golden(self) -> Unit:
        """A message that carries only the certificates."""
        parts = self._crypto() + _part(CERTIFICATES, b"\x01\x00" + self.identity.chain)
        return Unit("G", self._unit(CERTIFICATE_MESSAGE, parts, is_signed=True))

    def unit(self, letter: str) -> Unit:
        self.number += 1
        body = hashlib.shake_128(b"%d/%d" % (self.seed, self.number)).digest(24)
        if letter == "Z":
            payload = bytes(range(16)) + body
            return Unit(letter, self._header("S") + bytes((5, len(payload))) + payload + b"\x80")
        first = 0x80 if letter in "IPVX" else 0x40
        return Unit(
            letter, self._header(letter) + bytes((first | body[0] & 0x3F,)) + body + b"\x01"
        )

    def message(self, *, is_partial: bool = False) -> Unit:
        """The message about what was hashed since the last one."""
        self.counter += 1
        joint = self._digest(b"".join(self.hashes))
        size = len(joint)
        end = (self.start + 10**7).to_bytes(8, "big", signed=True) if self.version == 2 else b""
        general = (
            bytes((self.version, 0, 0, 5, is_partial))
            + self.start.to_bytes(8, "big", signed=True)
            + end
            + self.counter.to_bytes(4, "big")
            + len(self.hashes).to_bytes(2, "big")
            + joint
            + self.link[:size]
        )
        words = b"".join(
            bytes((len(w),)) + w for w in (b"1.2", b"\x00\x00\x01\x00\x00\x00", b"Maker")
        )
        parts = self._crypto() + _part(VENDOR, b"\x01" + words) + _part(GENERAL, general)
        if self.hash_list:
            parts += _part(HASH_LIST, b"\x01" + b"".join(self.hashes))
        if self.certificates:
            parts += _part(CERTIFICATES, b"\x01\x00" + self.identity.chain)
        is_signed = self.counter % self.sign_every == 0
        self.link, self.hashes = self.hashes[0], []
        self.start += 2 * 10**7
        flags = SIGNED_WITH_ESCAPES if self.escapes == "signed" else 0
        return Unit("S" if is_signed else "s", self._unit(flags, parts, is_signed=is_signed))

    def _unit(self, flags: int, parts: bytes, *, is_signed: bool) -> bytes:
        length = 80 if isinstance(self.identity.key, ec.EllipticCurvePrivateKey) else 256
        tail = 3 + 3 + length if is_signed else 0
        size = len(ONVIF_UUID) + 1 + len(parts) + tail
        head = self._header("S") + b"\x05" + b"\xff" * (size // 255) + bytes((size % 255,))
        plain = head + ONVIF_UUID + bytes((flags,)) + parts
        if is_signed:
            signed = escape(plain) if flags & SIGNED_WITH_ESCAPES else plain
            signature = self._sign(signed)
            value = b"\x01" + len(signature).to_bytes(2, "big") + signature.ljust(length, b"\x01")
            plain += _part(SIGNATURE, value)
        plain += b"\x80"
        return plain if self.escapes == "none" else escape(plain)

    def _sign(self, data: bytes) -> bytes:
        used = {"sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}
        if isinstance(self.identity.key, rsa.RSAPrivateKey):
            return self.identity.key.sign(data, padding.PKCS1v15(), used[self.hash_name]())
        return self.identity.key.sign(data, ec.ECDSA(used[self.hash_name]()))

    def _crypto(self) -> bytes:
        name = next(der for der, known in HASHES.items() if known == self.hash_name)
        return _part(CRYPTO, bytes((1, len(name))) + name + bytes(3))

    def _header(self, letter: str) -> bytes:
        if self.codec == "h264":
            return bytes((6 if letter == "S" else KINDS["h264"][letter],))
        return bytes(((39 if letter == "S" else KINDS["hevc"][letter]) << 1, 1))

    def _digest(self, data: bytes) -> bytes:
        return hashlib.new(self.hash_name, data).digest()

    def _hash(self, unit: Unit) -> None:
        if unit.letter == "I":
            self.anchor = self._digest(unit.data)
            self.hashes.append(self.anchor)
        elif unit.letter in "iPp":
            self._add(unit.data)

    def _add(self, data: bytes) -> None:
        if self.escapes == "after":
            data = unescape(data)
        self.hashes.append(self._digest(self.anchor + self._digest(data)))


def judged(units: list[Unit], camera: Camera, anchors=None) -> MediaSigning:
    """What the validator says of these units."""
    reader = read(units, camera.codec)
    if reader.hash_seen != reader.hash_name:
        reader = read(units, camera.codec, reader.hash_seen)
    return reader.result([camera.identity.anchor] if anchors is None else anchors)


def read(units: list[Unit], codec: str, hash_name: str = "sha256") -> OnvifReader:
    reader, picture = OnvifReader(codec, hash_name), []
    for unit in units:
        if unit.letter in "IP" and any(one.letter in "IP" for one in picture):
            reader.feed([one.data for one in picture])
            picture = []
        picture.append(unit)
    reader.feed([one.data for one in picture])
    return reader


def signed_copy(source: Path, target: Path, camera: Camera) -> Path:
    """A recording in H.264 or H.265 with the camera's messages put into it."""
    import av

    with av.open(str(source)) as given, av.open(str(target), "w") as output:
        stream = given.streams.video[0]
        splitter = Splitter(camera.codec, bytes(stream.codec_context.extradata))
        packets = [packet for packet in given.demux(stream) if packet.size]
        slices = [list(splitter.in_order(bytes(packet))) for packet in packets]
        letters = ["I" if packet.is_keyframe else "P" for packet in packets]
        pictures = [
            Unit(letter, unit)
            for letter, units in zip(letters, slices, strict=True)
            for unit in units
            if unit_type(camera.codec, unit) in (1, 5, 0, 19, 20)
        ]
        assert len(pictures) == len(packets)
        signed, place = camera.sign_units(pictures), 0
        copy = output.add_stream_from_template(stream)
        waiting: list[bytes] = []
        for unit in signed:
            if unit.letter not in "IP":
                waiting.append(unit.data)
                continue
            packet = packets[place]
            data = b"".join(len(one).to_bytes(4, "big") + one for one in [*waiting, unit.data])
            fresh = av.Packet(data)
            fresh.pts, fresh.dts, fresh.duration = packet.pts, packet.dts, packet.duration
            fresh.time_base, fresh.stream = packet.time_base, copy
            fresh.is_keyframe = packet.is_keyframe
            output.mux(fresh)
            waiting, place = [], place + 1
    return target


def letters(units: list[Unit]) -> str:
    return "".join(unit.letter for unit in units)


def changed(unit: Unit, at: int = -4) -> Unit:
    """The unit with one byte inverted."""
    data = bytearray(unit.data)
    data[at] ^= 0xFF
    return replace(unit, data=bytes(data))


def escape(data: bytes) -> bytes:
    out, zeros = bytearray(), 0
    for byte in data:
        if zeros == 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = min(zeros + 1, 2) if byte == 0 else 0
    return bytes(out)


def unescape(data: bytes) -> bytes:
    return data.replace(b"\x00\x00\x03", b"\x00\x00")


def _part(tag: int, value: bytes) -> bytes:
    return bytes((tag,)) + len(value).to_bytes(2, "big") + value


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
