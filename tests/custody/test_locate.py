"""A copy compared with its original, end to end from made files to the verdict."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.custody.recordings import RATE, doubled, mixed, pictures, remux, tones, write
from tidewaiter.casework.manifests import take_manifest
from tidewaiter.custody.locate import compare
from tidewaiter.custody.masks import Mask
from tidewaiter.settings import Limits

FRAMES = 200
COARSE = {"crf": "28", "g": "50"}


@pytest.fixture(scope="module")
def scene():
    return pictures(FRAMES), tones(FRAMES / 25)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("compared")


@pytest.fixture(scope="module")
def original(scene, folder):
    return take_manifest(write(folder / "original.mp4", *scene), Limits())


@pytest.fixture
def judged(original, folder, request):
    def judge(frames, sound, **choices):
        path = folder / f"{request.node.name.replace('[', '_').replace(']', '')}.mp4"
        choices.setdefault("options", COARSE)
        copy = take_manifest(write(path, frames, sound, **choices), Limits())
        return compare(original, copy)

    return judge


def kinds(found):
    return [item.kind for item in found.differences]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("copy.mkv", {}),
        ("copy.ts", {}),
        ("copy.mov", {}),
        ("parts.mp4", {"movflags": "frag_keyframe+empty_moov"}),
    ],
)
def test_a_remux_is_unchanged(original, folder, name, options):
    path = remux(folder / "original.mp4", folder / name, **options)
    found = compare(original, take_manifest(path, Limits()))
    assert (found.verdict, found.carrier) == ("unchanged", "remuxed")
    assert not found.differences


def test_the_same_file_is_unchanged(original):
    assert compare(original, original).carrier == "same_file"


def test_a_smaller_copy_is_transcoded(judged, scene):
    found = judged(*scene, size=(120, 68))
    assert (found.verdict, kinds(found)) == ("transcoded", [])


def test_a_cut_of_pictures_and_sound_is_one_difference(judged, scene):
    frames, sound = scene
    kept = np.r_[0:80, 120:FRAMES]
    cut = np.concatenate([sound[: int(3.2 * RATE)], sound[int(4.8 * RATE) :]])
    found = judged(frames[kept], cut)
    assert kinds(found) == ["removed"]
    [item] = found.differences
    assert abs(item.copy.start - 80) <= 2
    assert abs(item.original.end - item.original.start - 40) <= 2


def test_a_repeated_stretch_names_where_it_was_taken_from(judged, scene):
    frames, sound = scene
    order = np.r_[0:130, 80:130, 130:FRAMES]
    found = judged(frames[order], sound)
    item = next(item for item in found.differences if item.kind == "repeated")
    assert abs(item.copy.start - 130) <= 3
    assert abs(item.from_original.start - 80) <= 3


def test_stretches_that_change_places_are_moved_and_not_painted_over(judged, scene):
    frames, sound = scene
    order = np.r_[0:40, 110:150, 80:110, 40:80, 150:FRAMES]
    found = [item for item in judged(frames[order], sound).differences if item.place is None]
    assert {item.kind for item in found} <= {"moved", "moved_away"}
    edges = {edge for item in found for edge in (item.copy.start, item.copy.end)}
    assert all(min(abs(edge - place) for edge in edges) <= 2 for place in (40, 80, 110, 150))


def test_a_painted_region_is_framed(judged, scene):
    frames, sound = scene
    painted = frames.copy()
    painted[80:140, 40:60, 20:40] = 10
    found = judged(painted, sound)
    assert kinds(found) == ["painted"]
    [item] = found.differences
    assert abs(item.copy.start - 80) <= 3
    assert abs(item.copy.end - 140) <= 3
    assert item.place.left == pytest.approx(20 / 160, abs=0.04)
    assert item.place.bottom == pytest.approx(60 / 90, abs=0.06)


@pytest.mark.parametrize(
    ("rows", "verdict"), [(slice(7, 8), "transcoded"), (slice(3, 4), "altered")]
)
def test_what_passes_beside_the_clock_is_not_the_clock(original, rows, verdict):
    """A box that falls between points of a smaller copy shows a little of what lies outside."""
    random = np.random.default_rng(5)
    clock = random.integers(0, 16 * 230, (8, FRAMES // 25, 64)).repeat(25, axis=1).swapaxes(0, 1)
    shown = np.clip(clock + random.normal(0, 8, clock.shape), 0, None)
    shown[60:90, rows, 20:24] += 16 * 60
    prints = dataclasses.replace(original.prints, clock=clock.astype(np.uint16))
    copy = dataclasses.replace(
        prints, clock=shown.astype(np.uint16), picture_hash=~prints.picture_hash
    )
    found = compare(
        dataclasses.replace(original, prints=prints),
        dataclasses.replace(original, sha256="0" * 64, prints=copy),
    )
    assert found.verdict == verdict
    assert [item.measure for item in found.differences] == ["clock_residual"] * (
        verdict == "altered"
    )


def test_what_a_mask_covers_may_differ_and_nothing_else(original, scene, folder):
    frames, sound = scene
    blurred = frames.copy()
    blurred[50:150, 30:60, 64:96] = 128
    copy = take_manifest(write(folder / "blurred.mp4", blurred, sound, options=COARSE), Limits())
    mask = Mask(2.0, 6.0, 64 / 160, 30 / 90, 96 / 160, 60 / 90)
    assert compare(original, copy, masks=[mask]).verdict == "transcoded"
    assert kinds(compare(original, copy)) == ["painted"]
    blurred[100:130, 70:85, 10:30] = 200
    more = take_manifest(write(folder / "more.mp4", blurred, sound, options=COARSE), Limits())
    [item] = compare(original, more, masks=[mask]).differences
    assert item.place.top > 0.6


@pytest.fixture(scope="module")
def static():
    """A still scene in which almost nothing moves: a mask is then most of what changes."""
    random = np.random.default_rng(1)
    row, column = np.mgrid[0:90, 0:160]
    still = 90 + 60 * np.sin(column / 45) + 40 * np.cos(row / 25)
    frames = np.repeat(still[None], 75, axis=0)
    for index in range(75):
        frames[index, 45:60, 10 + index : 30 + index] = 200
    return np.clip(frames + random.normal(0, 3, frames.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("first", "last"), [(50, 75), (5, 70)])
def test_a_black_box_over_a_static_scene_is_what_its_mask_says(static, folder, first, last):
    """Neither are its moments taken for others, nor what it uncovers for painted over."""
    original = take_manifest(write(folder / f"static{first}.mp4", static), Limits())
    boxed = static.copy()
    boxed[first:last, 18:32, 16:32] = 0
    mask = Mask(first / 25, last / 25, 16 / 160, 18 / 90, 32 / 160, 32 / 90)
    path = write(folder / f"boxed{first}.mp4", boxed, options=COARSE)
    assert compare(original, take_manifest(path, Limits()), masks=[mask]).verdict == "transcoded"
    boxed[20:45, 65:85, 110:135] = 90
    path = write(folder / f"more{first}.mp4", boxed, options=COARSE)
    [item] = compare(original, take_manifest(path, Limits()), masks=[mask]).differences
    assert item.kind == "painted"
    assert item.place.top > 0.6


def test_a_mask_over_everything_hides_no_other_moments(static, folder):
    """Where a mask leaves too little to tell moments by, all of the picture is used."""
    original = take_manifest(write(folder / "whole.mp4", static), Limits())
    cut = np.concatenate([static[:20], static[45:]])
    copy = take_manifest(write(folder / "cut.mp4", cut, options=COARSE), Limits())
    found = compare(original, copy, masks=[Mask(0.0, 0.4, 0.0, 0.0, 1.0, 1.0)])
    assert "removed" in kinds(found)


def test_times_rounded_to_milliseconds_are_no_other_rate(original):
    """Matroska's median step at 29.83 frames a second is 1.5 % off; its mean is not."""
    even = np.arange(FRAMES) * 33_520
    prints = dataclasses.replace(original.prints, frame_time=even)
    rounded = dataclasses.replace(
        prints,
        frame_time=np.rint(even / 1000).astype(np.int64) * 1000,
        picture_hash=~prints.picture_hash,
    )
    copy = dataclasses.replace(original, sha256="0" * 64, prints=rounded)
    found = compare(dataclasses.replace(original, prints=prints), copy)
    assert (found.verdict, found.notes) == ("transcoded", ())


def test_frames_shown_faster_are_named(judged, scene):
    found = judged(*scene, fps=50)
    assert kinds(found)[0] == "sped_up"
    assert found.differences[0].level == pytest.approx(2.0, abs=0.01)


def test_silence_and_other_sound_are_told_apart(judged, scene):
    frames, sound = scene
    changed = sound.copy()
    changed[2 * RATE : 3 * RATE] = 0
    changed[5 * RATE : 6 * RATE] = tones(1, seed=9)
    found = judged(frames, changed)
    assert kinds(found) == ["sound_muted", "sound_replaced"]
    assert [round(item.copy.start_s) for item in found.differences] == [2, 5]


def test_sound_cut_while_pictures_run_on_is_missing(judged, scene):
    frames, sound = scene
    found = judged(frames, np.concatenate([sound[: 3 * RATE], sound[5 * RATE :]]))
    assert "sound_removed" in kinds(found)
    item = next(item for item in found.differences if item.kind == "sound_removed")
    assert item.original.start_s == pytest.approx(3.0, abs=0.3)


def test_a_copy_without_sound_says_so(judged, scene):
    assert kinds(judged(scene[0], None)) == ["sound_missing"]


def test_files_without_fingerprints_cannot_be_told(original, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("x")
    found = compare(original, take_manifest(path, Limits()))
    assert found.verdict == "cannot_tell"


@pytest.mark.parametrize(("ours", "theirs"), [(1, 1), (2, 1), (2, 2), (3, 7), (30, 2)])
def test_the_shortest_recordings_are_judged_or_declined(folder, ours, theirs):
    frames = pictures(30, seed=4)
    paths = [
        write(folder / f"short{ours}{theirs}{side}.mp4", frames[:count], options={"crf": crf})
        for side, (count, crf) in enumerate(((ours, "20"), (theirs, "30")))
    ]
    found = compare(*(take_manifest(path, Limits()) for path in paths))
    assert found.verdict in {"cannot_tell", "altered", "transcoded"}
    if min(ours, theirs) < 2:
        assert found.verdict == "cannot_tell"
        assert found.notes == ("too short",)


def test_times_that_lie_do_not_ask_for_memory(original):
    prints = original.prints
    times = np.where(np.arange(FRAMES) == FRAMES - 1, 2**60, prints.frame_time // 3)
    lying = dataclasses.replace(prints, frame_time=times, picture_hash=~prints.picture_hash)
    copy = dataclasses.replace(original, sha256="0" * 64, prints=lying)
    assert compare(original, copy).verdict == "altered"
    assert compare(copy, original).verdict == "altered"


def test_sound_added_to_a_silent_recording_is_inserted(scene, folder):
    """Neither beside the original's own pictures nor beside pictures encoded anew."""
    frames, sound = scene
    silent = write(folder / "silent.mp4", frames)
    original = take_manifest(silent, Limits())
    dubbed = take_manifest(mixed(silent, folder / "original.mp4", folder / "dubbed.mp4"), Limits())
    anew = take_manifest(write(folder / "anew.mp4", frames, sound, options=COARSE), Limits())
    for copy in (dubbed, anew):
        found = compare(original, copy)
        assert (found.verdict, kinds(found)) == ("altered", ["sound_inserted"])


def test_a_silent_track_beside_a_recording_without_sound_is_noted(scene, folder):
    frames, sound = scene
    bare = take_manifest(write(folder / "bare.mp4", frames), Limits())
    path = write(folder / "hush.mp4", frames, np.zeros_like(sound), options=COARSE)
    found = compare(bare, take_manifest(path, Limits()))
    assert found.verdict == "transcoded"
    assert "silent sound" in found.notes


def test_own_pictures_beside_sound_encoded_anew_are_not_called_unchanged(original, scene, folder):
    other = write(folder / "resung.mp4", *scene, bit_rate=24_000)
    copy = mixed(folder / "original.mp4", other, folder / "kept.mp4")
    found = compare(original, take_manifest(copy, Limits()))
    assert (found.verdict, found.carrier) == ("transcoded", "sound_re_encoded")
    assert not found.differences


def test_sound_that_cannot_be_heard_is_not_called_missing_or_the_same(original):
    prints = original.prints
    unheard = dataclasses.replace(
        prints, sound_hash=~prints.sound_hash, sound_band=prints.sound_band[:0]
    )
    other = dataclasses.replace(original, sha256="0" * 64, prints=unheard)
    for found in (compare(original, other), compare(other, original)):
        assert (found.verdict, found.notes) == ("transcoded", ("sound not comparable",))


@pytest.mark.parametrize("streams", ["pictures", "sound"])
def test_streams_that_were_not_compared_leave_the_verdict_open(original, folder, streams):
    path = folder / f"further-{streams}.mkv"
    doubled(folder / "original.mp4", path, streams)
    found = compare(original, take_manifest(path, Limits()))
    assert (found.verdict, found.notes) == ("cannot_tell", ("further streams",))


def test_coded_pictures_are_told_apart_by_their_whole_hash(original):
    """Two pictures whose hashes agree in 8 bytes can be made in 2^32 tries."""
    forged = original.prints.picture_hash.copy()
    forged[50, 8:] ^= 1
    prints = dataclasses.replace(original.prints, picture_hash=forged)
    found = compare(original, dataclasses.replace(original, sha256="0" * 64, prints=prints))
    assert kinds(found) == ["replaced"]


@pytest.mark.parametrize(("steps", "notes"), [(0, ()), (9, ()), (None, ("shown otherwise",))])
def test_kept_pictures_that_are_shown_turned_are_noted(original, steps, notes):
    """The coded pictures are the same; what a player shows of them is not."""
    small = original.prints.small
    shown = small[:, ::-1, ::-1].copy() if steps is None else small + np.uint16(steps)
    prints = dataclasses.replace(original.prints, small=shown)
    found = compare(original, dataclasses.replace(original, sha256="0" * 64, prints=prints))
    assert (found.verdict, found.notes) == ("unchanged", notes)
