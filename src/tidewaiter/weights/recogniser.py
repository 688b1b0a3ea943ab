"""The recogniser that runs here: dlib's residual network, from its published distribution.

Two of the four model files of that distribution are read, both put in the public domain by
their maker. The 68-point model beside them is never opened: the pictures it was trained on
exclude commercial use (the notes of dlib-models on iBUG 300-W).
"""

from __future__ import annotations

from tidewaiter.weights.pinned import PinnedFile
from tidewaiter.weights.tfjs import PublishedGraph

INSTALL_COMMAND = (
    "pip install dlib-bin==20.0.1.post1 && pip install --no-deps face-recognition-models==0.3.0"
)
ENGINE = "dlib-bin"

_FOLDER = "face_recognition_models/models"


def _file(name: str, file: str, sha256: str, byte_length: int, purpose: str) -> PinnedFile:
    return PinnedFile(
        name=name,
        distribution="face-recognition-models",
        version="0.3.0",
        file=f"{_FOLDER}/{file}",
        sha256=sha256,
        byte_length=byte_length,
        licence="CC0-1.0",
        purpose=purpose,
        install_command=INSTALL_COMMAND,
    )


FACE_EMBEDDING = _file(
    "dlib_resnet",
    "dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    22_466_066,
    "turns a face into 128 numbers",
)
FIVE_POINTS = _file(
    "dlib_five_points",
    "shape_predictor_5_face_landmarks.dat",
    "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    9_150_489,
    "places five points on a face",
)
FACERES = PublishedGraph(
    name="faceres",
    graph="faceres.json",
    graph_sha256="5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df",
    weights="faceres.bin",
    weights_sha256="2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b",
    input_node="input_1",
    shape=(1, 224, 224, 3),
    output_node="global_pooling/Mean",
    # Package by V. Mandic: MIT. Network by A. Savchenko (HSE_FaceRec_tf): said to be Apache-2.0.
    licence="MIT",
    obtain=(
        "take both from the folder models/ of the npm package @vladmandic/human 3.3.6: "
        "npm pack @vladmandic/human@3.3.6"
    ),
)
"""A second recogniser's network: MobileNet trained on VGGFace2. It is not shipped here."""
RECOGNISER_FILES = (FACE_EMBEDDING, FIVE_POINTS)
"""All files of the embedded recogniser."""
