"""Work in phases: what is done stays done, and a record serves one piece of work."""

from __future__ import annotations

import pytest

from tidewaiter.errors import CorruptMedia, InputError
from tidewaiter.jobs.phases import Phases
from tidewaiter.settings import Limits
from tidewaiter.vocabulary import tr
from tidewaiter.wiring import error_named

HANDLER = "tests.jobs.phase_handler:work"


def phases(folder, fingerprint="one", shown=None) -> Phases:
    return Phases(
        folder,
        HANDLER,
        fingerprint=fingerprint,
        workers=1,
        limits=Limits(),
        named=error_named,
        on_progress=lambda phase, done, total: (
            None if shown is None else shown.append((str(phase), done, total))
        ),
    )


def task(name: str, folder, **more):
    return name, {"name": name, "log": str(folder / "log.txt"), **more}


@pytest.fixture
def worked(tmp_path):
    """A record in which `a` was done and `b` was refused."""
    work = phases(tmp_path)
    results = work.do(
        tr("first"), [task("a", tmp_path), task("b", tmp_path, corrupt=True)], side_by_side=False
    )
    work.close()
    return results


def test_results_and_errors_come_in_the_order_asked_for(worked):
    assert worked[0] == {"was": "a"}
    assert isinstance(worked[1], CorruptMedia)


def test_what_was_done_is_not_done_again(worked, tmp_path):
    shown = []
    work = phases(tmp_path, shown=shown)
    again = work.do(
        tr("first"), [task("b", tmp_path, corrupt=True), task("a", tmp_path)], side_by_side=False
    )
    more = work.do(tr("second"), [task("c", tmp_path)], side_by_side=False)
    work.close()
    assert isinstance(again[0], CorruptMedia)
    assert (again[1], more) == ({"was": "a"}, [{"was": "c"}])
    assert (tmp_path / "log.txt").read_text(encoding="utf-8").split() == ["a", "b", "c"]
    assert shown == [("first", 2, 2), ("second", 0, 1), ("second", 1, 1)]


def test_the_record_of_other_work_is_refused(worked, tmp_path):
    with pytest.raises(InputError, match="begun with other files or options"):
        phases(tmp_path, fingerprint="other")
