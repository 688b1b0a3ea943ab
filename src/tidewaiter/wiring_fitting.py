"""Fit networks in a folder of their own: workers, what is kept, what is put aside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tidewaiter.casework.batch import keep_apart
from tidewaiter.casework.face_fitting import FitOutcome, FitRequest, check_training, fingerprint
from tidewaiter.casework.face_fitting import fit_face as fit_face_network
from tidewaiter.casework.face_steps import run_step
from tidewaiter.casework.gate_fitting import GateOutcome, check_left_out
from tidewaiter.casework.gate_fitting import fit_gate as fit_gate_network
from tidewaiter.errors import InputError
from tidewaiter.jobs.phases import Phases
from tidewaiter.storage.networks import install_network, keep_file, remove_folder
from tidewaiter.vocabulary import Text
from tidewaiter.weights.own import CARD_FILE
from tidewaiter.wiring import error_named, locked, made_folder

FIT_HANDLER = "tidewaiter.wiring_fitting:fit_task"
WORK_FOLDER, REJECTED_FOLDER = ".work", "rejected"

Fitted = TypeVar("Fitted", FitOutcome, GateOutcome)


def fit_face(
    request: FitRequest,
    *,
    workers: int,
    say: Callable[[Text], None],
    on_progress: Callable[[Text, int, int], None],
) -> FitOutcome:
    """Refit the face network; what is accepted is installed in `request.out`.

    What is not accepted is kept aside below it. Work that was stopped goes on. Raises
    InputError where the folder holds a network already or there is too little to fit on.
    """
    return _fitted(request, fit_face_network, workers, say, on_progress)


def fit_gate(
    request: FitRequest,
    *,
    workers: int,
    say: Callable[[Text], None],
    on_progress: Callable[[Text, int, int], None],
) -> GateOutcome:
    """Fit a network that stands before face recognition; otherwise as `fit_face`."""
    check_left_out(request.left_out)
    return _fitted(request, fit_gate_network, workers, say, on_progress)


def _fitted(
    request: FitRequest,
    fit: Callable[[FitRequest, Phases, Callable[[Text], None]], Fitted],
    workers: int,
    say: Callable[[Text], None],
    on_progress: Callable[[Text, int, int], None],
) -> Fitted:
    """The outcome of a fit in a folder of its own, installed or put aside."""
    out = request.out
    keep_apart([request.genuine, *([request.forged] if request.forged else [])], out)
    if (out / CARD_FILE).exists() or (out / REJECTED_FOLDER).exists():
        raise InputError(
            f"{out.name!r} holds a fitted network already; choose another --out folder"
        )
    check_training()
    mark = fingerprint(request)
    lock = locked(made_folder(out / WORK_FOLDER) / "lock")
    tasks = Phases(
        out / WORK_FOLDER,
        FIT_HANDLER,
        fingerprint=mark,
        workers=workers,
        limits=request.limits,
        named=error_named,
        on_progress=on_progress,
    )
    try:
        outcome = fit(request, tasks, say)
    finally:
        tasks.close()
        lock.close()
    into = out if outcome.decision.accepted else out / REJECTED_FOLDER
    keep_file(outcome.log, into / "training.csv")
    install_network(into, outcome.network, outcome.texts)
    remove_folder(out / WORK_FOLDER)
    return outcome


def fit_task(payload: dict[str, Any]) -> dict[str, Any]:
    """What a worker does for a fit of the face network."""
    return run_step(payload)
