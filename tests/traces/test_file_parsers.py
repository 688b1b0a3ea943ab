"""Readers of bytes from outside: what they find, and that nothing makes them hang or crash."""

# ruff: noqa: DTZ001 - times in files carry no zone
from __future__ import annotations

import io
import struct
import zlib
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from tidewaiter.traces.encoder_marks import read_encoder_marks
from tidewaiter.traces.exif import Exif, read_exif
from tidewaiter.traces.file_facts import read_video_facts
from tidewaiter.traces.generation import holds_recipe, names_generator
from tidewaiter.traces.heif_items import read_heif
from tidewaiter.traces.jpeg_segments import read_jpeg, table_quality
from tidewaiter.traces.matroska import read_matroska
from tidewaiter.traces.mp4_boxes import MAX_DEPTH, read_mp4
from tidewaiter.traces.png_chunks import MAX_TEXT_BYTES, SIGNATURE, read_png
from tidewaiter.traces.riders import profile_name, read_photoshop
from tidewaiter.traces.riff_chunks import read_riff
from tidewaiter.traces.shown import MAX_SHOWN, shown
from tidewaiter.traces.trailing import TrailingKind, read_trailing
from tidewaiter.traces.xmp import read_xmp

PIXELS = np.random.default_rng(5).integers(0, 255, (40, 56, 3), dtype=np.uint8)
HISTORY = """<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Kit 1"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
 xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
 xmlns:stRef="http://ns.adobe.com/xap/1.0/sType/ResourceRef#"
 xmp:CreatorTool="Adobe Photoshop 25.0" xmp:ModifyDate="2024-03-02T10:00:00+02:00">
 <xmpMM:DerivedFrom stRef:documentID="a"/>
 <xmpMM:History><rdf:Seq>
  <rdf:li stEvt:action="created" stEvt:when="2024-03-01" stEvt:softwareAgent="Adobe Photoshop"/>
  <rdf:li rdf:parseType="Resource"><stEvt:action>saved</stEvt:action>
   <stEvt:when>2024-03-02</stEvt:when></rdf:li>
 </rdf:Seq></xmpMM:History></rdf:Description></rdf:RDF></x:xmpmeta>"""


def jpeg(**options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, "JPEG", **options)
    return stream.getvalue()


def exif_bytes() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = "Canon", "EOS", "Firmware 1"
    exif[0x0132] = "2024:02:01 10:00:00"
    inner = exif.get_ifd(0x8769)
    inner[0x9003], inner[0xA002], inner[0xA003] = "2024:02:01 09:59:00", 4000, 3000
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (IFDRational(59), IFDRational(30), IFDRational(0))
    gps[3], gps[4] = "W", (IFDRational(10), IFDRational(15), IFDRational(0))
    gps[7], gps[29] = (IFDRational(8), IFDRational(1), IFDRational(2)), "2024:02:01"
    return exif.tobytes()


def read(data: bytes) -> Exif:
    return read_exif(data.removeprefix(b"Exif\0\0"))


def box(kind: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">L4s", 8 + len(body), kind) + body


def mp4(data: bytes) -> object:
    return read_mp4(io.BytesIO(data), len(data))


class TestShown:
    def test_cuts_and_replaces_what_cannot_be_seen(self) -> None:
        assert shown(b"abc\0\0") == "abc"
        assert shown("a\u202eb\x1b[31m") == "a\ufffdb\ufffd[31m"
        assert shown("line\nline\t2") == "line line 2"
        assert len(shown("x" * 5000)) == MAX_SHOWN
        assert shown("é".encode() * 5000).startswith("éé")
        assert shown(b"\xe9t\xe9") == "été"

    @given(st.one_of(st.binary(max_size=2000), st.text(max_size=2000)))
    def test_never_longer_never_a_control_character(self, value: bytes | str) -> None:
        words = shown(value)
        assert len(words) <= MAX_SHOWN
        assert words.isprintable()


class TestJpeg:
    @pytest.mark.parametrize("quality", [1, 30, 50, 75, 90, 95, 100])
    def test_standard_tables_name_their_quality(self, quality: int) -> None:
        found = table_quality(read_jpeg(jpeg(quality=quality)).tables)
        assert found is not None
        assert (found.quality, found.exact) == (quality, True)

    def test_own_tables_are_not_exact(self) -> None:
        table = [3] * 32 + [9] * 32
        found = table_quality(read_jpeg(jpeg(qtables=[table, table])).tables)
        assert found is not None
        assert not found.exact

    def test_layout(self) -> None:
        data = jpeg(quality=80, progressive=True, comment=b"hello", exif=exif_bytes())
        layout = read_jpeg(data + b"tail")
        assert (layout.width, layout.height, layout.progressive) == (56, 40, True)
        assert layout.end == len(data)
        assert layout.comments == ("hello",)
        assert layout.segments[0].name == "APP0 JFIF"
        assert layout.exif is not None
        assert layout.problems == ()

    def test_truncation_is_named(self) -> None:
        layout = read_jpeg(jpeg()[:-200])
        assert layout.end is None
        assert len(layout.problems) == 1

    def test_endless_markers_end(self) -> None:
        layout = read_jpeg(b"\xff\xd8" + b"\xff\xfe\0\2" * 100_000)
        assert layout.end is None
        assert "more than" in str(layout.problems[0])


class TestExif:
    def test_reads_what_pillow_wrote(self) -> None:
        found = read(exif_bytes())
        assert found.texts["make"] == "Canon"
        assert found.time("taken") == datetime(2024, 2, 1, 9, 59)
        assert found.gps_time == datetime(2024, 2, 1, 8, 1, 2)
        assert found.place == pytest.approx((59.5, -10.25))
        assert found.numbers["width"] == (4000,)
        assert found.problems == ()

    def test_directories_in_a_circle(self) -> None:
        entry = struct.pack("<HHLL", 0x8769, 4, 1, 8)
        data = b"II*\0" + struct.pack("<LH", 8, 1) + entry + struct.pack("<L", 8)
        assert "circle" in str(read_exif(data).problems[0])

    def test_lying_counts_stay_small(self) -> None:
        entry = struct.pack("<HHLL", 0x010F, 2, 0xFFFFFFFF, 26)
        data = b"II*\0" + struct.pack("<LH", 8, 1) + entry + b"\0" * 4 + b"x" * 300_000
        assert len(read_exif(data).texts["make"]) == MAX_SHOWN
        crowded = b"II*\0" + struct.pack("<LH", 8, 0xFFFF) + b"\0" * 100
        assert "65535" in str(read_exif(crowded).problems[0])

    @pytest.mark.parametrize(
        "text", ["0000:00:00 00:00:00", "", "    :  :     :  :  ", "2024:13:01 0"]
    )
    def test_impossible_times_are_no_times(self, text: str) -> None:
        assert Exif(texts={"taken": text}).time("taken") is None

    def test_generator_settings_in_the_comment(self) -> None:
        exif = Image.Exif()
        words = "a port at night " * 30 + "Steps: 20, Sampler: Euler a, CFG scale: 7"
        exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + words.encode("utf-16-le")
        assert read(exif.tobytes()).recipe


class TestXmp:
    def test_history_and_values(self) -> None:
        found = read_xmp(HISTORY.encode())
        assert found.values["xmp:CreatorTool"] == "Adobe Photoshop 25.0"
        assert found.time("xmp:ModifyDate") == datetime(2024, 3, 2, 10)
        assert [event.action for event in found.history] == ["created", "saved"]
        assert found.history[0].software == "Adobe Photoshop"
        assert found.derived
        assert found.problems == ()

    def test_entity_bomb_is_refused(self) -> None:
        bomb = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
        assert "entities" in str(read_xmp(bomb).problems[0])

    @pytest.mark.parametrize(
        "packet",
        [b"<a>" * 200_000, b"<r>" + b"<a/>" * 100_000, b"<a><b></a>", b"", b"\xff\xfe<", b"\0" * 9],
    )
    def test_hostile_packets_end_in_a_problem(self, packet: bytes) -> None:
        assert len(read_xmp(packet).problems) == 1

    def test_huge_packet_is_not_read(self) -> None:
        assert "bytes of XMP" in str(read_xmp(b" " * 3_000_000).problems[0])


class TestPng:
    @staticmethod
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">L4s", len(body), kind) + body + struct.pack(">L", zlib.crc32(kind + body))
        )

    def test_texts_and_end(self) -> None:
        texts = (
            self.chunk(b"tEXt", b"parameters\0" + b"w " * 300 + b"Steps: 20, Sampler: Euler")
            + self.chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"words"))
            + self.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + HISTORY.encode())
        )
        data = SIGNATURE + texts + self.chunk(b"IEND", b"")
        layout = read_png(data + b"tail")
        assert layout.recipes == ("parameters",)
        assert dict(layout.texts)["Comment"] == "words"
        assert layout.xmp == HISTORY.encode()
        assert layout.end == len(data)

    def test_inflating_is_bounded(self) -> None:
        bomb = zlib.compress(b"\0" * (8 * MAX_TEXT_BYTES), 9)
        data = SIGNATURE + self.chunk(b"iCCP", b"n\0\0" + bomb) + self.chunk(b"IEND", b"")
        assert len(read_png(data).icc or b"") == MAX_TEXT_BYTES


class TestMp4:
    def test_lying_sizes_are_named_and_cut(self) -> None:
        data = box(b"ftyp", b"isom\0\0\0\0mp42") + struct.pack(">L4s", 5000, b"mdat") + b"x" * 20
        found = mp4(data)
        assert found.brand == "isom"
        assert found.promised_end == 5000 + 20
        assert "mdat" in str(found.problems[0])

    def test_wide_size_beyond_everything(self) -> None:
        data = box(b"ftyp", b"isom" + b"\0" * 8) + struct.pack(">L4sQ", 1, b"moov", 2**64 - 1)
        assert mp4(data).promised_end == 20 + 2**64 - 1

    def test_zero_and_tiny_sizes_end(self) -> None:
        assert mp4(struct.pack(">L4s", 0, b"mdat") * 3).top == (("mdat", 24),)
        assert mp4(struct.pack(">L4s", 3, b"free") * 3).problems
        assert mp4(b"\0" * 64).problems == ()

    def test_depth_is_bounded(self) -> None:
        data = b"x"
        for _ in range(200):
            data = box(b"udta", data)
        assert str(MAX_DEPTH) in str(mp4(data).problems[0])

    def test_times_edits_words(self) -> None:
        header = struct.pack(">4xLLLL", 3_800_000_000, 3_800_000_000, 1000, 5000)
        track = box(
            b"trak",
            box(b"tkhd", struct.pack(">4xLLLLL", 3_800_000_000, 3_800_000_000, 1, 0, 5000)),
            box(b"edts", box(b"elst", struct.pack(">4xLLl4x", 1, 5000, 90_000 * 3))),
            box(
                b"mdia",
                box(b"mdhd", struct.pack(">4xLLLL", 0, 0, 90_000, 90_000 * 8)),
                box(b"hdlr", b"\0" * 8 + b"vide" + b"\0" * 12 + b"Core Media Video\0"),
                box(b"minf", box(b"stbl", box(b"stts", struct.pack(">4xLLL", 1, 240, 3000)))),
            ),
        )
        words = box(b"udta", box(b"\xa9too", b"\0\x0d\0\0Lavf60.1.100"))
        keys = box(b"keys", struct.pack(">4xL", 1), struct.pack(">L4s", 12, b"mdta") + b"make")
        items = box(b"ilst", box(b"\0\0\0\1", box(b"data", b"\0" * 8 + b"Apple")))
        meta = box(b"meta", box(b"hdlr", b"\0" * 8 + b"mdta" + b"\0" * 12), keys, items)
        found = mp4(box(b"moov", box(b"mvhd", header), track, words, meta) + box(b"mdat", b"x" * 9))
        assert found.created == datetime(2024, 5, 31, 11, 33, 20)
        assert found.tracks[0].kind == "vide"
        assert found.tracks[0].handler == "Core Media Video"
        assert found.tracks[0].samples_span_s == pytest.approx(8.0)
        assert found.tracks[0].edits[0].media_s == pytest.approx(3.0)
        assert dict(found.words) == {"©too": "Lavf60.1.100", "make": "Apple"}
        assert [name for name, _ in found.top] == ["moov", "mdat"]


class TestOthers:
    def test_webm_names_its_programs(self) -> None:
        import av

        stream = io.BytesIO()
        stream.name = "a.webm"
        with av.open(stream, "w", format="webm") as container:
            video = container.add_stream("libvpx", rate=10)
            video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
            container.mux(video.encode(av.VideoFrame(32, 32, "yuv420p")))
            container.mux(video.encode())
        data = stream.getvalue()
        found = read_matroska(io.BytesIO(data), len(data))
        assert found.doc_type == "webm"
        assert found.muxer.startswith("Lavf")

    def test_avi_names_its_program(self) -> None:
        info = (
            b"LIST" + struct.pack("<L", 4 + 8 + 6) + b"INFOISFT" + struct.pack("<L", 6) + b"Lavf60"
        )
        data = b"RIFF" + struct.pack("<L", 4 + len(info)) + b"AVI " + info
        found = read_riff(io.BytesIO(data), len(data))
        assert found.words == (("ISFT", "Lavf60"),)
        assert found.end == len(data)

    def test_x264_settings(self) -> None:
        data = b"\0" * 100 + b"x264 - core 164 r3095 - crf=23.0\0" + b"\1" * 50
        assert read_encoder_marks(io.BytesIO(data), 8).names == (
            "x264 - core 164 r3095 - crf=23.0",
        )

    @pytest.mark.parametrize(
        ("tail", "kind"),
        [
            (b"\0" * 50, TrailingKind.PADDING),
            (b"PK\x03\x04rest", TrailingKind.ARCHIVE),
            (b"junk" * 9 + b"PK\x05\x06" + b"\0" * 18, TrailingKind.ARCHIVE),
            (b"\xff\xd8\xff\xe1", TrailingKind.PICTURE),
            (b"\0\0\0\x18ftypmp42", TrailingKind.VIDEO),
            (b"<?php echo", TrailingKind.PROGRAM),
            (b"just words here", TrailingKind.TEXT),
            (b"\1\2\3\4" * 9 + b"SEFT", TrailingKind.PHONE),
            (bytes(range(128, 250)), TrailingKind.UNKNOWN),
        ],
    )
    def test_kinds_of_trailing_bytes(self, tail: bytes, kind: TrailingKind) -> None:
        found = read_trailing(b"picture" + tail, 7)
        assert found is not None
        assert (found.kind, found.byte_length) == (kind, len(tail))

    def test_photoshop_fields(self) -> None:
        fields = b"\x1c\x02\x50\0\x04Anna" + b"\x1c\x02\x6e\0\x03AFP"
        data = b"8BIM\x04\x04\0\0" + struct.pack(">L", len(fields)) + fields
        assert read_photoshop(data).fields == {"by_line": "Anna", "credit": "AFP"}

    def test_profile_name(self) -> None:
        from PIL import ImageCms

        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        assert "sRGB" in profile_name(profile)

    @pytest.mark.parametrize(
        ("keyword", "words", "expected"),
        [
            ("parameters", "harbour\nSteps: 30, Sampler: DPM++", True),
            ("workflow", '{"nodes": [1]}', True),
            ("prompt", '{"3": {"class_type": "KSampler"}}', True),
            ("prompt", "please reply quickly", False),
            ("Comment", "Steps: 12 to the door", False),
        ],
    )
    def test_generation_settings(self, keyword: str, words: str, expected: bool) -> None:
        assert holds_recipe(keyword, words) is expected

    def test_generator_names(self) -> None:
        assert names_generator("Made with Google AI")
        assert not names_generator("Google Photos")


READERS = [
    read_jpeg,
    read_exif,
    read_png,
    read_xmp,
    read_photoshop,
    profile_name,
    lambda data: read_mp4(io.BytesIO(data), len(data)),
    lambda data: read_matroska(io.BytesIO(data), len(data)),
    lambda data: read_riff(io.BytesIO(data), len(data)),
    lambda data: read_video_facts(io.BytesIO(data), len(data)),
    read_heif,
]
SEEDS = [
    jpeg(exif=exif_bytes()),
    exif_bytes()[6:],
    SIGNATURE + TestPng.chunk(b"tEXt", b"a\0b") + TestPng.chunk(b"IEND", b""),
    HISTORY.encode(),
    b"8BIM\x04\x04\0\0\0\0\0\x09\x1c\x02\x50\0\x04Anna",
    b"\0" * 128 + struct.pack(">L4sLL", 1, b"desc", 144, 20) + b"desc" + b"\0" * 30,
    box(b"moov", box(b"mvhd", b"\0" * 100), box(b"trak", box(b"tkhd", b"\0" * 90))),
    bytes.fromhex("1a45dfa3844282846d6b7601185380678f1549a9668a4d80847465737457418274"),
    b"RIFF\x20\0\0\0AVI LIST\x12\0\0\0INFOISFT\x06\0\0\0Lavf60",
    box(b"ftyp", b"isom" + b"\0" * 8) + box(b"mdat", b"x264 - core 1"),
    box(
        b"meta",
        b"\0" * 4,
        box(b"iinf", b"\0" * 4 + b"\0\1", box(b"infe", b"\2\0\0\0\0\1\0\0Exif\0")),
        box(b"iloc", bytes.fromhex("01000000440000010001000000000001000000100000000c")),
    ),
]


@pytest.mark.parametrize("index", range(len(READERS)))
@settings(max_examples=150, deadline=2000)
@given(data=st.data())
def test_no_bytes_make_a_reader_raise(index: int, data: st.DataObject) -> None:
    seed = bytearray(SEEDS[index])
    for _ in range(data.draw(st.integers(0, 6))):
        place = data.draw(st.integers(0, len(seed)))
        seed[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=6))
    for hostile in (bytes(seed), data.draw(st.binary(max_size=300))):
        assert READERS[index](hostile) == READERS[index](hostile), "a reader must be repeatable"
