"""The stand-in keeps the services' own limits, whoever asks, and fails on schedule."""

import base64
import io
import itertools
import json

import numpy as np
import pytest
from PIL import Image

from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.embedding import FaceBox, FaceMemory, Template
from tidewaiter.face_audit.multipart import Part, form
from tidewaiter.face_audit.service import TEST_KIT_HEADER, Request
from tidewaiter.face_audit.stand_in.faces import MIDDLE, WIDTH, Face, similarity
from tidewaiter.face_audit.stand_in.faults import Fault, fault_at, shares_of
from tidewaiter.face_audit.stand_in.shapes import SHAPES, stand_in
from tidewaiter.face_audit.stand_in.standing_in import BILL_PATH, Script


class OneFace:
    """Finds one face of a given side in every picture that is not black."""

    name = "one face"

    def __init__(self, side=80):
        self.side = side

    def locate(self, pixels):
        return FaceBox(5, 5, self.side, self.side) if pixels.any() else None

    def embed(self, pixels):
        return Template(self.locate(pixels), np.ones(3)) if pixels.any() else None


def picture(size=200, form="PNG", value=200):
    file = io.BytesIO()
    Image.new("RGB", (size, size), (value,) * 3).save(file, form)
    return file.getvalue().ljust(1200, b"\0")


def rekognition(operation, arguments, key="AKID"):
    headers = {
        "authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260101",
        "x-amz-target": f"RekognitionService.{operation}",
    }
    return Request("POST", "/", headers, json.dumps(arguments).encode())


def compare_faces(content, **more):
    image = {"Bytes": base64.b64encode(content).decode()}
    arguments = {"SourceImage": image, "TargetImage": image, "SimilarityThreshold": 0, **more}
    return rekognition("CompareFaces", arguments)


def detect(content, key="k"):
    return Request(
        "POST", "/face/v1.0/detect?returnFaceId=true", {"ocp-apim-subscription-key": key}, content
    )


def verify(content, key="k"):
    content_type, body = form([Part(f, content, "a") for f in ("source_image", "target_image")])
    headers = {"x-api-key": key, "content-type": content_type}
    return Request("POST", "/api/v1/verification/verify", headers, body)


ASKING = {"rekognition": compare_faces, "azure": detect, "compreface": verify}


def asked(adapter, content, *, side=80):
    made = stand_in(adapter, FaceMemory(OneFace(side)))
    return made.answer(ASKING[adapter](content), 0.0), made


def code_of(sent):
    content = sent.content
    return content.get("__type") or content.get("error", {}).get("code") or content.get("code")


@pytest.mark.parametrize("adapter", SHAPES)
def test_a_good_picture_is_answered_billed_and_stamped(adapter):
    sent, made = asked(adapter, picture())
    assert sent.status == 200
    assert sent.headers[TEST_KIT_HEADER].startswith("stand-in")
    assert made.bill == {"(none)": 1}
    bill = made.answer(Request("GET", BILL_PATH), 0.0)
    assert bill.content == {"billed": {"(none)": 1}, "requests": 1}


@pytest.mark.parametrize(
    ("adapter", "content", "side", "status", "code"),
    [
        ("rekognition", picture() + bytes(6 << 20), 80, 400, "ImageTooLargeException"),
        ("rekognition", picture(form="GIF"), 80, 400, "InvalidImageFormatException"),
        ("rekognition", b"words" * 400, 80, 400, "InvalidImageFormatException"),
        ("rekognition", picture(60), 80, 400, "InvalidParameterException"),
        ("rekognition", picture(), 39, 400, "InvalidParameterException"),
        ("rekognition", picture(value=0), 80, 400, "InvalidParameterException"),
        ("azure", picture() + bytes(7 << 20), 80, 400, "InvalidImageSize"),
        ("azure", picture()[:1000], 80, 400, "InvalidImageSize"),
        ("azure", picture(form="TIFF"), 80, 400, "InvalidImage"),
        ("azure", b"words" * 400, 80, 400, "InvalidImage"),
        ("compreface", picture() + bytes(6 << 20), 80, 413, 26),
        ("compreface", b"words" * 400, 80, 400, 26),
        ("compreface", picture(value=0), 80, 400, 28),
    ],
)
def test_the_services_own_limits_hold(adapter, content, side, status, code):
    sent, made = asked(adapter, content, side=side)
    assert (sent.status, code_of(sent)) == (status, code)
    assert made.bill == {}


@pytest.mark.parametrize(("content", "side"), [(picture(value=0), 80), (picture(), 35)])
def test_azure_answers_no_face_or_a_small_one_with_an_empty_list(content, side):
    sent, made = asked("azure", content, side=side)
    assert (sent.status, sent.content) == (200, [])
    assert made.bill == {"(none)": 1}


def test_a_face_id_ends_after_its_life():
    made = stand_in("azure", FaceMemory(OneFace()))
    face_id = made.answer(detect(picture()), 1000.0).content[0]["faceId"]
    headers = {"ocp-apim-subscription-key": "k"}
    body = json.dumps({"faceId1": face_id, "faceId2": face_id}).encode()
    request = Request("POST", "/face/v1.0/verify", headers, body)
    assert made.answer(request, 1000.0 + 86_399).content["isIdentical"]
    late = made.answer(request, 1000.0 + 86_400)
    assert (late.status, code_of(late)) == (404, "FaceNotFound")


@pytest.mark.parametrize(
    ("adapter", "request_"),
    [
        ("rekognition", Request("POST", "/", {"x-amz-target": "R.CompareFaces"}, b"{}")),
        ("rekognition", rekognition("CompareFaces", {}, key="EXPIRED1")),
        ("rekognition", rekognition("DetectText", {})),
        ("rekognition", rekognition("CompareFaces", [])),
        ("rekognition", rekognition("CompareFaces", {"SourceImage": {"Bytes": "§"}})),
        ("rekognition", compare_faces(picture(), SimilarityThreshold="many")),
        ("rekognition", rekognition("IndexFaces", {"CollectionId": "absent"})),
        ("azure", detect(picture(), key="")),
        ("azure", detect(picture(), key="expired")),
        ("azure", Request("GET", "/", {"ocp-apim-subscription-key": "k"})),
        ("azure", Request("POST", "/face/v1.0/verify", {"ocp-apim-subscription-key": "k"}, b"[")),
        ("azure", Request("POST", "/face/v1.0/verify", {"ocp-apim-subscription-key": "k"}, b"{}")),
        ("compreface", verify(picture(), key="")),
        ("compreface", verify(picture(), key="expired")),
        ("compreface", Request("POST", "/api/v1/verification/verify", {"x-api-key": "k"}, b"a")),
        ("compreface", Request("GET", "/", {"x-api-key": "k"})),
    ],
)
def test_a_bad_request_is_refused_and_not_billed(adapter, request_):
    made = stand_in(adapter, FaceMemory(OneFace()))
    sent = made.answer(request_, 0.0)
    assert 400 <= sent.status < 500
    assert made.bill == {}


def test_similarity_falls_with_distance_as_published():
    def face(at):
        return Face(9, 9, Template(FaceBox(0, 0, 9, 9), np.array([at])))

    values = [similarity(face(0.0), face(d)) for d in np.linspace(0, 1.5, 60)]
    assert all(one > other for one, other in itertools.pairwise(values))
    assert similarity(face(0.0), face(MIDDLE)) == 0.5
    assert similarity(face(0.0), face(MIDDLE - WIDTH * np.log(4))) == pytest.approx(0.8, abs=1e-6)


def test_faults_follow_their_seed_and_their_shares():
    shares = {Fault.THROTTLED: 0.2, Fault.DROPPED: 0.1}
    first = [fault_at(n, shares, 5) for n in range(2000)]
    assert first == [fault_at(n, shares, 5) for n in range(2000)]
    assert first != [fault_at(n, shares, 6) for n in range(2000)]
    assert first.count(Fault.THROTTLED) == pytest.approx(400, abs=80)
    assert first.count(Fault.DROPPED) == pytest.approx(200, abs=60)
    assert set(first) == {None, *shares}


def test_the_bill_is_not_faulty():
    made = stand_in("azure", FaceMemory(OneFace()), Script({Fault.DROPPED: 1.0}))
    assert made.answer(detect(picture()), 0.0).cut == 0
    assert made.answer(Request("GET", BILL_PATH), 0.0).content["billed"] == {"(none)": 1}


@pytest.mark.parametrize("text", ["explode=1", "throttled", "throttled=2", "throttled=x"])
def test_a_fault_that_is_none_is_refused(text):
    with pytest.raises(ConfigurationError, match=r"fault|Shares|shares"):
        shares_of((text,))


def test_shares_that_exceed_one_are_refused():
    with pytest.raises(ConfigurationError, match="add up"):
        shares_of(("throttled=0.6", "slow=0.6"))
