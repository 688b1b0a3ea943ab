"""Faces made of coloured cells, and every adapter opened against a stand-in that sees them."""

from __future__ import annotations

import io
import sys
import textwrap
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tidewaiter.face_audit.embedding import FaceBox, FaceMemory, Template
from tidewaiter.face_audit.service import Picture
from tidewaiter.face_audit.stand_in.shapes import stand_in
from tidewaiter.outlets import opening
from tidewaiter.outlets.opening import Described, open_recogniser
from tidewaiter.outlets.stand_in_server import serving

KEY = "k3y-that-nobody-may-see"
REMOTE = ("rekognition", "azure", "compreface", "rest")
LOCAL = ("dlib", "faceres", "exec")
GREY = 128
CELLS = 8


class MadeFaces:
    """Embeds the patch that differs from grey: 8 x 8 coloured cells, centred and normed."""

    name = "made faces"

    def locate(self, pixels):
        rows, columns = np.nonzero((np.abs(pixels.astype(int) - GREY) > 12).any(axis=2))
        if not len(rows):
            return None
        left, top = int(columns.min()), int(rows.min())
        return FaceBox(left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)

    def embed(self, pixels):
        box = self.locate(pixels)
        if box is None:
            return None
        patch = pixels[box.top : box.top + box.height, box.left : box.left + box.width]
        small = Image.fromarray(patch).resize((CELLS, CELLS), Image.Resampling.BOX)
        values = np.asarray(small, np.float64).ravel()
        values -= values.mean()
        return Template(box, values / np.linalg.norm(values))


def made(
    person: int, shot: int = 0, *, side: int = 96, size: int = 200, noise: float = 8.0
) -> Picture:
    """A picture of one made person; another `shot` differs a little."""
    cells = np.random.default_rng([7, person]).integers(0, 2, (CELLS, CELLS, 3)) * 200 + 28.0
    cells += np.random.default_rng([8, person, shot]).normal(0, noise, cells.shape)
    return png(cells, side=side, size=size, name=f"person {person}, shot {shot}.png")


def blank(size: int = 200, name: str = "empty.png") -> Picture:
    return encoded(np.full((size, size, 3), GREY, np.uint8), name)


def morph(one: int, other: int) -> Picture:
    cells = [
        np.random.default_rng([7, person]).integers(0, 2, (CELLS, CELLS, 3)) * 200 + 28.0
        for person in (one, other)
    ]
    return png((cells[0] + cells[1]) / 2 + 0.5, side=96, size=200, name="morph.png")


def png(cells, *, side, size, name):
    pixels = np.full((size, size, 3), GREY, np.uint8)
    patch = Image.fromarray(np.clip(cells, 0, 255).astype(np.uint8)).resize(
        (side, side), Image.Resampling.NEAREST
    )
    start = (size - side) // 2
    pixels[start : start + side, start : start + side] = np.asarray(patch)
    return encoded(pixels, name)


def encoded(pixels, name, form="PNG"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return Picture(name, file.getvalue().ljust(1100, b"\0"))


PROGRAM = textwrap.dedent(
    """
    import base64, io, json, os, sys
    import numpy as np
    from PIL import Image

    gallery = {}

    def face(text):
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))
        rows, columns = np.nonzero((np.abs(pixels.astype(int) - 128) > 12).any(axis=2))
        if not len(rows):
            return None
        patch = pixels[rows.min():rows.max() + 1, columns.min():columns.max() + 1]
        small = Image.fromarray(patch).resize((8, 8), Image.Resampling.BOX)
        values = np.asarray(small, float).ravel()
        values -= values.mean()
        return values / np.linalg.norm(values)

    for line in sys.stdin:
        said = json.loads(line)
        probe = face(said["probe"])
        if probe is None:
            answer = {"outcome": "no-face"}
        elif said["operation"] == "enrol":
            gallery[said["identity"]] = probe
            answer = {}
        elif said["operation"] == "search":
            answer = {"candidates": [[k, float(v @ probe)] for k, v in gallery.items()]}
        else:
            other = face(said["reference"])
            answer = {"outcome": "no-face"} if other is None else {"score": float(other @ probe)}
        if said.get("trial") == "die":
            os._exit(1)
        if said.get("trial") == "hang":
            import time
            time.sleep(60)
        if said.get("trial") == "secrets":
            answer = {"outcome": "refused", "code": " ".join(sorted(os.environ))}
        if said.get("trial") == "memory":
            bytearray(4 << 30)
        print(json.dumps(answer), flush=True)
    """
)


@dataclass
class Bench:
    """What an adapter's test needs: a way to open it, and its stand-in if it has one."""

    adapter: str
    address: str = ""
    stand_in: object = None
    folder: Path = Path()

    def open(self, mode="verify", given=None, price="0.001", **more):
        options = {**OPTIONS[self.adapter](self), **more}
        return open_recogniser(
            Described(
                adapter=self.adapter,
                mode=mode,
                is_distance=False,
                given=GIVEN.get(self.adapter) if given is None else given,
                options=options,
                price_per_call=Decimal(price),
                environment={"THE_KEY": KEY, "PATH": "/usr/bin:/bin", "OTHER": "unseen"},
                folder=self.folder,
            )
        )


def _rest_options(bench):
    address = f"{bench.address}/api/v1"
    no_face = {"path": "$.code", "equals": 28}
    return {
        "key_env": "THE_KEY",
        "timeout_s": 3.0,
        "media_types": ["image/png", "image/jpeg"],
        "max_bytes": 5 * 1024 * 1024,
        "min_face_px": 30,
        "compare": {
            "url": f"{address}/verification/verify",
            "headers": {"x-api-key": "{key}"},
            "form": {"source_image": "{reference}", "target_image": "{probe}"},
            "score": "$.result[0].face_matches[0].similarity",
            "no_face": no_face,
        },
        "enrol": {
            "url": f"{address}/recognition/faces?subject={{identity}}",
            "headers": {"x-api-key": "{key}"},
            "form": {"file": "{probe}"},
            "no_face": no_face,
            "done": {"path": "$.image_id"},
        },
        "search": {
            "url": f"{address}/recognition/recognize?prediction_count=9",
            "headers": {"x-api-key": "{key}"},
            "form": {"file": "{probe}"},
            "identities": "$.result[0].subjects[*].subject",
            "scores": "$.result[0].subjects[*].similarity",
            "no_face": no_face,
        },
    }


def _keyed(bench, **more):
    return {"endpoint": bench.address, "key_env": "THE_KEY", "timeout_s": 3.0, **more}


OPTIONS = {
    "dlib": lambda bench: {},
    "faceres": lambda bench: {"model": "models"},
    "exec": lambda bench: {"command": [sys.executable, "-c", PROGRAM], "timeout_s": 20.0},
    "rest": _rest_options,
    "compreface": _keyed,
    "azure": lambda bench: _keyed(bench, person_group="audit"),
    "rekognition": lambda bench: {
        "endpoint": bench.address,
        "region": "eu-west-1",
        "collection": "audit",
        "timeout_s": 3.0,
    },
}
GIVEN = {"exec": 0.7, "rest": 0.5}
SCALE = {"rekognition": 100}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Opens benches of any adapter; servers end with the test."""
    monkeypatch.setattr(opening, "dlib_embedder", MadeFaces)
    monkeypatch.setattr(opening, "faceres_embedder", lambda _folder: MadeFaces())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    servers = []

    def start(adapter, script=None, *, approved=True, now=None, embedder=None):
        if adapter == "rekognition":
            pytest.importorskip("boto3", reason="boto3 is not installed; see the extra `audit-aws`")
        if adapter in LOCAL:
            return Bench(adapter, folder=tmp_path)
        shape = "compreface" if adapter == "rest" else adapter
        made_up = stand_in(shape, FaceMemory(embedder or MadeFaces()), script, approved=approved)
        server = serving(made_up, **({"now": now} if now else {}))
        servers.append(server)
        return Bench(adapter, server.__enter__(), made_up, tmp_path)

    yield start
    for server in servers:
        server.__exit__(None, None, None)
