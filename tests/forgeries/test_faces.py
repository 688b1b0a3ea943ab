from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings, strategies

from tests.forgeries.drawn_faces import face
from tidewaiter.errors import ConfigurationError, UnfitFaces
from tidewaiter.forgeries.faces import SPECIES, Face, forged, marked
from tidewaiter.traces.face_geometry import cut, square_crop
from tidewaiter.traces.face_models import MESH_SIZE, mesh
from tidewaiter.traces.faces import FacesInPicture

HOST, DONOR = face(1), face(2, mouth=0.12, angle=0.05)
LOCAL = [name for name, species in SPECIES.items() if species.family != "recapture"]
WITH_DONOR = [name for name, species in SPECIES.items() if species.uses_donor]
REAL_PAIRS = 6


def digests(seed: int = 5) -> dict[str, str]:
    """SHA-256 of every species' pixels and mask, made from the drawn faces."""
    made = {name: forged(name, HOST, DONOR, seed) for name in SPECIES}
    return {
        name: hashlib.sha256(one.pixels.tobytes() + one.mask.tobytes()).hexdigest()
        for name, one in made.items()
    }


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return np.abs(after.astype(int) - before).sum(2)


def cut_out(whole: Face, shift: int) -> Face:
    """The face with so many pixels of its picture cut off, on the left if more than 0."""
    if shift < 0:
        return Face(whole.pixels[:shift, :shift].copy(), whole.points)
    return Face(whole.pixels[shift:, shift:].copy(), whole.points - np.float32(shift))


def test_there_are_enough_species_and_families():
    assert len(SPECIES) >= 12
    assert len({species.family for species in SPECIES.values()}) >= 4
    assert all(name.split("-")[0] in species.family for name, species in SPECIES.items())


@pytest.mark.parametrize("name", SPECIES)
def test_a_forgery_has_the_hosts_size_and_a_mask_of_what_changed(name):
    made = forged(name, HOST, DONOR, 3)
    assert made.pixels.shape == HOST.pixels.shape
    assert made.pixels.dtype == np.uint8
    assert made.mask.shape == HOST.pixels.shape[:2]
    assert made.mask.dtype == np.float32
    assert made.mask.min() >= 0
    assert made.mask.max() <= 1
    difference = changed(HOST.pixels, made.pixels)
    assert difference.sum() > 1000
    assert difference[made.mask > 0.05].sum() >= 0.95 * difference.sum()
    # Not the whole picture by default: a mask that says "anywhere" would pass above.
    whole = SPECIES[name].family == "recapture" or name == "morph-complete"
    assert (made.mask > 0.05).mean() > 0.99 if whole else (made.mask > 0.05).mean() < 0.7


@pytest.mark.parametrize("name", SPECIES)
def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(name):
    first, again, other = (forged(name, HOST, DONOR, seed).pixels for seed in (5, 5, 6))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.parametrize(
    ("threads", "disabled"),
    [
        (2, ""),
        # As on another machine: without the newer instructions of this one.
        (1, "AVX,FP16,AVX2,FMA3"),
    ],
    ids=["threads", "processor"],
)
def test_a_fresh_process_gives_the_same_bytes(threads, disabled):
    code = (
        f"import cv2; cv2.setNumThreads({threads})\n"
        "from tests.forgeries.test_faces import digests\n"
        "print(*digests().values())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OPENCV_CPU_DISABLE": disabled},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == list(digests().values())


@pytest.mark.parametrize("name", SPECIES)
def test_nothing_of_the_callers_is_written_to(name):
    host, donor = face(1), face(2, mouth=0.12)
    for array in (host.pixels, host.points, donor.pixels, donor.points):
        array.flags.writeable = False
    made = forged(name, host, donor, 0)
    assert not np.shares_memory(made.pixels, host.pixels)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    name=strategies.sampled_from(list(SPECIES)),
    seed=strategies.integers(0, 2**31),
    bounds=strategies.tuples(*[strategies.integers(0, 70)] * 4),
    stray=strategies.floats(0, 0.1),
)
def test_any_mesh_in_any_picture_is_forged_or_refused(name, seed, bounds, stray):
    rng = np.random.default_rng(seed)
    left, top, right, bottom = bounds
    pixels = HOST.pixels[top : 160 - bottom, left : 160 - right]
    points = HOST.points - np.float32((left, top))
    points = points + rng.normal(0, stray * 100, points.shape).astype(np.float32)
    try:
        made = forged(name, Face(pixels, points), DONOR, seed)
    except UnfitFaces:
        return
    assert made.pixels.shape == pixels.shape
    assert made.mask.shape == pixels.shape[:2]


@pytest.mark.parametrize("name", SPECIES)
@pytest.mark.parametrize("shift", [-60, 60], ids=["right and below", "left and above"])
def test_a_face_half_out_of_its_picture_never_crashes_nor_blackens(name, shift):
    host = cut_out(HOST, shift)
    try:
        made = forged(name, host, DONOR, 4)
    except UnfitFaces:
        return
    dark = made.pixels.max(2) < 20
    assert made.pixels.shape == host.pixels.shape
    assert dark.mean() < (host.pixels.max(2) < 20).mean() + 0.002


@pytest.mark.parametrize("name", SPECIES)
def test_a_black_frame_stays_as_it_was(name):
    frame = np.zeros((220, 220, 3), np.uint8)
    frame[30:190, 30:190] = HOST.pixels
    made = forged(name, Face(frame, HOST.points + 30), DONOR, 2)
    outside = np.ones((220, 220), bool)
    outside[30:190, 30:190] = False
    assert made.pixels[outside].max() == 0
    assert made.mask[outside].max() == 0
    assert changed(frame, made.pixels).sum() > 1000


@pytest.mark.parametrize("name", WITH_DONOR)
def test_donors_of_another_size_and_turned_ones_serve(name):
    donor = face(2, 420, mouth=0.12, angle=0.3)
    made = forged(name, HOST, donor, 1)
    assert made.pixels.shape == HOST.pixels.shape
    assert changed(HOST.pixels, made.pixels).sum() > 1000


@pytest.mark.parametrize("name", WITH_DONOR)
def test_a_mirrored_or_turned_away_donor_is_refused(name):
    mirrored = Face(DONOR.pixels, DONOR.points * (-1, 1) + np.float32((160, 0)))
    with pytest.raises(UnfitFaces):
        forged(name, HOST, mirrored, 0)
    turned = DONOR.points.copy()
    turned[4] = turned[454]
    with pytest.raises(UnfitFaces, match="turned"):
        forged(name, HOST, Face(DONOR.pixels, turned), 0)


@pytest.mark.parametrize("name", WITH_DONOR)
def test_a_folded_mesh_is_refused(name):
    folded = DONOR.points.copy()
    cheeks = [50, 280, 205, 425, 187, 411, 117, 346]
    folded[cheeks] = folded[cheeks[::-1]]
    with pytest.raises(UnfitFaces, match=r"folds|apart"):
        forged(name, HOST, Face(DONOR.pixels, folded), 0)


@pytest.mark.parametrize("name", ["swap-feather", "morph-splice"])
def test_a_donor_that_reaches_into_blackness_is_refused(name):
    pixels = DONOR.pixels.copy()
    pixels[:70] = 0
    with pytest.raises(UnfitFaces, match="black"):
        forged(name, HOST, Face(pixels, DONOR.points), 1)


@pytest.mark.parametrize("name", WITH_DONOR)
def test_a_grey_host_stays_grey(name):
    grey = np.repeat(HOST.pixels[..., 1:2], 3, axis=2)
    made = forged(name, Face(grey, HOST.points), DONOR, 3).pixels.astype(int)
    # Lab in 8 bits strays by some levels.
    assert np.abs(made[..., 0] - made[..., 2]).max() <= 8


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        (Face(HOST.pixels[..., 0], HOST.points), "shape"),
        (Face(HOST.pixels.astype(np.float32), HOST.points), "uint8"),
        (Face(HOST.pixels, HOST.points[:100]), "468"),
        (Face(HOST.pixels, np.full((468, 2), np.nan, np.float32)), "finite"),
        (Face(HOST.pixels, HOST.points / 10), "between the eyes"),
        (Face(HOST.pixels, HOST.points + 1000), "outside"),
    ],
)
def test_what_is_no_face_is_refused_in_words(bad, found):
    with pytest.raises(UnfitFaces, match=found):
        forged("swap-feather", bad, DONOR, 0)


def test_an_unknown_species_is_refused():
    with pytest.raises(ConfigurationError, match="swap-poisson"):
        forged("swap-magic", HOST, DONOR, 0)


def test_a_reenactment_moves_the_lips_towards_the_donors():
    made = forged("reenact", HOST, DONOR, 0)
    inner = HOST.points[[13, 14]].mean(0).round().astype(int)
    column = made.pixels[inner[1] - 8 : inner[1] + 9, inner[0]].astype(int)
    before = HOST.pixels[inner[1] - 8 : inner[1] + 9, inner[0]].astype(int)
    assert (column[:, 0] < 110).sum() >= (before[:, 0] < 110).sum() + 3


def test_a_swap_brings_the_donor_nearer_than_the_host():
    """Seen at the host's cheek in its own light: texture of the donor, not of the host."""
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 60, DONOR.pixels.shape, dtype=np.uint8)
    donor = Face(cv2.add(DONOR.pixels, cv2.GaussianBlur(texture, (0, 0), 1.5)), HOST.points)
    found = [forged("swap-feather", HOST, donor, seed) for seed in range(6)]
    for made in (made for made in found if made.mask.sum() > 2000):
        inside = cv2.erode(made.mask, np.ones((9, 9))) > 0.95
        details = [
            (picture[..., 1].astype(float) - cv2.GaussianBlur(picture[..., 1], (0, 0), 4))[inside]
            for picture in (made.pixels, donor.pixels, HOST.pixels)
        ]
        like_donor, like_host = (np.corrcoef(details[0], other)[0, 1] for other in details[1:])
        assert like_donor > like_host


def test_a_marked_file_says_who_made_it_and_keeps_every_pixel():
    made = forged("swap-feather", HOST, DONOR, 7)
    stored = marked(made.pixels, "swap-feather", 7)
    assert b"made by Tidewaiter for tests; species swap-feather; seed 7" in stored
    read = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.array_equal(read, made.pixels)
    assert stored == marked(made.pixels, "swap-feather", 7)


def real_faces(folder: Path) -> Iterator[Face]:
    """Some faces of LFW, upright pictures of 250 pixels; their meshes by the pinned weights."""
    for path in sorted((folder / "lfw_deepfunneled").rglob("*.jpg"))[::100]:
        pixels = cv2.imread(str(path))[..., ::-1].copy()
        located = located_in(pixels)
        if located is not None:
            yield Face(pixels, located)


def located_in(pixels: np.ndarray) -> np.ndarray | None:
    from tidewaiter.traces.faces import _located_in

    for candidate in _located_in(pixels)[:1]:
        corners = candidate.square()
        found = mesh(square_crop(lambda *where: cut(pixels, *where), corners, MESH_SIZE), corners)
        return found.points[:, :2] if found.presence > 0.5 else None
    return None


@pytest.mark.shared
@pytest.mark.skipif(FacesInPicture.obstacle() is not None, reason="the face models are absent")
def test_every_species_serves_on_real_pairs(shared_data):
    faces = list(real_faces(shared_data))
    for name in SPECIES:
        served = 0
        for index, host in enumerate(faces):
            try:
                made = forged(name, host, faces[index - 1], index)
            except UnfitFaces:
                continue
            difference = changed(host.pixels, made.pixels)
            inside = difference[made.mask > 0.05].sum()
            assert inside >= 0.95 * difference.sum() > 0, name
            black = (made.pixels.max(2) < 3).mean() - (host.pixels.max(2) < 3).mean()
            assert black < 0.005, name
            served += 1
        assert served >= REAL_PAIRS, name


@pytest.mark.parametrize("species", ["morph-complete", "morph-splice", "morph-combined"])
def test_a_morph_takes_the_share_asked_for(species):
    host, donor = face(1), face(2)
    near, half, far = (
        forged(species, host, donor, 3, share=share).pixels.astype(float)
        for share in (0.1, 0.5, 0.9)
    )
    own = host.pixels.astype(float)
    assert abs(near - own).mean() < abs(half - own).mean() < abs(far - own).mean()
    again = forged(species, host, donor, 3, share=0.5).pixels
    assert (again == half).all()
