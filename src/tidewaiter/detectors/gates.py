"""Conditions that several validity gates share."""

from __future__ import annotations

from tidewaiter.traces import face_quality
from tidewaiter.traces.compression import Compression
from tidewaiter.traces.face_manipulation import STEADY_GAPS, FaceAnswer
from tidewaiter.traces.face_quality import FaceQuality
from tidewaiter.vocabulary import Check, Text, tr


def compression_check(compression: Compression, quality: int) -> Check:
    """That the file lost no more than a JPEG of this quality."""
    found = (
        tr("{format}", format=compression.format or "?")
        if compression.quality is None
        else tr("JPEG {quality}", quality=compression.quality)
    )
    return Check(
        name=tr("compression"),
        found=found,
        needed=tr("lossless or JPEG {quality} or better", quality=quality),
        passed=compression.at_least(quality),
    )


def face_checks(quality: FaceQuality) -> list[Check]:
    """That a face is like those on which the manipulation network was validated."""
    found = _found_of(quality)
    lacking = quality.lacking
    return [
        Check(
            name=_NAMES[name], found=found[name], needed=_NEEDED[name], passed=name not in lacking
        )
        for name in _NAMES
    ]


def steady_check(answer: FaceAnswer) -> Check:
    """That the network's score holds when the face is compressed anew."""
    low, high = STEADY_GAPS
    return Check(
        name=tr("change of the score when the face is compressed anew"),
        found=tr("{found:.1f}", found=-answer.gap),
        needed=tr("{least:.1f} to {most:.1f}", least=-high, most=-low),
        passed=answer.steady,
    )


def failed_condition(name: str) -> Text:
    """A condition of `FaceQuality.lacking` in words, with what was needed."""
    return tr("{condition}: {needed} needed", condition=_NAMES[name], needed=_NEEDED[name])


_NAMES = {
    "pixels": tr("size of the face"),
    "sharpness": tr("sharpness of the face"),
    "contrast": tr("contrast of the face"),
    "brightness": tr("brightness of the face"),
    "yaw": tr("turn of the head sideways"),
    "pitch": tr("turn of the head up or down"),
    "presence": tr("certainty that nothing covers the face"),
    "outside": tr("share of the face's surroundings beyond the edge"),
}

_NEEDED = {
    "pixels": tr("at least {least:.0f} pixels", least=face_quality.LEAST_FACE_PIXELS),
    "sharpness": tr("at least {least:.2f}", least=face_quality.LEAST_SHARPNESS),
    "contrast": tr("at least {least:.0f} grey levels", least=face_quality.LEAST_CONTRAST),
    "brightness": tr(
        "{least:.0f} to {most:.0f} grey levels",
        least=face_quality.BRIGHTNESS[0],
        most=face_quality.BRIGHTNESS[1],
    ),
    "yaw": tr("at most {most:.0f}°", most=face_quality.LARGEST_YAW_DEGREES),
    "pitch": tr("at most {most:.0f}°", most=face_quality.LARGEST_PITCH_DEGREES),
    "presence": tr("at least {least:.0%}", least=face_quality.LEAST_PRESENCE),
    "outside": tr("at most {most:.0%}", most=face_quality.LARGEST_OUTSIDE_SHARE),
}


def _found_of(quality: FaceQuality) -> dict[str, Text]:
    return {
        "pixels": tr("{found:.0f} pixels", found=quality.pixels),
        "sharpness": tr("{found:.2f}", found=quality.sharpness),
        "contrast": tr("{found:.0f} grey levels", found=quality.contrast),
        "brightness": tr("{found:.0f} grey levels", found=quality.brightness),
        "yaw": tr("{found:.0f}°", found=abs(quality.yaw)),
        "pitch": tr("{found:.0f}°", found=abs(quality.pitch)),
        "presence": tr("{found:.0%}", found=quality.presence),
        "outside": tr("{found:.0%}", found=quality.outside),
    }
