"""Content Credentials of a video: the same reading as for pictures, about another proposition."""

from __future__ import annotations

from tidewaiter.detectors.provenance.content_credentials import ContentCredentials
from tidewaiter.vocabulary import MediaKind, Proposition


class VideoContentCredentials(ContentCredentials):
    """States which of five things was found in a video file."""

    id = "provenance.content_credentials_video"
    proposition = Proposition.VIDEO_ALTERED
    media = frozenset({MediaKind.VIDEO})
