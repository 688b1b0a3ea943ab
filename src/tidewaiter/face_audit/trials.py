"""The trials of an audit: every comparison or search, laid out before anything is sent.

Same protocol, people and pictures: same trials in the same order. A trial's id is a digest
of what it compares, so a repeated run finds its replies again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product

import numpy as np

from tidewaiter.errors import InputError
from tidewaiter.face_audit.people import Part, Person, Photo, sides, targets_of
from tidewaiter.face_audit.protocol import Attack, Protocol
from tidewaiter.forgeries.faces import SPECIES

Closeness = Callable[[str, str], float]
"""How alike two people look, by id; larger is more alike."""

RANDOM, LOOKALIKE = "random", "look-alike"


class Role(StrEnum):
    """What a trial is for."""

    MATED = "mated"
    ZERO_EFFORT = "zero-effort"
    LOOK_ALIKE = "look-alike"
    ATTACK = "attack"


@dataclass(frozen=True)
class Probe:
    """What is presented: a photo as it is, or one forged from two photos and a seed.

    `host` is the picture that is altered, `donor` the face or motion put into it; None for
    a photo as it is and for species that need one face. `alpha` is the donor's part in a
    morph, None where it is drawn. `instead` are other pairs of the same two people, for
    when heads are turned too differently.
    """

    host: Photo
    donor: Photo | None = None
    species: str = ""
    seed: int = 0
    alpha: float | None = None
    instead: tuple[tuple[Photo, Photo | None], ...] = ()

    @property
    def choices(self) -> tuple[tuple[Photo, Photo | None], ...]:
        """Every pair it may be made from, in the order they are tried."""
        return ((self.host, self.donor), *self.instead)

    @property
    def draw(self) -> int:
        """The seed of this forgery alone, from the protocol's and from what it is made of.

        With one for all pairs every attack of a species would be as strong as that one draw,
        and no interval over people would tell.
        """
        parts = (self.species, str(self.seed), *self._made_from)
        return int.from_bytes(hashlib.sha256("/".join(parts).encode()).digest()[:4], "big")

    @property
    def key(self) -> str:
        """A name of this probe that holds for the same pictures anywhere."""
        if not self.species:
            return self.host.sha256
        recipe = () if self.alpha is None else (f"{self.alpha:g}",)
        parts = (self.species, str(self.draw), *recipe, *self._made_from)
        return hashlib.sha256("/".join(parts).encode()).hexdigest()

    @property
    def _made_from(self) -> list[str]:
        return [photo.sha256 for pair in self.choices for photo in pair if photo is not None]


@dataclass(frozen=True)
class Trial:
    """One comparison of a probe with a reference, or one search with it.

    `target` is who is (to be) impersonated, `source` who presents the picture, `compared`
    whose reference it meets: in a morph also the source's. `pair` says how target and
    source were brought together. A search has no reference.
    """

    id: str
    role: Role
    part: Part
    target: str
    source: str
    compared: str
    probe: Probe
    reference: Photo | None
    pair: str = ""
    headline: bool = True
    """False for a further reference of a morph, which counts in the morph measures only."""

    @property
    def species(self) -> str:
        """The species of an attack; empty for honest comparisons."""
        return self.probe.species

    @property
    def asked(self) -> tuple[str, str]:
        """What a service is asked: trials that agree in it are told apart by nobody but us."""
        return (self.reference.sha256 if self.reference else "", self.probe.key)

    @property
    def is_recapture(self) -> bool:
        """Whether it shows the target's picture alone, so that anybody may hold it up."""
        return bool(self.species) and not SPECIES[self.species].uses_donor

    @property
    def attacker(self) -> str:
        """Whose trials resemble each other beside the target's own; in a recapture nobody's."""
        return self.target if self.is_recapture else self.source


@dataclass(frozen=True)
class Setting:
    """The people of an audit as the protocol places them."""

    people: Mapping[str, Person]
    part_of: Mapping[str, Part]
    targets: tuple[str, ...]

    def others(self, name: str) -> list[str]:
        """Everybody else on the same side who has a probe."""
        side = self.part_of[name]
        return [p for p in sorted(self.people) if self._fits(p, side) and p != name]

    def _fits(self, name: str, side: Part) -> bool:
        return self.part_of[name] == side and bool(self.people[name].probes)


def settle(protocol: Protocol, people: Sequence[Person]) -> Setting:
    """Sides and targets. Raises InputError where no target is on the measured side."""
    part_of = sides(people, protocol.split.calibrate, protocol.split.seed)
    targets = tuple(t for t in targets_of(people, protocol.targets) if part_of[t] == "test")
    if not targets:
        raise InputError(
            "every authorised target falls to the calibration side; at least one on the test side "
            "is needed; list part = test for some, or authorise more people"
        )
    return Setting({person.id: person for person in people}, part_of, targets)


def lay_out(
    protocol: Protocol, setting: Setting, closeness: Closeness, digest: str
) -> tuple[Trial, ...]:
    """All trials, honest ones first; a comparison that serves twice is listed once.

    Honest trials cover both sides of the split, attacks only the measured one.
    """
    maker = _Maker(protocol.target.mode, setting, digest)
    partners = {
        attack.species: list(_pairs(attack, setting, closeness, protocol.split.seed))
        for attack in protocol.attacks
    }
    trials = [*_mated(maker, setting), *_impostors(maker, protocol, setting, closeness)]
    for pairs in partners.values():
        trials += [maker.honest(target, source, pair) for target, source, pair in pairs]
    for attack in protocol.attacks:
        for target, source, pair in partners[attack.species]:
            trials += _attacks(maker, attack, target, source, pair)
    return tuple({trial.id: trial for trial in reversed(trials)}.values())[::-1]


class _Maker:
    """Makes trials of one protocol and mode."""

    def __init__(self, mode: str, setting: Setting, digest: str) -> None:
        self.verify = mode == "verify"
        self.setting, self.digest = setting, digest

    def honest(self, target: str, source: str, pair: str, number: int = 0) -> Trial:
        """A probe of `source` as it is, against `target`; mated where they are one."""
        probes = self.setting.people[source].probes
        role = Role.LOOK_ALIKE if pair == LOOKALIKE else Role.ZERO_EFFORT
        return self.trial(
            Role.MATED if target == source else role,
            (target, source, target),
            Probe(probes[number % len(probes)]),
            pair=pair,
        )

    def trial(
        self,
        role: Role,
        who: tuple[str, str, str],
        probe: Probe,
        *,
        pair: str = "",
        number: int = 0,
    ) -> Trial:
        """A trial of (target, source, compared) with one reference of the latter."""
        target, source, compared = who
        person = self.setting.people[compared]
        references = (*person.enrolled, *person.probes)
        reference = references[number] if self.verify else None
        parts = (self.digest, role, reference.sha256 if reference else compared, probe.key)
        return Trial(
            id=hashlib.sha256("\n".join(parts).encode()).hexdigest(),
            role=role,
            part=self.setting.part_of[target],
            target=target,
            source=source,
            compared=compared,
            probe=probe,
            reference=reference,
            pair=pair,
            headline=number == 0 and compared == target,
        )


def for_another(trials: Sequence[Trial], adapter: str) -> tuple[Trial, ...]:
    """The trials that a further recogniser carries out, too: all honest ones, and morphs."""
    chosen = (trial for trial in trials if met_by_further(trial.species))
    return tuple(replace(trial, id=_also(trial.id, adapter)) for trial in chosen)


def enrolment_id(photo: Photo) -> str:
    """The id under which the ledger has a picture's way into the gallery."""
    return hashlib.sha256(f"enrol/{photo.person}/{photo.sha256}".encode()).hexdigest()


def met_by_further(species: str) -> bool:
    """Whether further recognisers meet it: an honest picture ("") or a morph."""
    return not species or SPECIES[species].family == "morph"


def _also(trial_id: str, adapter: str) -> str:
    return hashlib.sha256(f"{adapter}\n{trial_id}".encode()).hexdigest()


def _mated(maker: _Maker, setting: Setting) -> Iterator[Trial]:
    for name, person in sorted(setting.people.items()):
        if person.enrolled:
            for number in range(len(person.probes)):
                yield maker.honest(name, name, "", number)


def _impostors(
    maker: _Maker, protocol: Protocol, setting: Setting, closeness: Closeness
) -> Iterator[Trial]:
    """Random impostors with each of their probes in turn, then look-alikes."""
    licit = protocol.licit
    for name, person in sorted(setting.people.items()):
        if not person.enrolled:
            continue
        for source, number in _drawn(setting, name, licit.zero_effort, protocol.split.seed):
            yield maker.honest(name, source, RANDOM, number)
        for source in _nearest(setting, name, licit.lookalike, closeness):
            yield maker.honest(name, source, LOOKALIKE)


def _drawn(setting: Setting, name: str, count: int, seed: int) -> list[tuple[str, int]]:
    """At most `count` (impostor, probe number) in an order drawn for this person.

    Everybody's first probe comes before anybody's second.
    """
    others = setting.others(name)
    _generator(seed, "impostors", name).shuffle(others)
    most = max((len(setting.people[other].probes) for other in others), default=0)
    every = [
        (other, number)
        for number in range(most)
        for other in others
        if number < len(setting.people[other].probes)
    ]
    return every[:count]


def _nearest(setting: Setting, name: str, count: int, closeness: Closeness) -> list[str]:
    if not count:
        return []
    ranked = sorted(setting.others(name), key=lambda other: (-closeness(name, other), other))
    return ranked[:count]


def _pairs(
    attack: Attack, setting: Setting, closeness: Closeness, seed: int
) -> Iterator[tuple[str, str, str]]:
    """(target, source, how paired): look-alikes, then random others; the same for all species."""
    for target in setting.targets:
        near = _nearest(setting, target, attack.pairs.lookalike, closeness)
        rest = [other for other in setting.others(target) if other not in near]
        _generator(seed, "pairs", target).shuffle(rest)
        yield from ((target, source, LOOKALIKE) for source in near)
        yield from ((target, source, RANDOM) for source in rest[: attack.pairs.random])


def _attacks(maker: _Maker, attack: Attack, target: str, source: str, pair: str) -> Iterator[Trial]:
    people = maker.setting.people
    for (number, seed), alpha in product(enumerate(attack.seeds), attack.alpha or (None,)):
        drawn = _forged(attack.species, people[target], people[source], number, seed)
        probe = replace(drawn, alpha=alpha)
        for compared, reference in _meetings(maker, attack, probe, target, source):
            yield maker.trial(
                Role.ATTACK, (target, source, compared), probe, pair=pair, number=reference
            )


def _forged(species: str, target: Person, source: Person, number: int, seed: int) -> Probe:
    """The recipe of one forgery; which probes it uses turns with the seeds.

    A swap or morph puts the target into the attacker's picture; a reenactment moves the
    target's picture by the attacker's face; a recapture shows the target's picture.
    """
    theirs = _two_of(target.probes, number)
    own = _two_of(source.probes, number)
    kind = SPECIES[species]
    pairs: list[tuple[Photo, Photo | None]] = [(one, other) for one in own for other in theirs]
    if not kind.uses_donor:
        # The same for every source, however many pictures they gave: it is made once.
        pairs = [(other, None) for _ in range(2) for other in theirs]
    elif kind.family not in {"swap", "morph"}:
        pairs = [(other, one) for one in own for other in theirs]
    host, donor = pairs[0]
    return Probe(host, donor, species, seed, instead=tuple(dict.fromkeys(pairs[1:])))


def _two_of(photos: Sequence[Photo], number: int) -> list[Photo]:
    """The photo whose turn it is and the next one; two leave others for a morph to meet."""
    return list(dict.fromkeys(photos[(number + step) % len(photos)] for step in (0, 1)))


def _meetings(
    maker: _Maker, attack: Attack, probe: Probe, target: str, source: str
) -> Iterator[tuple[str, int]]:
    """Whose reference an attack meets, and which: a morph meets both its contributors'.

    The pictures a morph was made from are not among its references.
    """
    yield target, 0
    if SPECIES[attack.species].family != "morph" or not maker.verify:
        return
    made_from = {photo.sha256 for pair in probe.choices for photo in pair if photo is not None}
    for name in (target, source):
        person = maker.setting.people[name]
        usable = [
            number
            for number, photo in enumerate((*person.enrolled, *person.probes))
            if photo.sha256 not in made_from
        ]
        for number in usable[: attack.references]:
            if (name, number) != (target, 0):
                yield name, number


def _generator(seed: int, purpose: str, name: str) -> np.random.Generator:
    """A stream of its own for every person, so that adding one moves no other's draws."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
