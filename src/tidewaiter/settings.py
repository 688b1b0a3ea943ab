"""What an operator may configure: limits, folders, trust list.

Read from a TOML file (`tidewaiter.toml` or the path in TIDEWAITER_SETTINGS) by
`wiring`; nothing below it reads the environment.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

MIB = 1024 * 1024


class Limits(BaseModel):
    """How much one exhibit may ask of one worker. Every refusal names its limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_bytes: int = Field(default=4096 * MIB, ge=1, description="size of the file")
    max_pixels: int = Field(default=200_000_000, ge=1, description="pixels of one picture or frame")
    max_side: int = Field(default=65_000, ge=1, description="width or height in pixels")
    max_frames: int = Field(default=1_000_000, ge=1, description="frames of a video")
    max_duration_s: float = Field(default=6 * 3600.0, gt=0, description="duration of a video")
    max_wall_s: float = Field(
        default=1800.0, gt=0, description="time one examination may take, by the clock"
    )
    max_memory_bytes: int = Field(
        default=4096 * MIB, ge=64 * MIB, description="memory of one worker"
    )


class Settings(BaseModel):
    """All settings with their defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limits: Limits = Limits()
    language: str = Field(default="en", description="language of reports and messages: en or fr")
    trust_list: Path | None = Field(
        default=None, description="PEM file of certificates whose Content Credentials are trusted"
    )
    camera_trust_list: Path | None = Field(
        default=None,
        description="PEM file of certificates whose cameras are known by the signatures in their "
        "video (ONVIF media signing)",
    )
    camera_revoked_list: Path | None = Field(
        default=None,
        description="text file of camera certificates that were withdrawn: SHA-256, since when, "
        "reason, one a line",
    )
    camera_crls: Path | None = Field(
        default=None,
        description="certificate revocation lists that camera makers signed (PEM or DER); no "
        "network is asked for newer ones",
    )
    calibrations: Path | None = Field(
        default=None, description="folder of site calibrations, used before the shipped ones"
    )
    face_network: Path | None = Field(
        default=None,
        description="folder of `tidewaiter fit face`: its network and calibrations are used "
        "instead of the shipped face network",
    )
