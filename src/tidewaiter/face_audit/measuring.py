"""From a ledger to the tables of a report: thresholds, rates, curves, the worst pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tidewaiter.face_audit.curves import det_curves, spoofability_curves, sweep_curves
from tidewaiter.face_audit.detection import detection_rows, worst_detection
from tidewaiter.face_audit.gate import Cut, fitted_cut
from tidewaiter.face_audit.ledger import Book
from tidewaiter.face_audit.morph_rows import (
    PAIR_KINDS,
    HonestScores,
    Witness,
    morph_rows,
)
from tidewaiter.face_audit.observations import Seen, observed, rate
from tidewaiter.face_audit.people import Person
from tidewaiter.face_audit.protocol import Protocol
from tidewaiter.face_audit.results import (
    AttackRow,
    AtThreshold,
    Curve,
    FurtherRecogniser,
    GateUsed,
    GroupRow,
    Licit,
    MorphRow,
    PersonRow,
    Rate,
    ThresholdUsed,
    WorstPicture,
)
from tidewaiter.face_audit.service import ServiceCard
from tidewaiter.face_audit.thresholds import threshold_from_card, thresholds
from tidewaiter.face_audit.trials import Role, Setting, Trial, for_another
from tidewaiter.forgeries.faces import SPECIES

WORST_SHOWN = 20


@dataclass(frozen=True)
class Measured:
    """All tables of one audit, on the people kept apart from calibration."""

    at: tuple[AtThreshold, ...]
    gate: GateUsed | None
    sweep: tuple[Curve, ...]
    det: tuple[Curve, ...]
    spoofability: tuple[Curve, ...]
    worst: tuple[WorstPicture, ...]


@dataclass(frozen=True)
class _Further:
    """What a further recogniser saw of the measured people, and its thresholds."""

    adapter: str
    test: Sequence[Seen]
    thresholds: Sequence[ThresholdUsed]


def measured(
    trials: Sequence[Trial],
    book: Book,
    protocol: Protocol,
    setting: Setting,
    cards: Sequence[ServiceCard],
) -> Measured:
    """Every table. Thresholds and the gate's cut come from the calibration people only.

    `cards` are the recogniser under audit and the further ones, as the protocol has them.
    """
    passing = protocol.gate is not None and protocol.gate.on_decline == "pass"
    seen = observed(trials, book, declined_pass=passing)
    calibration, test = _parts(seen)
    cut = _cut(calibration, protocol)
    given = threshold_from_card(protocol.target, cards[0])
    used = thresholds(calibration, given, protocol.target.threshold.fmr)
    further = [_further(trials, book, protocol, n, card) for n, card in enumerate(cards[1:])]
    tables = _Tables(test, protocol, setting, cut, _unmade(trials, book))
    return Measured(
        at=tuple(
            AtThreshold(
                threshold=threshold,
                licit=tables.licit(threshold.value),
                attacks=tuple(tables.attacks(threshold.value)),
                morphs=tuple(tables.morphs(threshold, further)),
                people=tuple(tables.people(threshold.value)),
                groups=tuple(tables.groups(threshold.value)),
                further=tuple(_further_at(one, threshold.name) for one in further),
            )
            for threshold in used
        ),
        gate=_gate_used(protocol, cut, test),
        sweep=sweep_curves(test),
        det=det_curves(test, gated=cut is not None),
        spoofability=spoofability_curves(test),
        worst=tuple(tables.worst(used[0].value)),
    )


class _Tables:
    """The tables over the measured people, at any threshold."""

    def __init__(
        self,
        test: Sequence[Seen],
        protocol: Protocol,
        setting: Setting,
        cut: Cut | None,
        unmade: Sequence[Trial],
    ) -> None:
        self.test, self.protocol, self.setting = test, protocol, setting
        self.cut, self.unmade = cut, unmade
        self._licit: dict[float | None, Licit] = {}
        self.verify = protocol.target.mode == "verify"
        self.honest = {
            (s.trial.target, s.trial.source): s
            for s in reversed(test)
            if s.trial.role is not Role.ATTACK
        }

    def licit(self, threshold: float | None) -> Licit:
        """What honest people meet; every row of a table asks for it."""
        if threshold not in self._licit:
            self._licit[threshold] = self._met_by_honest(threshold)
        return self._licit[threshold]

    def _met_by_honest(self, threshold: float | None) -> Licit:
        mated = [s for s in self.test if s.trial.role is Role.MATED]
        random = [s for s in self.test if s.trial.role is Role.ZERO_EFFORT]
        alike = [s for s in self.test if s.trial.role is Role.LOOK_ALIKE]
        strangers = [s for s in (*random, *alike) if not self._knows(s.trial.source)]
        cut = self.cut
        return Licit(
            fnmr=rate(mated, lambda s: not s.accepted(threshold), captured_only=True),
            fta=rate(mated, lambda s: s.uncaptured),
            frr=rate(mated, lambda s: not s.accepted(threshold)),
            frr_gated=rate(mated, lambda s: not (s.passes(cut) and s.accepted(threshold)))
            if cut
            else None,
            bpcer=rate(_once(mated), lambda s: not s.passes(cut)) if cut else None,
            fmr_random=rate(random, lambda s: s.accepted(threshold), captured_only=True),
            fmr_look_alike=rate(alike, lambda s: s.accepted(threshold), captured_only=True),
            fpir=None
            if self.verify
            else rate(
                _once(strangers),
                lambda s: bool(s.named(threshold)),
                over_people=lambda s: s.trial.source,
            ),
        )

    def attacks(self, threshold: float | None) -> Iterator[AttackRow]:
        """One row per species and kind of pairs, also where none could be forged.

        A recapture is of one person, in no kind of pair.
        """
        for attack in self.protocol.attacks:
            for pair in PAIR_KINDS if SPECIES[attack.species].uses_donor else PAIR_KINDS[:1]:
                chosen = self._attacks_of(attack.species, pair)
                if chosen or self._unmade_of(attack.species, pair):
                    yield self._attack_row(attack.species, pair, chosen, threshold)

    def morphs(self, used: ThresholdUsed, further: Sequence[_Further]) -> Iterator[MorphRow]:
        """The morph measures of each morph species; verification only."""
        if not self.verify:
            return
        witnesses = [
            Witness(self.protocol.target.adapter, self.test, used.value),
            *(Witness(o.adapter, o.test, _named(o, used.name).value) for o in further),
        ]
        fnmr = self.licit(used.value).fnmr
        for attack in self.protocol.attacks:
            if SPECIES[attack.species].family == "morph":
                yield from morph_rows(witnesses, attack, self._honest_scores(), fnmr)

    def _honest_scores(self) -> HonestScores:
        mated = [s.score for s in self.test if s.trial.role is Role.MATED and s.score is not None]
        pairs = {pair: s.score for pair, s in self.honest.items() if s.score is not None}
        return HonestScores(np.array(mated, dtype=np.float64), pairs)

    def people(self, threshold: float | None) -> Iterator[PersonRow]:
        """One row per target, the most often impersonated first."""
        rows = [self._person_row(name, threshold) for name in self.setting.targets]
        yield from sorted(rows, key=lambda r: (-r.accepted / max(r.attacks, 1), r.person))

    def groups(self, threshold: float | None) -> Iterator[GroupRow]:
        """One row per value of each group column."""
        listed = self.setting.people
        columns = sorted(
            {column for name in self.setting.targets for column in listed[name].groups}
        )
        for column in columns:
            for value in sorted({listed[n].groups.get(column, "") for n in self.setting.targets}):
                names = {
                    n for n in self.setting.targets if listed[n].groups.get(column, "") == value
                }
                yield self._group_row((column, value), names, threshold)

    def worst(self, threshold: float | None) -> Iterator[WorstPicture]:
        """Accepted attacks, those that pass the gate and score highest first."""
        accepted = [
            s
            for s in self.test
            if s.trial.role is Role.ATTACK and s.trial.headline and s.accepted(threshold)
        ]
        accepted.sort(key=lambda s: (not self._passes(s), -(s.score or 0.0), s.trial.id))
        for seen in accepted[:WORST_SHOWN]:
            yield _worst(seen, None if self.cut is None else seen.passes(self.cut))

    def _attacks_of(self, species: str, pair: str) -> list[Seen]:
        return [
            s
            for s in self.test
            if s.trial.role is Role.ATTACK
            and s.trial.headline
            and s.trial.species == species
            and pair in ("all", s.trial.pair)
        ]

    def _attack_row(
        self, species: str, pair: str, chosen: Sequence[Seen], threshold: float | None
    ) -> AttackRow:
        cut, licit = self.cut, self.licit(threshold)
        accepted = rate(chosen, lambda s: s.accepted(threshold))
        gated = rate(chosen, lambda s: s.passes(cut) and s.accepted(threshold)) if cut else None
        baseline = rate(self._without_attack(chosen), lambda s: s.accepted(threshold))
        return AttackRow(
            species=species,
            family=SPECIES[species].family,
            held_out=species in self.protocol.split.hold_out_species,
            pair=pair,  # type: ignore[arg-type]
            accepted=accepted,
            accepted_gated=gated,
            any_identity=self._searched(chosen, lambda s: bool(s.named(threshold))),
            wrong_name=self._searched(
                chosen, lambda s: bool(set(s.named(threshold)) - {s.trial.target})
            ),
            baseline=baseline,
            lift=accepted.value - baseline.value if accepted and baseline else None,
            riapar=_sum(accepted, licit.frr),
            riapar_gated=_sum(gated, licit.frr_gated),
            apcer=rate(chosen, lambda s: s.passes(cut)) if cut else None,
            unmade=self._unmade_of(species, pair),
        )

    def _unmade_of(self, species: str, pair: str) -> int:
        return sum(t.species == species and pair in ("all", t.pair) for t in self.unmade)

    def _without_attack(self, chosen: Sequence[Seen]) -> list[Seen]:
        """The attackers with their own pictures; of a recapture everybody but the target."""
        pairs = {(s.trial.target, s.trial.source) for s in chosen}
        if any(s.trial.is_recapture for s in chosen):
            targets = {target for target, _ in pairs}
            pairs = {(to, who) for to, who in self.honest if to in targets and who != to}
        return [self.honest[found] for found in sorted(pairs) if found in self.honest]

    def _searched(self, chosen: Sequence[Seen], event: object) -> Rate | None:
        return None if self.verify else rate(chosen, event)  # type: ignore[arg-type]

    def _person_row(self, name: str, threshold: float | None) -> PersonRow:
        attacks = [s for s in self._headline_attacks() if s.trial.target == name]
        mated = [s for s in self.test if s.trial.role is Role.MATED and s.trial.target == name]
        known = [s for s in mated if not s.missing]
        accepted = [s for s in attacks if s.accepted(threshold)]
        return PersonRow(
            person=name,
            groups=dict(self.setting.people[name].groups),
            attacks=sum(not s.missing for s in attacks),
            accepted=len(accepted),
            accepted_gated=sum(s.passes(self.cut) for s in accepted) if self.cut else None,
            mated=len(known),
            refused=sum(not s.accepted(threshold) for s in known),
        )

    def _group_row(
        self, group: tuple[str, str], names: set[str], threshold: float | None
    ) -> GroupRow:
        attacks = [s for s in self._headline_attacks() if s.trial.target in names]
        mated = [s for s in self.test if s.trial.role is Role.MATED and s.trial.target in names]
        return GroupRow(
            group=group[0],
            value=group[1],
            people=len(names),
            accepted=rate(attacks, lambda s: s.accepted(threshold)),
            fnmr=rate(mated, lambda s: not s.accepted(threshold), captured_only=True),
        )

    def _headline_attacks(self) -> list[Seen]:
        return [s for s in self.test if s.trial.role is Role.ATTACK and s.trial.headline]

    def _knows(self, name: str) -> bool:
        person: Person = self.setting.people[name]
        return bool(person.enrolled)

    def _passes(self, seen: Seen) -> bool:
        return self.cut is None or seen.passes(self.cut)


def _cut(calibration: Sequence[Seen], protocol: Protocol) -> Cut | None:
    """The gate's cut, from the honest probes of the calibration people."""
    if protocol.gate is None:
        return None
    mated = [s for s in calibration if s.trial.role is Role.MATED and not s.missing]
    if not mated:
        return Cut(float("inf"), 0.0, 0, 0)
    scores = [None if s.gate_failed else s.gate_score for s in _once(mated)]
    return fitted_cut(scores, protocol.gate.bpcer)


def _parts(seen: Sequence[Seen]) -> tuple[list[Seen], list[Seen]]:
    """The calibration people's and the measured people's."""
    return (
        [s for s in seen if s.trial.part == "calibrate"],
        [s for s in seen if s.trial.part == "test"],
    )


def _further(
    trials: Sequence[Trial], book: Book, protocol: Protocol, number: int, card: ServiceCard
) -> _Further:
    target = protocol.also[number]
    calibration, test = _parts(observed(for_another(trials, target.adapter), book))
    given = threshold_from_card(target, card)
    # Thresholds bear the same names as those of the recogniser under audit.
    used = thresholds(calibration, given, protocol.target.threshold.fmr)
    return _Further(target.adapter, test, used)


def _named(further: _Further, name: str) -> ThresholdUsed:
    """Its threshold of that name; without scores, the one in service."""
    return next((t for t in further.thresholds if t.name == name), further.thresholds[0])


def _further_at(further: _Further, name: str) -> FurtherRecogniser:
    used = _named(further, name)
    mated = [s for s in further.test if s.trial.role is Role.MATED]
    random = [s for s in further.test if s.trial.role is Role.ZERO_EFFORT]
    return FurtherRecogniser(
        adapter=further.adapter,
        threshold=used,
        fnmr=rate(mated, lambda s: not s.accepted(used.value), captured_only=True),
        fmr_random=rate(random, lambda s: s.accepted(used.value), captured_only=True),
    )


def _gate_used(protocol: Protocol, cut: Cut | None, test: Sequence[Seen]) -> GateUsed | None:
    gate = protocol.gate
    if gate is None or cut is None:
        return None
    return GateUsed(
        name=gate.name,
        bpcer_wanted=gate.bpcer,
        cut=cut.value if math.isfinite(cut.value) else None,
        calibration_bpcer=cut.bpcer,
        calibration_pictures=cut.count,
        failures=cut.failures,
        on_decline=gate.on_decline,
        detection=tuple(detection_rows(test, protocol.split.hold_out_species)),
        worst=tuple(worst_detection(test, protocol.split.hold_out_species)),
    )


def _once(chosen: Sequence[Seen]) -> list[Seen]:
    """Each probe picture once: a gate's rate counts presentations, not comparisons."""
    return list({s.probe_sha256: s for s in chosen if not s.missing}.values())


def _unmade(trials: Sequence[Trial], book: Book) -> list[Trial]:
    return [trial for trial in trials if trial.id in book.unmade and trial.headline]


def _sum(one: Rate | None, other: Rate | None) -> float | None:
    return one.value + other.value if one and other else None


def _worst(seen: Seen, passed: bool | None) -> WorstPicture:
    from tidewaiter.face_audit.material import forgery_name

    trial, score = seen.trial, seen.gate_score
    return WorstPicture(
        species=trial.species,
        target=trial.target,
        source=trial.attacker,
        pair="" if trial.is_recapture else trial.pair,
        score=seen.score,
        gate_score=score if score is not None and math.isfinite(score) else None,
        passed_gate=passed,
        file=forgery_name(trial.probe),
        made_from=seen.made_from,
        probe_sha256=seen.probe_sha256,
        trial_id=trial.id,
    )
