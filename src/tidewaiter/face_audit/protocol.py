"""The protocol of an audit: what is tried on whom, at which thresholds, within which limits.

A TOML file with known keys only. Its digest, with that of the list of people, names the
audit: a ledger begun under one digest is not continued under another. Limits are left
out of the digest, so that a run stopped by its cap may go on with a higher one.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tidewaiter.errors import ConfigurationError
from tidewaiter.forgeries.face_species import Family
from tidewaiter.forgeries.faces import SPECIES

# Keys and passwords are named in the environment; one in a protocol would be in every report.
_GIVES_AWAY = r"(?:secret|passw(?:or)?d|token|(?:api|access|subscription|private)[_-]?key)"
SECRET_NAME = re.compile(rf"{_GIVES_AWAY}|auth(?!ors?$)|cookie", re.IGNORECASE)
# One given within a text: --token=x, "api_key": "x", ?token=x; not --token-file=x or "{key}".
SECRET_GIVEN = re.compile(
    rf"{_GIVES_AWAY}(?![\w-]*[_-](?:file|env)\b)[\w-]*[\"']?\s*[:=]\s*[\"']?[^\s\"'{{]",
    re.IGNORECASE,
)
# What retouching changes is looks, not identity: nobody is impersonated by it.
NOT_IMPERSONATION: tuple[Family, ...] = ("retouch",)
ATTACKS = tuple(sorted(n for n, s in SPECIES.items() if s.family not in NOT_IMPERSONATION))

Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Threshold(_Part):
    """Thresholds to report at: `given`, the one in service (None: the adapter's own), and FMRs."""

    given: float | None = None
    fmr: tuple[Share, ...] = (0.001, 0.0001)

    @field_validator("fmr")
    @classmethod
    def _once_each(cls, fmr: tuple[float, ...]) -> tuple[float, ...]:
        if len(set(fmr)) < len(fmr):
            raise ValueError("the same false match rate stands there twice")
        return fmr


class Target(_Part):
    """The service under audit; `options` are the adapter's own keys, never a secret."""

    adapter: str
    mode: Literal["verify", "identify"] = "verify"
    score: Literal["similarity", "distance"] = "similarity"
    threshold: Threshold = Threshold()
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("options")
    @classmethod
    def _without_secrets(cls, options: dict[str, Any]) -> dict[str, Any]:
        _refuse_secrets("options", options)
        return options


class Gate(_Part):
    """What stands before the service: one of a detector, an opinion, a network or a program.

    `network` is a folder that `tidewaiter fit gate` wrote, named from the protocol's. The
    gate's cut is fitted on the calibration people at `bpcer`; a gate that fails rejects. Of a
    picture on which it declines to speak, `on_decline` decides.
    """

    detector: str | None = None
    opinion: str | None = None
    network: str | None = None
    program: tuple[str, ...] = ()
    bpcer: Share = 0.05
    on_decline: Literal["reject", "pass"] = "reject"
    timeout_s: float = Field(default=30.0, gt=0)

    @property
    def name(self) -> str:
        """What the report calls it: detector, opinion, network folder or the program's file."""
        named = self.detector or self.opinion or self.network or self.program[0]
        return named.rpartition("/")[2]

    @field_validator("program")
    @classmethod
    def _without_secrets(cls, program: tuple[str, ...]) -> tuple[str, ...]:
        _refuse_secrets("program", program)
        return program

    @model_validator(mode="after")
    def _one_kind(self) -> Gate:
        given = (self.detector, self.opinion, self.network, self.program or None)
        if sum(one is not None for one in given) != 1:
            raise ValueError("exactly one of detector, opinion, network and program is needed")
        return self


class Pairs(_Part):
    """How many attackers each target meets: its nearest look-alikes, and others at random."""

    lookalike: Count = 1
    random: Count = 3

    @model_validator(mode="after")
    def _some(self) -> Pairs:
        if self.lookalike + self.random == 0:
            raise ValueError("no pair is asked for; at least one look-alike or random is needed")
        return self


class Attack(_Part):
    """One species of attack: each pair is forged once per seed, and per `alpha` of a morph."""

    species: str
    seeds: tuple[Count, ...] = Field(default=(1,), min_length=1)
    alpha: tuple[Share, ...] = ()
    """The target's part in a morph; none: drawn for each pair from the seed."""

    pairs: Pairs = Pairs()
    references: int = Field(default=2, ge=1, le=20)
    """Pictures of each contributor that a morph is compared with; only morphs use it."""

    @field_validator("species")
    @classmethod
    def _known(cls, species: str) -> str:
        if species not in ATTACKS:
            raise ValueError(f"no attack species {species!r}; one of {', '.join(ATTACKS)}")
        return species

    @model_validator(mode="after")
    def _shares(self) -> Attack:
        if self.alpha and SPECIES[self.species].family != "morph":
            raise ValueError(f"{self.species!r} mixes no faces; only morphs have alpha")
        if len(set(self.alpha)) < len(self.alpha):
            raise ValueError("the same alpha stands there twice; each makes its own pictures")
        return self


class Capture(_Part):
    """How pictures reach the gate and the service: genuine and forged alike.

    Without it genuine ones go out as their files are and forged ones as PNG, and a gate that
    tells them apart may have told their formats apart.
    """

    jpeg: int = Field(ge=1, le=100)
    """Quality at which every probe is saved anew."""


class Licit(_Part):
    """Honest comparisons: random and look-alike impostors for each enrolled person."""

    zero_effort: Count = 40
    lookalike: Count = 1


class Split(_Part):
    """Which people set thresholds and which are measured; a person is on one side only."""

    by: Literal["identity"] = "identity"
    calibrate: Share = 0.4
    seed: Count = 1
    hold_out_species: tuple[str, ...] = ()


class Limits(_Part):
    """What the run may spend and how fast; `max_cost` is checked before every call."""

    max_calls: int | None = Field(default=None, ge=1)
    max_cost: str | None = Field(default=None, pattern=r"^\d+(\.\d+)? [A-Z]{3}$")
    price_per_call: Decimal | None = Field(default=None, ge=0)
    rps: float | None = Field(default=None, gt=0)
    retries: int = Field(default=5, ge=0, le=20)
    on_doubt: Literal["resend", "leave"] = "resend"

    @property
    def most_money(self) -> Decimal | None:
        """The amount of `max_cost`."""
        return None if self.max_cost is None else Decimal(self.max_cost.split()[0])

    @property
    def currency(self) -> str:
        """The currency of `max_cost`; empty where no money is named."""
        return "" if self.max_cost is None else self.max_cost.split()[1]


class Protocol(_Part):
    """Everything that decides what an audit does."""

    audit: str = Field(min_length=1, max_length=80)
    people: str = "identities.csv"
    targets: tuple[str, ...] = ()
    """Who is impersonated; empty: everybody enrolled and authorised in the list of people."""

    target: Target
    also: tuple[Target, ...] = ()
    """Further recognisers that meet honest people and morphs, for MAP[r,c]."""

    capture: Capture | None = None
    gate: Gate | None = None
    attacks: tuple[Attack, ...] = Field(min_length=1)
    licit: Licit = Licit()
    split: Split = Split()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _consistent(self) -> Protocol:
        named = [attack.species for attack in self.attacks]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"species {twice[0]!r} is listed twice; give it several seeds instead")
        absent = sorted(set(self.split.hold_out_species) - set(named))
        if absent:
            raise ValueError(f"held-out species {absent[0]!r} is not among the attacks")
        if any(other.mode != "verify" for other in self.also) or (
            self.also and self.target.mode != "verify"
        ):
            raise ValueError("further recognisers in [[also]] only verify, and so must the target")
        adapters = [target.adapter for target in self.recognisers]
        if len(set(adapters)) < len(adapters):
            raise ValueError("the same adapter stands in [target] and [[also]] or twice there")
        return self

    @property
    def recognisers(self) -> tuple[Target, ...]:
        """The one under audit first."""
        return (self.target, *self.also)

    def digest(self, people: bytes) -> str:
        """SHA-256 of what decides the trials: this protocol without limits, and the people."""
        said = self.model_dump_json(exclude={"limits"})
        return hashlib.sha256(said.encode() + b"\n" + people).hexdigest()


def read_protocol(text: str, name: str) -> Protocol:
    """The protocol in a TOML text; `name` is the file's, for messages.

    Raises ConfigurationError naming the place that cannot be used.
    """
    try:
        return Protocol.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"the protocol {name!r} is not TOML: {error}") from error
    except RecursionError as error:
        raise ConfigurationError(
            f"the protocol {name!r} nests its values too deep; no key of a protocol needs that"
        ) from error
    except ValidationError as error:
        raise ConfigurationError(
            f"the protocol {name!r} cannot be used: {_told(error)}; "
            "docs/reference/audit-protocol.md lists every key"
        ) from error


def _told(error: ValidationError) -> str:
    """The first thing wrong. Words that were found are not repeated: they may be a key."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"{place!r} is missing"
    if first["type"] == "extra_forbidden":
        return f"there is no key {place!r}"
    if first["type"] == "too_short":
        return f"{place!r} is empty; at least one is needed"
    if first["type"] == "string_pattern_mismatch":
        return f"{place!r} is not in the form that its example has"
    found = f" {first['input']}" if isinstance(first["input"], int | float) else ""
    words = first["msg"].removeprefix("Value error, ").replace("Input should be", "it should be")
    return f"{place!r}{found}: {words}" if place else words


def _refuse_secrets(name: str, value: Any) -> None:
    """Raises ValueError where a name, a header, an address or an argument gives a secret."""
    if isinstance(value, dict):
        for inner, content in value.items():
            _refuse_secrets(inner, content)
        return
    # An option of a program and what follows it are read together: --token x.
    text = "=".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    by_name = SECRET_NAME.search(name) and not _is_named(name) and "{key}" not in text
    if by_name or SECRET_GIVEN.search(text):
        raise ValueError(
            f"{name!r} would write a secret into the protocol; adapters read secrets from the "
            "environment or a file: docs/howto/audit-adapters.md"
        )


def _is_named(name: str) -> bool:
    """Keys that name an environment variable or a file hold no secret themselves."""
    return name.endswith(("_env", "_file"))
