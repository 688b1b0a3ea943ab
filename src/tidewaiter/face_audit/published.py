"""The published answers that `audit replay` recomputes, and how each file is read.

Tariq, Jeon & Woo, "Am I a Real or Fake Celebrity?", arXiv 2103.00847 (WWW 2022); the files
are those of the authors' repository Deepfake_Impersonation_Attack (BSD-3-Clause).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from tidewaiter.vocabulary import tr


class Person(StrEnum):
    """The column that names the person whom the forged picture is to pass for."""

    SOURCE = "Src"
    TARGET = "Tar"


@dataclass(frozen=True)
class Endpoint:
    """Which call gave the similarities, and the scores from which on a share is counted.

    A cut of 0 means "any similarity above 0"; other cuts are "at or above".
    """

    name: str
    cuts: tuple[float, ...]
    highest: float


@dataclass(frozen=True)
class PublishedFile:
    """One file of answers: what it holds, and the digest of the file as published.

    `with_host`: similarity was taken to the attacker's own picture, so it is no success.
    """

    name: str
    sha256: str
    service: str
    data: str
    person: Person
    endpoint: Endpoint
    with_host: bool = False


# The answers say 0 or at least 0.5; a 0 may be "not similar", "no face" or a failed call.
FIND_SIMILAR = Endpoint("Azure FindSimilar", cuts=(0.0,), highest=1.0)
# 80 is the service's own default; the others are the steps a cautious operator would try.
COMPARE_FACES = Endpoint("Amazon CompareFaces", cuts=(80.0, 90.0, 95.0, 99.0), highest=100.0)

FILES = (
    PublishedFile(
        name="Results_vox1.csv",
        sha256="701e96b62af4e2a67a63d5f94665848649027966bae1f686540bcc0fcb3de6fc",
        service="Azure",
        data="VoxCelebTH 1",
        person=Person.SOURCE,
        endpoint=FIND_SIMILAR,
    ),
    PublishedFile(
        name="Results_vox2.csv",
        sha256="52a2b2f7931cbdedde34d8696a65898cda63b6fd7f52f33bf3b0d07c757ae98a",
        service="Azure",
        data="VoxCelebTH 2",
        person=Person.SOURCE,
        endpoint=FIND_SIMILAR,
    ),
    PublishedFile(
        name="Results_FOM.csv",
        sha256="2e0b89d84bf95203d90e464b65b40ec0e5a36536075bc9e0be9abecb55cab512",
        service="Azure",
        data="CelebFOM",
        person=Person.SOURCE,
        endpoint=FIND_SIMILAR,
    ),
    PublishedFile(
        name="Results_celebDF.csv",
        sha256="4dceb2f08a36c796ab67dc724c86bd1fccb20c6bde11d76b519ca7e4b31fda37",
        service="Azure",
        data="CelebDF v2",
        person=Person.TARGET,
        endpoint=FIND_SIMILAR,
        with_host=True,
    ),
    PublishedFile(
        name="Results_FaceApp.csv",
        sha256="201fa18a6bfcf7df3d5158f506830593f24e52d78adc5c0db79acb97ea9948b8",
        service="Azure",
        data="CelebBlend",
        person=Person.SOURCE,
        endpoint=FIND_SIMILAR,
    ),
    PublishedFile(
        name="ms_CelebDPR.csv",
        sha256="351d61ef56c1695c9f1ed67c40fc0d5e87485dd3743ecd6306466a298d3234b6",
        service="Azure",
        data="CelebDPR",
        person=Person.SOURCE,
        endpoint=FIND_SIMILAR,
    ),
    PublishedFile(
        name="AWS_Results_CelebDPR.csv",
        sha256="3ae3b7f4eae4e642a73ca347af6c72864b3d7ae2a1c22397b7b1554eaab11fd1",
        service="Amazon",
        data="CelebDPR",
        person=Person.SOURCE,
        endpoint=COMPARE_FACES,
    ),
)
"""In the order in which they are read; the bootstrap's stream runs on through them."""

SUPERSEDED = MappingProxyType(
    {"Results_CelebDPR.csv": tr("an earlier cut of ms_CelebDPR.csv, with 2,922 identical rows")}
)
"""Files of the repository that are left out, and why."""

NOT_REPLAYABLE = (
    tr(
        "Amazon’s 68.7 %, and 902 of 3,200 forgeries more confident than the real photo (the "
        "repository holds no Amazon answers for VoxCelebTH)"
    ),
    tr("every figure of Naver’s service"),
    tr("the 99.9 % of non-targeted attempts"),
    tr("how 8,119 forgeries split over five data sets"),
)
"""Published figures for which the repository holds no raw answers."""
