"""Every error Tidewaiter raises on purpose.

TidewaiterError                      exit 1   HTTP 500
├─ InputError                        exit 2   HTTP 422
│  ├─ UnsupportedMedia                        HTTP 415
│  ├─ CorruptMedia
│  ├─ LimitExceeded                           HTTP 413
│  ├─ UnknownExhibit                          HTTP 404
│  └─ UnfitFaces
├─ ExaminationError                  exit 3   HTTP 503
│  ├─ MissingWeights
│  └─ MissingCalibration
├─ IntegrityError                    exit 4   HTTP 409   never retried, never downgraded
│  ├─ MalformedText
│  ├─ BadSignature
│  ├─ UnknownSigner
│  ├─ BrokenProof
│  ├─ BrokenSeal
│  ├─ SecondWriter
│  ├─ MissingMedium
│  └─ LogContradicted
├─ ExchangeError                     exit 5   HTTP 502
├─ StorageError                      exit 6   HTTP 503
│  └─ UncertainCommit
├─ ConfigurationError                exit 7   HTTP 500
└─ FitRefused                        exit 8   HTTP 409

A message says what was found, what was needed and what to do. A detector that
declines is a status of its finding, not an error.
"""

from __future__ import annotations

from typing import ClassVar


class TidewaiterError(Exception):
    """Any failure that Tidewaiter explains to its user in one sentence."""

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500


class InputError(TidewaiterError):
    """What the user handed in cannot be examined as it is."""

    exit_code = 2
    http_status = 422


class UnsupportedMedia(InputError):
    """The content is of a kind that Tidewaiter does not open."""

    http_status = 415


class CorruptMedia(InputError):
    """The content breaks the rules of its own format."""


class LimitExceeded(InputError):
    """The content is larger, longer or hungrier than the operator allows."""

    http_status = 413


class UnknownExhibit(InputError):
    """There is no exhibit at that path or of that digest."""

    http_status = 404


class UnfitFaces(InputError):
    """The faces given cannot be made into the forgery asked for; others may."""


class ExaminationError(TidewaiterError):
    """An examination could not be carried out on this installation."""

    exit_code = 3
    http_status = 503


class MissingWeights(ExaminationError):
    """A model file is not installed; the message names the command that installs it."""


class MissingCalibration(ExaminationError):
    """No calibration fits this detector's version."""


class IntegrityError(TidewaiterError):
    """Something that must not change has changed."""

    exit_code = 4
    http_status = 409


class MalformedText(IntegrityError):
    """A note, checkpoint, proof, policy or record breaks a rule of its format."""


class BadSignature(IntegrityError):
    """A signature under a known key does not fit what it is said to sign."""


class UnknownSigner(IntegrityError):
    """Nobody whose key is known has signed."""


class BrokenProof(IntegrityError):
    """A Merkle proof does not lead from what was given to the root it must lead to."""


class BrokenSeal(IntegrityError):
    """A sealed medium, or a wrapped key, does not open with the key given."""


class SecondWriter(IntegrityError):
    """Somebody else writes, or wrote, to a log that has one writer."""


class MissingMedium(IntegrityError):
    """Bulk material that was logged is not where it was kept."""


class LogContradicted(IntegrityError):
    """The stored log contradicts itself or its witnesses, so nothing is added to it."""


class ExchangeError(TidewaiterError):
    """A case message could not be read or sent."""

    exit_code = 5
    http_status = 502


class StorageError(TidewaiterError):
    """Records or bulk material could not be written or read back."""

    exit_code = 6
    http_status = 503


class UncertainCommit(StorageError):
    """The store failed in the very moment of committing: only reading again will tell."""


class ConfigurationError(TidewaiterError):
    """A setting is missing, unknown or contradicts another."""

    exit_code = 7


class FitRefused(TidewaiterError):
    """What was fitted to a site is no better than what is in use, so nothing was installed."""

    exit_code = 8
    http_status = 409
