"""Judge a video that its camera signed as ONVIF Media Signing prescribes.

Two answers, kept apart: whose key signed (provenance), and whether the pictures are those that
were signed (authenticity). Both are inputs to a record, never the verdict on a recording: the
signatures cover coded pictures only, not parameter sets, sound, times or the tail of the stream,
a camera signs what it is fed, and whoever drops the messages leaves a plain unsigned video.

The reference implementation consumes groups of pictures in the order in which messages arrive.
Here each message first looks for the pictures it describes by their hashes, so that a lost
message or group does not make its neighbours look altered; what then remains without a message
is judged by the hash lists, picture by picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from tidewaiter.custody.onvif_judging import MediaSigning, Stream, judge_stream
from tidewaiter.custody.onvif_matching import Item
from tidewaiter.custody.onvif_message import is_signing_message, parse_signing_message
from tidewaiter.custody.onvif_revocation import Revocations
from tidewaiter.custody.onvif_signer import NOTHING_REVOKED
from tidewaiter.errors import MalformedText
from tidewaiter.media.nal import H264_PICTURE, H264_SEI, HEVC_PICTURE, HEVC_SEI, unit_type

H264_GROUP_START, H264_HASHED = frozenset({5}), frozenset({1, 5})
"""Coded slices that are hashed: of these, a first slice of type 5 begins a group of pictures."""
HEVC_GROUP_START = frozenset(range(16, 22))
HEVC_HASHED = frozenset({0, 1}) | HEVC_GROUP_START


class OnvifReader:
    """Takes the units of a video in file order; `result` judges what was signed.

    Holds one hash per coded slice and the messages themselves, nothing of the pictures. A camera
    names its hash only after the first group of pictures: where `hash_seen` is not `hash_name`,
    the video must be read again with that.
    """

    def __init__(self, codec: str, hash_name: str = "sha256") -> None:
        """Codec "h264" or "hevc"."""
        self.codec, self.hash_name, self.hash_seen = codec, hash_name, hash_name
        self._sei = H264_SEI if codec == "h264" else HEVC_SEI
        self._hashed = H264_HASHED if codec == "h264" else HEVC_HASHED
        self._shown = H264_PICTURE if codec == "h264" else HEVC_PICTURE
        self._starts = H264_GROUP_START if codec == "h264" else HEVC_GROUP_START
        self._header = 1 if codec == "h264" else 2
        self._stream = Stream()
        self._anchor = b""

    def feed(self, units: Iterable[bytes]) -> None:
        """Note the units of one coded picture."""
        for unit in units:
            kind = unit_type(self.codec, unit)
            if kind in self._sei:
                self._note_message(unit)
            elif kind in self._hashed:
                self._note_slice(unit, kind)
            elif kind in self._shown:
                # A decoder shows them, so a stream that has some is not wholly signed.
                self._stream.uncovered += 1
        self._stream.pictures += 1

    def result(
        self, anchors: Sequence[bytes] = (), revocations: Revocations = NOTHING_REVOKED
    ) -> MediaSigning:
        """The judgement, by the operator's anchors (PEM) and what is known to be withdrawn.

        Raises MalformedText where the anchors cannot be read, and for nothing in the video.
        """
        return judge_stream(self._stream, anchors, revocations)

    def _note_message(self, unit: bytes) -> None:
        if not is_signing_message(unit, self._header):
            return
        stream = self._stream
        try:
            message = parse_signing_message(unit, self._header, self.hash_seen)
        except MalformedText as error:
            stream.unreadable.append(f"picture {stream.pictures}: {error}")
            return
        self.hash_seen = message.hash_name
        stream.places.append(len(stream.items))
        stream.messages.append(message)
        if not message.signature:
            self._note_item(message.signed, message=len(stream.messages) - 1)

    def _note_slice(self, unit: bytes, kind: int) -> None:
        # The first bit says "first slice": of H.265 directly, of H.264 because the number of
        # its first block, 0, is written as this one bit.
        is_first = len(unit) > self._header and bool(unit[self._header] & 0x80)
        if is_first and kind in self._starts:
            self._anchor = hashlib.new(self.hash_name, unit).digest()
            self._stream.items.append(Item(self._anchor, self._stream.pictures, is_start=True))
        else:
            self._note_item(unit)

    def _note_item(self, unit: bytes, *, message: int | None = None) -> None:
        own = hashlib.new(self.hash_name, unit).digest()
        linked = hashlib.new(self.hash_name, self._anchor + own).digest()
        item = Item(linked, self._stream.pictures, is_start=False, message=message)
        self._stream.items.append(item)
