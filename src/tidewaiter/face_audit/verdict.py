"""The verdict of an audit in sentences a manager can act on, and what the audit left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidewaiter.face_audit.results import (
    AttackRow,
    AtThreshold,
    GateUsed,
    Licit,
    Rate,
    ServiceUsed,
    ThresholdUsed,
)
from tidewaiter.vocabulary import Text, tr

# NIST SP 800-63A-4 and 63B-4, and the stricter line of the FIDO biometric requirements.
ACCEPTABLE = 0.07

# Where an interval lies, beside what is acceptable.
ABOVE, BELOW, UNDECIDED = "above", "below", "undecided"


def verdict(
    at: Sequence[AtThreshold],
    gate: GateUsed | None,
    service: ServiceUsed,
    trials_left: int,
    *,
    without_template: Sequence[str] = (),
) -> tuple[Text, ...]:
    """Sentences, the most urgent first. Nothing is said from a cell without a headline.

    The first says of all kinds of attack together where they lie: above as soon as one is
    shown to, below only where each is. `without_template` are targets whom the service could
    not enrol.
    """
    sentences = [*_warnings(service, trials_left), *_headline(at, gate)]
    for table in at:
        if table.threshold.supported:
            sentences += _of_threshold(table, gate)
    sentences += _unsupported(at)
    if without_template:
        sentences.append(
            tr(
                "The service made no template of the enrolment pictures of {people}: nobody can "
                "pass for them, and attacks on them count as refused, which makes the rates look "
                "better; list other pictures of them.",
                people=", ".join(without_template),
            )
        )
    sentences.append(
        tr(
            "Whatever the numbers, let a person decide where a refusal or an alarm touches "
            "somebody's rights; after an alarm, compare with the document, look for a replay or a "
            "mask, and take a new picture."
        )
    )
    return tuple(sentences)


def not_covered(gate: GateUsed | None, mode: str, *, further: int = 0) -> tuple[Text, ...]:
    """What this audit says nothing about."""
    missing = [
        tr("Masks, make-up, prints and screens held before the real camera, and other cameras."),
        tr("Liveness checks that ask for a movement, and anything measured over time in a video."),
        tr(
            "Forgeries by trained networks or by hand: the attacks here are made by rule on this "
            "machine, and a determined attacker may do better."
        ),
        tr("Injection into the camera's path, unless the service was reached through it."),
    ]
    if not further:
        missing.append(
            tr(
                "Other recognisers: morphs were tried against one service, so MAP[r,c] is for one "
                "recogniser only."
            )
        )
    if gate is None:
        missing.append(tr("A detector in front: the protocol names no gate."))
    else:
        missing.append(
            tr("A gate's behaviour on pictures from other cameras than those of the calibration.")
        )
    if mode == "identify":
        missing.append(tr("Galleries larger than the one enrolled; false hits grow with its size."))
    return tuple(missing)


def stated(rate: Rate) -> Text:
    """A rate in words, never without counts and interval."""
    return tr(
        "{events} of {trials} = {value:.1f} % (95 % interval {lower:.1f} to {upper:.1f} %, "
        "{people} people)",
        events=rate.events,
        trials=rate.trials,
        value=100 * rate.value,
        lower=100 * rate.clustered.lower,
        upper=100 * rate.clustered.upper,
        people=rate.people,
    )


def threshold_said(used: ThresholdUsed) -> Text:
    """A threshold as the page calls it."""
    if used.fmr_wanted is None:
        return tr("the threshold in service")
    return tr("the threshold of {name}", name=used.name)


def worst_row(rows: Sequence[AttackRow], *, gated: bool = False) -> AttackRow | None:
    """The species accepted most often over all pairs, among cells that have a headline."""
    usable = [(_told(_of(row, gated=gated)), row) for row in rows if row.pair == "all"]
    told = [(rate.value, row) for rate, row in usable if rate is not None]
    return max(told, key=lambda pair: pair[0])[1] if told else None


def _of(row: AttackRow, *, gated: bool) -> Rate | None:
    return row.accepted_gated if gated else row.accepted


def _told(rate: Rate | None) -> Rate | None:
    """The rate where it may stand in a sentence, as it has a headline."""
    return rate if rate is not None and rate.headline else None


def _warnings(service: ServiceUsed, trials_left: int) -> Iterator[Text]:
    if service.test_kit:
        yield tr(
            "This audit was run against a stand-in for tests. It says nothing about any service "
            "in use."
        )
    if trials_left:
        yield tr(
            "This audit is not finished: {left} trials are left. The numbers below are of a part "
            "and may change; run it to its end before acting on them.",
            left=trials_left,
        )


def _headline(at: Sequence[AtThreshold], gate: GateUsed | None) -> Iterator[Text]:
    """What a manager has to know and do, of the first threshold that has a headline."""
    table = next((table for table in at if table.threshold.supported), None)
    if table is None or worst_row(table.attacks) is None:
        return
    limit, without = 100 * ACCEPTABLE, _place_of_all(table.attacks)
    if gate is None or worst_row(table.attacks, gated=True) is None:
        yield _without_gate_said(without, limit)
        yield _to_do(without)
    else:
        behind = _place_of_all(table.attacks, gated=True)
        yield _with_gate_said(without, behind, limit)
        yield _to_do(behind)
    alike = _told(table.licit.fmr_look_alike)
    if alike is not None and _place(alike) == ABOVE:
        yield tr(
            "People who look alike are taken for each other without any attack, in {rate}: "
            "a stricter threshold comes before any gate.",
            rate=stated(alike),
        )


def _with_gate_said(without: str, behind: str, limit: float) -> Text:
    if behind == ABOVE:
        return tr(
            "NOT SAFE against forged faces, even with the gate in front: they pass more often "
            "than the {limit:.0f} % that standards allow.",
            limit=limit,
        )
    if behind == BELOW:
        return tr(
            "With the gate in front, each kind of forged face tried passes less often than the "
            "{limit:.0f} % that standards allow.",
            limit=limit,
        )
    if without == ABOVE:
        return tr(
            "NOT SAFE against forged faces without a gate; whether the gate brings them below the "
            "{limit:.0f} % that standards allow cannot be told from so few people.",
            limit=limit,
        )
    return _undecided(limit)


def _without_gate_said(place: str, limit: float) -> Text:
    if place == ABOVE:
        return tr(
            "NOT SAFE against forged faces as it is: they pass more often than the {limit:.0f} % "
            "that standards allow.",
            limit=limit,
        )
    if place == BELOW:
        return tr(
            "Each kind of forged face tried passes less often than the {limit:.0f} % that "
            "standards allow.",
            limit=limit,
        )
    return _undecided(limit)


def _to_do(place: str) -> Text:
    if place == ABOVE:
        return tr(
            "What to do: let a person look at each traveller whom the service accepts, until a "
            "stricter threshold, another gate or another service has been audited."
        )
    if place == BELOW:
        return tr(
            "What to do: keep service, threshold, camera and gate as they were audited; audit "
            "again when one of them changes."
        )
    return tr(
        "What to do: audit more people before you decide; “tidewaiter audit plan” says how many."
    )


def _undecided(limit: float) -> Text:
    return tr(
        "NOT DECIDED: whether forged faces pass less often than the {limit:.0f} % that standards "
        "allow cannot be told from so few people.",
        limit=limit,
    )


def _place(rate: Rate) -> str:
    """Where the whole interval lies."""
    if rate.clustered.upper < ACCEPTABLE:
        return BELOW
    return ABOVE if rate.clustered.lower >= ACCEPTABLE else UNDECIDED


def _place_of(row: AttackRow, *, gated: bool) -> str:
    """Where a kind of attack lies; of one without a headline nothing is known."""
    rate = _told(_of(row, gated=gated))
    return UNDECIDED if rate is None else _place(rate)


def _place_of_all(rows: Sequence[AttackRow], *, gated: bool = False) -> str:
    """Above where one kind of attack is shown to lie there, below where each of them is."""
    places = {_place_of(row, gated=gated) for row in rows if row.pair == "all"}
    if ABOVE in places:
        return ABOVE
    return BELOW if places == {BELOW} else UNDECIDED


def _of_threshold(table: AtThreshold, gate: GateUsed | None) -> Iterator[Text]:
    worst = worst_row(table.attacks)
    if worst is None or worst.accepted is None:
        yield tr(
            "At {threshold} no kind of attack has enough answered trials for a headline.",
            threshold=threshold_said(table.threshold),
        )
        return
    yield tr(
        "At {threshold} the most successful of {count} kinds of attack, {species}, was "
        "taken for the person attacked in {rate}; {judged}.",
        threshold=threshold_said(table.threshold),
        count=len({row.species for row in table.attacks}),
        species=worst.species,
        rate=stated(worst.accepted),
        judged=_judged(worst.accepted),
    )
    yield from _graver(table.attacks, worst)
    yield from _baselines(table.licit, worst)
    if gate is not None:
        yield from _with_gate(table, gate)


def _graver(rows: Sequence[AttackRow], worst: AttackRow, *, gated: bool = False) -> Iterator[Text]:
    """Kinds of attack that succeed less often than the worst, and yet weigh more or as nothing."""
    others = [row for row in rows if row.pair == "all" and row is not worst]
    gravity = (BELOW, UNDECIDED, ABOVE).index
    least = gravity(_place_of(worst, gated=gated))
    told = [(row, rate) for row in others if (rate := _told(_of(row, gated=gated))) is not None]
    graver = [(row, rate) for row, rate in told if gravity(_place(rate)) > least]
    if graver:
        row, rate = max(graver, key=lambda pair: (gravity(_place(pair[1])), pair[1].value))
        yield tr(
            "{species} succeeded less often, in {rate}; {judged}.",
            species=row.species,
            rate=stated(rate),
            judged=_judged(rate),
        )
    silent = [row.species for row in others if _told(_of(row, gated=gated)) is None]
    if silent:
        yield tr(
            "Nothing can be said of {species}: too few of its attacks could be made and were "
            "answered.",
            species=", ".join(silent),
        )


def _baselines(licit: Licit, worst: AttackRow) -> Iterator[Text]:
    baseline, refused = _told(worst.baseline), _told(licit.frr)
    if baseline is not None:
        yield tr(
            "Attackers who showed their own pictures instead were accepted in {rate}; the "
            "difference is what the attack adds.",
            rate=stated(baseline),
        )
    if refused is not None:
        yield tr("Honest people were turned away in {rate}.", rate=stated(refused))


def _with_gate(table: AtThreshold, gate: GateUsed) -> Iterator[Text]:
    worst = worst_row(table.attacks, gated=True)
    if worst is None or worst.accepted_gated is None:
        return
    yield tr(
        "With the gate {gate} in front, the most successful attack is {species}: {rate}; {judged}.",
        gate=gate.name,
        species=worst.species,
        rate=stated(worst.accepted_gated),
        judged=_judged(worst.accepted_gated),
    )
    yield from _graver(table.attacks, worst, gated=True)
    refused, rejected = _told(table.licit.frr_gated), _told(table.licit.bpcer)
    if refused is not None and rejected is not None:
        yield tr(
            "The gate costs: honest people are then turned away in {rate}; the gate alone "
            "rejects {bpcer} of genuine pictures.",
            rate=stated(refused),
            bpcer=stated(rejected),
        )


def _judged(rate: Rate) -> Text:
    limit, place = 100 * ACCEPTABLE, _place(rate)
    if place == BELOW:
        return tr("this is shown to be below the {limit:.0f} % asked for", limit=limit)
    if place == ABOVE:
        return tr("this is above the {limit:.0f} % that standards allow", limit=limit)
    return tr("whether this is below {limit:.0f} % cannot be told from so few people", limit=limit)


def _unsupported(at: Sequence[AtThreshold]) -> Iterator[Text]:
    for table in at:
        used = table.threshold
        if not used.supported:
            yield tr(
                "{name} is not reportable: its threshold rests on {errors} false matches in "
                "{count} comparisons, and at least 30 false matches are needed. Its tables are "
                "marked.",
                name=used.name,
                errors=used.errors,
                count=used.comparisons,
            )
