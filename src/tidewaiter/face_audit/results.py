"""The results of an audit: every rate with its counts, intervals and what is missing from it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tidewaiter.vocabulary import Noun, Sha256, Text


class Ends(Noun):
    """The lower and upper end of a 95 % interval."""

    lower: float
    upper: float


class Rate(Noun):
    """Events in trials. `clustered` is the headline interval, over people; never without it.

    `missing` trials got no answer and are in no denominator; `if_all` says what the rate
    would be had all of them been events, or none. A rate with more than 5 % missing has
    no headline: `headline` is False.
    """

    events: int = Field(ge=0)
    trials: int = Field(ge=1)
    value: float
    people: int
    people_hit: int
    exact: Ends
    clustered: Ends
    bootstrap: Ends
    design_effect: float | None
    missing: int
    if_all: Ends
    uncaptured: int
    headline: bool
    fewer_than_30: bool
    """Fewer than 30 events: the rule of 30 asks that the rate be marked."""


class ThresholdUsed(Noun):
    """One threshold: `value` is a similarity, a comparison is accepted at or above it.

    None where nothing gave it; the service's own verdicts then count. `supported` is False
    where fewer than 30 errors of the calibration comparisons stand behind an FMR.
    """

    name: str
    value: float | None
    fmr_wanted: float | None = None
    comparisons: int = 0
    errors: int = 0
    supported: bool = True


class Licit(Noun):
    """Honest travellers and impostors without any attack, on the measured people.

    `frr` counts the honest who were not accepted for whatever reason. For searches `fnmr`
    is FNIR and `fmr_random`, `fmr_look_alike` are the shares taken for the target.
    """

    fnmr: Rate | None
    fta: Rate | None
    frr: Rate | None
    frr_gated: Rate | None
    bpcer: Rate | None
    fmr_random: Rate | None
    fmr_look_alike: Rate | None
    fpir: Rate | None = None


class AttackRow(Noun):
    """One species over one kind of pairs.

    `accepted` is IAPAR (IAPIR of the targeted person for searches); `baseline` are the same
    people's own pictures with no attack, `lift` what the attack adds. `apcer` is the share
    the gate lets pass.
    """

    species: str
    family: str
    held_out: bool
    pair: Literal["all", "random", "look-alike"]
    accepted: Rate | None
    accepted_gated: Rate | None
    any_identity: Rate | None
    wrong_name: Rate | None
    baseline: Rate | None
    lift: float | None
    riapar: float | None
    riapar_gated: float | None
    apcer: Rate | None
    unmade: int


class MorphRow(Noun):
    """Morphs against all their contributors, over `morphs` with every comparison answered.

    `attack_potential[r-1][c-1]` is MAP[r,c]: the share accepted for both contributors in at
    least r of their references by at least c of the `recognisers`, the first of which is
    under audit. `expected` is P_morph, foretold from honest comparisons of the same pairs.
    `alpha` is the target's part, None where it was drawn.
    """

    species: str
    alpha: float | None = None
    pair: Literal["all", "random", "look-alike"]
    morphs: int
    min_max: Rate
    prod_avg: float
    rmmr: float | None
    expected: float | None
    recognisers: tuple[str, ...]
    attack_potential: tuple[tuple[float, ...], ...]
    potential_ends: tuple[tuple[Ends, ...], ...] = ()
    """The interval of each, over the people attacked and those mixed into them."""

    left_out: int


class FurtherRecogniser(Noun):
    """A further recogniser at its own threshold of the same name, on the measured people."""

    adapter: str
    threshold: ThresholdUsed
    fnmr: Rate | None
    fmr_random: Rate | None


class PersonRow(Noun):
    """One target: how often attacks on them, and they themselves, were accepted."""

    person: str
    groups: dict[str, str]
    attacks: int
    accepted: int
    accepted_gated: int | None
    mated: int
    refused: int


class GroupRow(Noun):
    """One group of targets."""

    group: str
    value: str
    people: int
    accepted: Rate | None
    fnmr: Rate | None


class AtThreshold(Noun):
    """Every table at one threshold."""

    threshold: ThresholdUsed
    licit: Licit
    attacks: tuple[AttackRow, ...]
    morphs: tuple[MorphRow, ...]
    people: tuple[PersonRow, ...]
    groups: tuple[GroupRow, ...]
    further: tuple[FurtherRecogniser, ...] = ()


class Curve(Noun):
    """One line of a plot, with the trials behind it."""

    name: str
    trials: int
    x: tuple[float, ...]
    y: tuple[float, ...]


class DetectionRow(Noun):
    """The gate's scores of one species against those of genuine pictures of measured people.

    `people` are those of the attacks or of the genuine pictures, whichever are fewer.
    """

    species: str
    held_out: bool
    attacks: int
    genuine: int
    people: int = 0
    auc: float
    equal_error: float
    """D-EER."""


class WorstDetection(Noun):
    """The gate against the worst of several species at thresholds of the measured pictures."""

    which: Literal["all", "seen", "held out"]
    species: int
    people: int = 0
    """Of the genuine pictures or of one species, whichever are fewest."""

    bpcer_at: dict[str, float]
    """BPCERn by n: BPCER where every species' APCER is at most 1/n."""

    apcer_at: dict[str, float]
    """The worst species' APCER at a BPCER of so many percent."""


class GateUsed(Noun):
    """The gate: its cut, and the calibration pictures it was fitted on.

    `cut` is None where no score reaches it: then only failures are rejected.
    """

    name: str
    bpcer_wanted: float
    cut: float | None
    calibration_bpcer: float
    calibration_pictures: int
    failures: int
    on_decline: str = "reject"
    detection: tuple[DetectionRow, ...] = ()
    worst: tuple[WorstDetection, ...] = ()


class WorstPicture(Noun):
    """An accepted attack, with the files it was made from and the file that was shown."""

    species: str
    target: str
    source: str
    pair: str
    score: float | None
    gate_score: float | None
    passed_gate: bool | None
    file: str
    made_from: tuple[str, ...]
    probe_sha256: str
    trial_id: str


class ServiceUsed(Noun):
    """The service as it was audited."""

    adapter: str
    mode: str
    endpoint: str
    version: str
    score_meaning: str
    given_threshold: float | None
    test_kit: bool


class Doubt(Noun):
    """A call whose reply was lost: it may have been billed."""

    trial_id: str
    attempt: int
    sent_at: str


class Planned(Noun):
    """What `tidewaiter audit plan` says of the same protocol: retries are not in it."""

    calls: int
    cost: str
    seconds: float
    pictures: int
    trials: int | None = None
    """With those of further recognisers; None in ledgers of before it was noted."""


class Generation(Noun):
    """How long forging took, per species, in milliseconds a picture."""

    species: str
    pictures: int
    median_ms: float
    slowest_ms: float


class Spent(Noun):
    """What the run used, beside what was planned when it began.

    `seconds` run from the beginning of the ledger to its last answer; breaks of more than
    ten minutes between two calls, as when a run was interrupted, are left out.
    """

    planned: Planned | None
    calls: int
    cost: str
    seconds: float
    generation: tuple[Generation, ...]
    in_doubt: tuple[Doubt, ...]
    outcomes: dict[str, int]
    unmade: int


class AuditResults(Noun):
    """The whole record, from which every page is written."""

    schema_version: Literal["1"] = "1"
    audit: str
    protocol_sha256: Sha256
    protocol: dict[str, object]
    ledger_sha256: Sha256
    started: str
    versions: dict[str, str]
    service: ServiceUsed
    further: tuple[ServiceUsed, ...] = ()
    people: dict[str, int]
    partial: bool
    trials_left: int
    verdict: tuple[Text, ...]
    gate: GateUsed | None
    at: tuple[AtThreshold, ...]
    sweep: tuple[Curve, ...]
    det: tuple[Curve, ...]
    spoofability: tuple[Curve, ...]
    """EPSC of each species: the share of attacks among impostors, and the least weighted error."""

    worst: tuple[WorstPicture, ...]
    fte: Rate | None = None
    """Share of the measured people's enrolment pictures of which there is no template."""

    spent: Spent
    not_covered: tuple[Text, ...]
