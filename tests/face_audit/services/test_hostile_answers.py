"""Whatever a service answers, an adapter gives a reply, never an exception, and no invented score."""

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.face_audit.embedding import FaceBox, Known
from tidewaiter.face_audit.ledger import Row
from tidewaiter.face_audit.service import (
    COMPARED,
    Answer,
    Outcome,
    Picture,
    Price,
    Reply,
    Secret,
    Unanswered,
)
from tidewaiter.face_audit.services.azure import AzureAddress, AzureRecogniser
from tidewaiter.face_audit.services.compreface import ComprefaceRecogniser
from tidewaiter.face_audit.services.exec import ExecRecogniser
from tidewaiter.face_audit.services.rekognition import CloudAnswer, RekognitionRecogniser
from tidewaiter.face_audit.services.rest import RestOptions, RestRecogniser

LINE = {"state": "answered", "trial_id": "t", "stage": "licit"}
KEY = "k3y-that-nobody-may-see"
PICTURE = Picture("a.png", b"\x89PNG\r\n\x1a\n".ljust(2000, b"\0"))
PRICE = Price(Decimal(1))

WORDS = (
    "result face_matches similarity subjects subject FaceMatches UnmatchedFaces Similarity Face "
    "ExternalImageId FaceRecords UnindexedFaces Reasons faceId faceRectangle width height confidence "
    "isIdentical candidates personId name error code innererror message status outcome score match "
    f"ids scores succeeded running failed InvalidImage UnsupportedFeature no-face {KEY}"
).split()
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=9)
    | st.sampled_from(["\ud800", "ann\udfff"])
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
    ),
    max_leaves=12,
)
STATUS = st.sampled_from([200, 201, 202, 204, 302, 400, 401, 403, 404, 409, 413, 429, 500, 503])
HEADERS = st.sampled_from([{}, {"retry-after": "3"}, {"retry-after": "-1"}, {"retry-after": "nan"}])
BODIES = DOCUMENTS.map(lambda found: json.dumps(found).encode()) | st.binary(max_size=30)
ANSWERS = st.builds(Answer, STATUS, HEADERS, BODIES) | st.builds(
    Unanswered, st.sampled_from(["timeout", "connection"])
)


class Says:
    """A transport, SDK and program that answers what it was told, then the last again."""

    met_test_kit = False
    endpoint = name = "nowhere"

    def __init__(self, answers):
        self.answers = list(answers)

    def send(self, request):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def start(self):
        return 1

    def ask(self, line):
        return self.send(line)

    def call(self, operation, arguments, trial):
        way = self.send(None)
        if isinstance(way, Unanswered):
            return CloudAnswer(None, way.code)
        try:
            content = json.loads(way.body)
        except ValueError:
            content = {}
        content = content if isinstance(content, dict) else {"FaceMatches": content}
        if way.status >= 300:
            return CloudAnswer(None, str(content.get("code")), way.status)
        return CloudAnswer(content, status=way.status)


def knowing(picture):
    return Known(300, 300, FaceBox(50, 50, 150, 150))


def rest(says):
    url = "https://gate.example/a"
    operation = {"url": url, "body": "{}", "no_face": {"path": "$.code", "equals": "no-face"}}
    options = RestOptions.model_validate(
        {
            "compare": {**operation, "score": "$.score", "match": "$.match"},
            "search": {**operation, "identities": "$.ids[*].name", "scores": "$.ids[*].score"},
            "enrol": operation,
        }
    )
    return RestRecogniser(options, Secret(KEY), says, knowing, price=PRICE, given=0.5)


GOOD = {
    "azure": [
        {},
        [{"name": "ann", "personId": "p"}],
        {"status": "succeeded"},
        [{"faceId": "f", "faceRectangle": {"width": 9, "height": 9}}],
        [{"faceId": "f", "candidates": [{"personId": "p", "confidence": 0.7}]}],
        {"isIdentical": True, "confidence": 0.7},
        {"error": {"code": KEY, "innererror": {"code": KEY}}},
    ],
    "compreface": [
        {"result": [{"face_matches": [{"similarity": 0.7}], "source_image_face": {}}]},
        {"result": [{"subjects": [{"subject": "ann", "similarity": 0.7}]}]},
        {"code": 28, "message": KEY},
    ],
    "rekognition": [
        {"FaceMatches": [{"Similarity": 70, "Face": {"ExternalImageId": "ann"}}]},
        {"FaceMatches": [{"Similarity": 70}], "UnmatchedFaces": []},
        {"FaceRecords": [], "UnindexedFaces": [{"Reasons": ["LOW_QUALITY"]}]},
    ],
    "rest": [{"score": 0.7}, {"match": True}, {"ids": [{"name": "ann", "score": 0.7}]}],
    "exec": [{"score": 0.7}, {"match": True}, {"candidates": [["ann", 0.7]]}],
}


@st.composite
def nearly_good(draw, adapter):
    """An answer as documented, with any one of its parts replaced by anything."""
    document = json.loads(json.dumps(draw(st.sampled_from(GOOD[adapter]))))
    place = document
    while draw(st.booleans()) and isinstance(place, dict | list) and place:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if draw(st.booleans()):
            place[key] = draw(DOCUMENTS)
            break
        place = place[key]
    status = draw(st.sampled_from([200, 200, 200, 400, 403, 409]))
    return Answer(status, {}, json.dumps(document).encode())


ADAPTERS = {
    "azure": lambda says: AzureRecogniser(
        AzureAddress("https://a.example", person_group="g"),
        Secret(KEY),
        says,
        knowing,
        price=PRICE,
        now=lambda: 0.0,
    ),
    "compreface": lambda says: ComprefaceRecogniser(
        "https://a.example", Secret(KEY), says, knowing, price=PRICE
    ),
    "rekognition": lambda says: RekognitionRecogniser(says, knowing, price=PRICE, collection="c"),
    "rest": rest,
    "exec": lambda says: ExecRecogniser(says, knowing, price=PRICE, given=0.5),
}


@pytest.mark.parametrize("adapter", ADAPTERS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_answer_becomes_a_reply(adapter, data):
    one = ANSWERS | nearly_good(adapter) | nearly_good(adapter)
    answers = data.draw(st.lists(one, min_size=1, max_size=7))
    recogniser = ADAPTERS[adapter](Says(answers))
    replies = [
        recogniser.compare(PICTURE, PICTURE, trial="t"),
        *recogniser.enrol("ann", [PICTURE]),
        recogniser.search(PICTURE, trial="t"),
    ]
    for reply in replies:
        assert isinstance(reply, Reply)
        assert reply.score is None or math.isfinite(reply.score)
        assert reply.score is None or reply.outcome in COMPARED
        assert reply.retry_after_s is None or reply.retry_after_s >= 0
        assert reply.service_code.isprintable()
        assert len(reply.service_code) <= 80
        assert all(isinstance(name, str) for name in reply.returned)
        Row(**LINE, returned_ids=reply.returned, candidates=reply.candidates).model_dump_json()
        if adapter in ("azure", "compreface", "rest"):
            assert KEY not in reply.service_code
    assert all(isinstance(way, Unanswered) for way in answers) <= (
        replies[0].outcome is Outcome.ERROR
    )


def test_a_name_of_half_a_character_is_one_that_a_ledger_can_hold():
    for body in (b'{"candidates": [["\\ud800", 0.7]]}', b'{"candidates": [["\xed\xa0\x80", 0.7]]}'):
        reply = ADAPTERS["exec"](Says([Answer(200, {}, body)])).search(PICTURE)
        assert set(reply.returned[0]) == {"?"}
    matches = [{"Similarity": 90, "Face": {"ExternalImageId": ":00d800"}}]
    document = json.dumps({"FaceMatches": matches}).encode()
    reply = ADAPTERS["rekognition"](Says([Answer(200, {}, document)])).search(PICTURE)
    assert reply.returned == ("?",)
    whole = Answer(200, {}, json.dumps({"candidates": [["Zoë \N{GRINNING FACE}", 0.7]]}).encode())
    assert ADAPTERS["exec"](Says([whole])).search(PICTURE).returned == ("Zoë \N{GRINNING FACE}",)
