"""The tables of an audit's report; no rate stands without its counts and its interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidewaiter.face_audit.results import (
    AttackRow,
    AtThreshold,
    DetectionRow,
    GateUsed,
    GroupRow,
    Licit,
    MorphRow,
    PersonRow,
    Rate,
    Spent,
)
from tidewaiter.face_audit.verdict import threshold_said
from tidewaiter.report.audit_cells import (
    NOTHING,
    ends_said,
    percent_said,
    rate_said,
    upper_ends,
    upper_of_none,
)
from tidewaiter.report.replay import Table
from tidewaiter.vocabulary import Text, tr

Cell = str | Text


def licit_table(licit: Licit, fte: Rate | None = None) -> Table:
    """What honest people and impostors without an attack meet; `fte` holds at any threshold."""
    named = (
        (tr("honest people not recognised (FNMR; FNIR of searches)"), licit.fnmr),
        (tr("enrolment pictures without a template (FTE)"), fte),
        (tr("honest people without a template (FTA)"), licit.fta),
        (tr("honest people turned away for any reason (FRR)"), licit.frr),
        (tr("the same with the gate in front"), licit.frr_gated),
        (tr("genuine pictures rejected by the gate (BPCER)"), licit.bpcer),
        (tr("random impostors accepted (FMR)"), licit.fmr_random),
        (tr("look-alikes accepted (FMR of the nearest)"), licit.fmr_look_alike),
        (tr("strangers who are given any name (FPIR)"), licit.fpir),
    )
    return Table(
        caption=tr("Without any attack, on the measured people"),
        headings=(tr("what"), tr("rate"), tr("exact interval"), tr("people"), tr("missing")),
        rows=tuple((name, *_rate_cells(rate)) for name, rate in named if rate is not None),
        words=1,
    )


def attack_table(rows: Sequence[AttackRow], refused: Rate | None) -> Table:
    """Each species over each kind of pairs; the worst of all stands first.

    `refused` are the honest people turned away.
    """
    ordered = sorted(rows, key=lambda row: -(row.accepted.value if row.accepted else -1.0))
    headings = [
        tr("attack"),
        tr("pairs"),
        tr("accepted (IAPAR)"),
        tr("exact interval"),
        tr("people"),
        tr("missing"),
        tr("same people, no attack"),
        tr("lift"),
        tr("RIAPAR"),
    ]
    searched = any(row.any_identity for row in rows)
    if searched:
        headings += [tr("any name returned"), tr("a wrong name")]
    return Table(
        caption=tr("Attacks, most successful first"),
        headings=(*headings, tr("not forgeable")),
        rows=tuple(tuple(_attack_cells(row, refused, searched=searched)) for row in ordered),
        words=2,
    )


def gated_table(rows: Sequence[AttackRow], refused: Rate | None) -> Table:
    """The same attacks without and with the gate; the worst with the gate stands first.

    `refused` are the honest people turned away behind the gate.
    """
    told = [row for row in rows if row.accepted_gated is not None]
    ordered = sorted(told, key=lambda r: -(r.accepted_gated.value if r.accepted_gated else 0.0))
    return Table(
        caption=tr("The same attacks with the gate in front, most successful first"),
        headings=(
            tr("attack"),
            tr("pairs"),
            tr("without the gate"),
            tr("with the gate"),
            tr("pass the gate (APCER)"),
            tr("RIAPAR gated"),
        ),
        rows=tuple(
            (
                _species(row),
                _pair(row.pair),
                rate_said(row.accepted),
                rate_said(row.accepted_gated),
                rate_said(row.apcer),
                percent_said(row.riapar_gated, upper_ends(row.accepted_gated, refused)),
            )
            for row in ordered
        ),
        words=2,
    )


def morph_table(rows: Sequence[MorphRow], unrecognised: Rate | None) -> Table:
    """Morphs that both contributors could use; `unrecognised` are honest people (FNMR)."""
    return Table(
        caption=tr("Morphs against all their contributors, without the gate"),
        headings=(
            tr("attack"),
            tr("pairs"),
            tr("accepted for both (MMPMR, MinMax)"),
            tr("exact interval"),
            tr("people"),
            tr("missing"),
            tr("ProdAvg"),
            tr("RMMR"),
            tr("foretold (P_morph)"),
            tr("left out"),
        ),
        rows=tuple(
            (
                _morph(row),
                _pair(row.pair),
                *_rate_cells(row.min_max),
                percent_said(row.prod_avg, row.min_max.clustered.upper),
                percent_said(row.rmmr, upper_ends(row.min_max, unrecognised)),
                percent_said(row.expected, upper_of_none(row.min_max.people)),
                str(row.left_out),
            )
            for row in rows
        ),
        words=2,
    )


def potential_table(rows: Sequence[MorphRow]) -> Table:
    """MAP[r,c] as a matrix: a line for each number of references, a column for each recogniser."""
    names = rows[0].recognisers
    columns = tuple(
        tr("at least {count} of: {names}", count=count, names=", ".join(names))
        for count in range(1, len(names) + 1)
    )
    return Table(
        caption=tr("Morph attack potential MAP[r,c], over all morphs that everybody answered"),
        headings=(
            tr("attack"),
            tr("pairs"),
            tr("morphs"),
            tr("references of each (r)"),
            *columns,
        ),
        rows=tuple(
            (
                _morph(row),
                _pair(row.pair),
                str(row.morphs),
                tr("at least {count}", count=number),
                *_shares_of_morphs(row, number),
            )
            for row in rows
            for number in range(1, len(row.attack_potential) + 1)
        ),
        words=2,
    )


def further_table(at: AtThreshold) -> Iterator[Table]:
    """How further recognisers fare with honest people, each at its own threshold."""
    if at.further:
        yield Table(
            caption=tr("Further recognisers, each at its own threshold of this name"),
            headings=(
                tr("recogniser"),
                tr("threshold"),
                tr("honest people not recognised (FNMR; FNIR of searches)"),
                tr("random impostors accepted (FMR)"),
            ),
            rows=tuple(
                (
                    one.adapter,
                    NOTHING if one.threshold.value is None else f"{one.threshold.value:.4g}",
                    rate_said(one.fnmr),
                    rate_said(one.fmr_random),
                )
                for one in at.further
            ),
            words=1,
        )


def detection_tables(gate: GateUsed) -> Iterator[Table]:
    """The gate's scores by themselves, per species and against the worst of several."""
    if gate.detection:
        yield Table(
            caption=tr("The gate by itself: its scores of attacks against genuine pictures"),
            headings=(tr("attack"), tr("attacks"), tr("genuine"), tr("AUC"), tr("D-EER")),
            rows=tuple(
                (
                    _species(row),
                    str(row.attacks),
                    str(row.genuine),
                    f"{row.auc:.3f}",
                    percent_said(row.equal_error, upper_of_none(row.people)),
                )
                for row in gate.detection
            ),
            words=1,
        )
    if gate.worst:
        first = gate.worst[0]
        named = [tr("BPCER{n}", n=n) for n in first.bpcer_at]
        named += [tr("APCER at BPCER {share} %", share=share) for share in first.apcer_at]
        yield Table(
            caption=tr(
                "The gate against the worst kind of attack, at cuts placed on the measured "
                "pictures: what it could reach, not what it reached"
            ),
            headings=(tr("kinds of attack"), tr("count"), *named),
            rows=tuple(
                (
                    _which(row.which),
                    str(row.species),
                    *(
                        percent_said(share, upper_of_none(row.people))
                        for share in (*row.bpcer_at.values(), *row.apcer_at.values())
                    ),
                )
                for row in gate.worst
            ),
            words=1,
        )


def plan_table(spent: Spent) -> Iterator[Table]:
    """What was planned beside what was used."""
    plan = spent.planned
    if plan is not None:
        yield Table(
            caption=tr("Planned and used; retries and calls in doubt are in what was used only"),
            headings=(tr("what"), tr("planned"), tr("used")),
            rows=(
                (tr("calls"), str(plan.calls), str(spent.calls)),
                (tr("money"), plan.cost, spent.cost),
                (tr("minutes"), f"{plan.seconds / 60:.1f}", f"{spent.seconds / 60:.1f}"),
                (
                    tr("forged pictures"),
                    str(plan.pictures),
                    str(sum(row.pictures for row in spent.generation)),
                ),
            ),
            words=1,
        )


def generation_table(spent: Spent) -> Iterator[Table]:
    """How long forging took."""
    if spent.generation:
        yield Table(
            caption=tr("Time of forging, in milliseconds a picture"),
            headings=(tr("attack"), tr("pictures"), tr("median"), tr("slowest")),
            rows=tuple(
                (row.species, str(row.pictures), f"{row.median_ms:.0f}", f"{row.slowest_ms:.0f}")
                for row in spent.generation
            ),
            words=1,
        )


def person_table(at: AtThreshold) -> Table:
    """Who is impersonated most, and who is not recognised; counts only, they are few."""
    return Table(
        caption=tr("Per person attacked, at {threshold}", threshold=threshold_said(at.threshold)),
        headings=(
            tr("person"),
            tr("attacks accepted"),
            tr("with the gate"),
            tr("own pictures refused"),
        ),
        rows=tuple(_person_cells(row) for row in at.people),
        words=1,
    )


def group_table(at: AtThreshold) -> Iterator[Table]:
    """Per group of people, where the list of people names groups."""
    if at.groups:
        yield Table(
            caption=tr(
                "Per group of people attacked, at {threshold}",
                threshold=threshold_said(at.threshold),
            ),
            headings=(
                tr("group"),
                tr("targets"),
                tr("attacks accepted"),
                tr("honest not recognised"),
            ),
            rows=tuple(_group_cells(row) for row in at.groups),
            words=1,
        )


def outcome_table(spent: Spent) -> Table:
    """What became of all trials."""
    rows: list[tuple[Cell, ...]] = [(name, str(n)) for name, n in spent.outcomes.items()]
    rows.append((tr("attack could not be forged"), str(spent.unmade)))
    rows.append((tr("calls in doubt: sent, reply lost, perhaps billed"), str(len(spent.in_doubt))))
    rows.append((tr("calls paid or in doubt"), str(spent.calls)))
    rows.append((tr("money spent"), spent.cost))
    return Table(
        caption=tr("Outcomes and cost"),
        headings=(tr("outcome"), tr("count")),
        rows=tuple(rows),
        words=1,
    )


def _which(which: str) -> Text:
    return {
        "all": tr("all"),
        "seen": tr("seen"),
        "held out": tr("held out"),
    }[which]


def _morph(row: MorphRow) -> Cell:
    if row.alpha is None:
        return row.species
    return tr("{species}, α = {alpha:.2f}", species=row.species, alpha=row.alpha)


def _shares_of_morphs(row: MorphRow, references: int) -> Iterator[str]:
    """A line of MAP[r,c], each share with its counts and interval."""
    shares = row.attack_potential[references - 1]
    ends = row.potential_ends[references - 1] if row.potential_ends else (None,) * len(shares)
    for share, end in zip(shares, ends, strict=True):
        found = f"{round(share * row.morphs)}/{row.morphs} = {percent_said(share)}"
        yield found if end is None else f"{found} {ends_said(end)}"


def _species(row: AttackRow | DetectionRow) -> Cell:
    return tr("{species} (held out)", species=row.species) if row.held_out else row.species


def _attack_cells(row: AttackRow, refused: Rate | None, *, searched: bool) -> Iterator[Cell]:
    yield _species(row)
    yield _pair(row.pair)
    yield from _rate_cells(row.accepted)
    yield rate_said(row.baseline)
    yield percent_said(row.lift)
    yield percent_said(row.riapar, upper_ends(row.accepted, refused))
    if searched:
        yield rate_said(row.any_identity)
        yield rate_said(row.wrong_name)
    yield str(row.unmade)


def _person_cells(row: PersonRow) -> tuple[Cell, ...]:
    gated = NOTHING if row.accepted_gated is None else f"{row.accepted_gated} / {row.attacks}"
    return (
        row.person,
        f"{row.accepted} / {row.attacks}",
        gated,
        f"{row.refused} / {row.mated}",
    )


def _group_cells(row: GroupRow) -> tuple[Cell, ...]:
    named = f"{row.group}: {row.value or NOTHING}"
    return (named, str(row.people), rate_said(row.accepted), rate_said(row.fnmr))


def _rate_cells(rate: Rate | None) -> tuple[Cell, ...]:
    if rate is None:
        return (NOTHING,) * 4
    missing = (
        str(rate.missing) if not rate.missing else f"{rate.missing} ({ends_said(rate.if_all)})"
    )
    return (rate_said(rate), ends_said(rate.exact), str(rate.people), missing)


def _pair(pair: str) -> Text:
    names = {"all": tr("all"), "random": tr("random"), "look-alike": tr("look-alike")}
    return names[pair]
