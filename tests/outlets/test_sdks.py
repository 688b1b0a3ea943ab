"""The vendors' own SDKs find in the stand-in the service they know."""

import io

import numpy as np
import pytest
from PIL import Image

from tidewaiter.face_audit.embedding import FaceBox, FaceMemory, Template
from tidewaiter.face_audit.stand_in.faults import Fault
from tidewaiter.face_audit.stand_in.shapes import stand_in
from tidewaiter.face_audit.stand_in.standing_in import Script
from tidewaiter.outlets.stand_in_server import serving


class Shades:
    """A face as far from another as their shades of grey; a black picture has none."""

    name = "shades"

    def locate(self, pixels):
        return FaceBox(10, 20, 100, 110) if pixels.any() else None

    def embed(self, pixels):
        return Template(self.locate(pixels), pixels[0, 0] / 100.0) if pixels.any() else None


def shade(value):
    file = io.BytesIO()
    noise = np.random.default_rng(value).integers(0, 2, (200, 200, 3))
    pixels = (noise + value).clip(0, 255).astype(np.uint8) if value else np.zeros_like(noise)
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue().ljust(1100, b"\0")


@pytest.fixture
def azure():
    face = pytest.importorskip("azure.ai.vision.face", reason="the SDK of Azure Face is absent")
    from azure.core.credentials import AzureKeyCredential

    clients = []

    def connect(script=None, *, approved=True, key="k"):
        server = serving(stand_in("azure", FaceMemory(Shades()), script, approved=approved))
        credential = AzureKeyCredential(key)
        client = face.FaceClient(server.__enter__(), credential, retry_total=0)
        clients.append((server, client))
        return client

    yield connect
    for server, client in clients:
        client.close()
        server.__exit__(None, None, None)


def detected(client, content):
    return client.detect(
        content,
        detection_model="detection_03",
        recognition_model="recognition_04",
        return_face_id=True,
    )


def test_azures_sdk_detects_and_verifies(azure):
    client = azure()
    ids = [detected(client, shade(value))[0].face_id for value in (100, 104, 220)]
    same = client.verify_face_to_face(face_id1=ids[0], face_id2=ids[1])
    other = client.verify_face_to_face(face_id1=ids[0], face_id2=ids[2])
    assert same.is_identical
    assert not other.is_identical
    assert same.confidence > other.confidence
    assert detected(client, shade(0)) == []
    box = detected(client, shade(100))[0].face_rectangle
    assert (box.left, box.top, box.width, box.height) == (10, 20, 100, 110)


def test_azures_sdk_reads_the_refusals(azure):
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError) as refused:
        detected(azure(approved=False), shade(100))
    assert refused.value.status_code == 403
    assert refused.value.error.innererror["code"] == "UnsupportedFeature"
    with pytest.raises(HttpResponseError) as refused:
        detected(azure(key="expired"), shade(100))
    assert refused.value.status_code == 401
    with pytest.raises(HttpResponseError) as refused:
        detected(azure(Script({Fault.THROTTLED: 1.0})), shade(100))
    assert refused.value.status_code == 429


@pytest.fixture
def amazon(monkeypatch):
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed; see `audit-aws`")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-key")
    servers = []

    def connect(script=None):
        from botocore.config import Config

        server = serving(stand_in("rekognition", FaceMemory(Shades()), script))
        servers.append(server)
        return boto3.session.Session().client(
            "rekognition",
            region_name="eu-west-1",
            endpoint_url=server.__enter__(),
            config=Config(retries={"total_max_attempts": 1}),
        )

    yield connect
    for server in servers:
        server.__exit__(None, None, None)


def test_amazons_sdk_compares_indexes_and_searches(amazon):
    client = amazon()
    answer = client.compare_faces(
        SourceImage={"Bytes": shade(100)}, TargetImage={"Bytes": shade(104)}
    )
    assert answer["FaceMatches"][0]["Similarity"] > 80
    assert answer["SourceImageFace"]["BoundingBox"]["Width"] == 0.5
    below = client.compare_faces(
        SourceImage={"Bytes": shade(100)}, TargetImage={"Bytes": shade(220)}
    )
    assert below["FaceMatches"] == []
    assert len(below["UnmatchedFaces"]) == 1
    client.create_collection(CollectionId="c")
    client.index_faces(CollectionId="c", Image={"Bytes": shade(100)}, ExternalImageId="ann")
    found = client.search_faces_by_image(CollectionId="c", Image={"Bytes": shade(104)})
    assert found["FaceMatches"][0]["Face"]["ExternalImageId"] == "ann"


def test_amazons_sdk_reads_the_refusals(amazon):
    client = amazon()
    both = {"SourceImage": {"Bytes": shade(100)}, "TargetImage": {"Bytes": shade(0)}}
    with pytest.raises(client.exceptions.InvalidParameterException):
        client.compare_faces(**both)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.search_faces_by_image(CollectionId="none", Image={"Bytes": shade(100)})
    slow_down = amazon(Script({Fault.THROTTLED: 1.0}))
    with pytest.raises(slow_down.exceptions.ThrottlingException):
        slow_down.compare_faces(**both)
    broken = amazon(Script({Fault.SERVER_ERROR: 1.0}))
    with pytest.raises(broken.exceptions.InternalServerError):
        broken.compare_faces(**both)
