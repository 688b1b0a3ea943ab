"""Programs that files name as their makers, sorted by what they do to a recording."""

from __future__ import annotations

import re

_PICTURE_EDITORS = re.compile(
    r"photoshop|lightroom|gimp\b|snapseed|picsart|canva\b|affinity|pixelmator|paint\.net|paintshop|"
    r"corel|acdsee|faceapp|facetune|meitu|beautyplus|remini\b|picasa|luminar|capture one|darktable|"
    r"rawtherapee|digikam|imagemagick|graphicsmagick|krita|inkscape|polarr|vsco\b|photoscape|"
    r"irfanview|xnview|photofiltre|pixlr|fotor\b|adobe imageready|gd-jpeg|ms paint",
    re.IGNORECASE,
)
# Programs and libraries that write or re-encode video; cameras do not name them.
_VIDEO_PROGRAMS = re.compile(
    r"\bLavf\d|\bLavc\d|x264|x265|HandBrake|Premiere|After Effects|Final Cut|DaVinci|CapCut|"
    r"JianYing|InShot|KineMaster|VideoLeap|VivaVideo|iMovie|Filmora|Vegas Pro|Shotcut|kdenlive|"
    r"OpenShot|Avidemux|VirtualDub|mkvmerge|MEncoder|Mainconcept|Wondershare|Camtasia|\bOBS\b|YouTube|"
    r"produced by Google|TikTok|WhatsApp|Telegram|vid:v|SVT-AV1",
    re.IGNORECASE,
)


def names_editor(words: str) -> bool:
    """Whether `words` name a program that edits or converts pictures."""
    return bool(_PICTURE_EDITORS.search(words))


def names_video_program(words: str) -> bool:
    """Whether `words` name a program or library that writes video without a camera."""
    return bool(_VIDEO_PROGRAMS.search(words))
