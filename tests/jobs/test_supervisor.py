"""The queue and its supervisor under crashes, kills, limits and interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tidewaiter.errors import ExaminationError, StorageError
from tidewaiter.jobs.queue import MAX_ATTEMPTS, Queue
from tidewaiter.jobs.supervisor import WORKER_ENVIRONMENT, run
from tidewaiter.settings import MIB, Limits

HANDLER = "tests.jobs.handlers:handle"


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    queue = Queue(tmp_path / "queue.sqlite")
    yield queue
    queue.close()


@pytest.fixture(autouse=True)
def _handlers_importable(monkeypatch):
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", root)


def states(queue: Queue) -> dict[str, str]:
    return {task.key: task.state for task in queue.tasks()}


def errors(queue: Queue) -> dict[str, dict]:
    return {task.key: task.error for task in queue.tasks() if task.error}


def test_every_task_is_done_once_and_reported_once(queue):
    queue.add((f"t{i}", {"do": "echo", "value": i}) for i in range(20))
    finished = []
    run(queue, HANDLER, workers=2, limits=Limits(), on_finished=finished.append)
    assert sorted(task.result["value"] for task in finished) == list(range(20))
    assert {task.attempts for task in finished} == {1}


def test_a_known_key_is_not_worked_on_again(queue):
    queue.add([("a", {"do": "echo", "value": 1})])
    run(queue, HANDLER, workers=1, limits=Limits())
    queue.add([("a", {"do": "echo", "value": 2}), ("b", {"do": "echo", "value": 3})])
    finished = []
    run(queue, HANDLER, workers=1, limits=Limits(), on_finished=finished.append)
    assert [task.key for task in finished] == ["b"]
    assert next(queue.tasks()).result == {"value": 1}


def test_a_crashing_file_costs_one_worker_and_one_clear_error(queue):
    queue.add([("bad", {"do": "abort"}), ("good", {"do": "echo", "value": 1})])
    run(queue, HANDLER, workers=1, limits=Limits())
    assert states(queue) == {"bad": "failed", "good": "done"}
    assert errors(queue)["bad"]["type"] == "CorruptMedia"
    assert "SIGABRT" in errors(queue)["bad"]["message"]
    assert [task.attempts for task in queue.tasks()] == [1, 1]


def test_a_worker_killed_from_outside_has_its_task_taken_again(queue, tmp_path):
    flag = tmp_path / "killed-once"
    queue.add([("a", {"do": "kill-self-once", "flag": str(flag)})])
    run(queue, HANDLER, workers=1, limits=Limits())
    assert states(queue) == {"a": "done"}
    assert next(queue.tasks()).attempts == 2


def test_a_task_that_always_loses_its_worker_ends_as_failed(queue):
    queue.add([("a", {"do": "kill-self"}), ("b", {"do": "echo", "value": 1})])
    run(queue, HANDLER, workers=1, limits=Limits())
    assert states(queue) == {"a": "failed", "b": "done"}
    assert str(MAX_ATTEMPTS) in errors(queue)["a"]["message"]


def test_a_worker_interrupted_from_outside_says_nothing_against_the_file(queue, tmp_path):
    flag = tmp_path / "interrupted-once"
    queue.add([("a", {"do": "interrupt-self-once", "flag": str(flag)})])
    run(queue, HANDLER, workers=1, limits=Limits())
    assert states(queue) == {"a": "done"}


def test_workers_end_with_their_supervisor(tmp_path):
    path = tmp_path / "queue.sqlite"
    queue = Queue(path)
    queue.add((f"t{i}", {"do": "nap", "value": i}) for i in range(400))
    program = (
        "import sys; from pathlib import Path; from tidewaiter.jobs.queue import Queue;"
        "from tidewaiter.jobs.supervisor import run; from tidewaiter.settings import Limits;"
        f"run(Queue(Path(sys.argv[1])), {HANDLER!r}, workers=2, limits=Limits())"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", program, str(path)])
    deadline = time.monotonic() + 30
    while queue.count("done") < 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    supervisor.kill()
    supervisor.wait()
    time.sleep(1.0)
    before = queue.count("done")
    time.sleep(1.0)
    assert 1 <= before == queue.count("done") < 400
    queue.close()


def test_a_memory_limit_beyond_any_machine_is_no_obstacle(queue):
    queue.add([("a", {"do": "echo", "value": 1})])
    run(queue, HANDLER, workers=1, limits=Limits(max_memory_bytes=10**24))
    assert states(queue) == {"a": "done"}


def test_over_time_is_refused_by_name(queue):
    queue.add([("slow", {"do": "sleep"}), ("good", {"do": "echo", "value": 1})])
    run(queue, HANDLER, workers=1, limits=Limits(max_wall_s=0.5))
    assert states(queue) == {"slow": "failed", "good": "done"}
    assert "max_wall_s" in errors(queue)["slow"]["message"]


@pytest.mark.parametrize("how", ["grow", "bomb"])
def test_over_memory_is_refused_by_name(queue, how):
    queue.add([("huge", {"do": how}), ("good", {"do": "echo", "value": 1})])
    run(queue, HANDLER, workers=1, limits=Limits(max_memory_bytes=300 * MIB))
    assert states(queue) == {"huge": "failed", "good": "done"}
    assert errors(queue)["huge"]["type"] == "LimitExceeded"
    assert "max_memory_bytes" in errors(queue)["huge"]["message"]


def test_errors_of_ours_and_of_others_become_one_sentence_each(queue):
    queue.add([("ours", {"do": "input-error"}), ("theirs", {"do": "value-error"})])
    run(queue, HANDLER, workers=1, limits=Limits())
    assert errors(queue)["ours"] == {"type": "CorruptMedia", "message": "broken at byte 7"}
    assert errors(queue)["theirs"]["type"] == "ExaminationError"
    assert "Traceback" not in errors(queue)["theirs"]["message"]


def test_a_worker_has_no_network(queue):
    queue.add([("net", {"do": "connect"})])
    run(queue, HANDLER, workers=1, limits=Limits())
    assert errors(queue)["net"]["type"] == "InputError"


def test_a_handler_that_cannot_start_is_named_not_looped(queue):
    queue.add([("a", {})])
    with pytest.raises(ExaminationError, match="selftest"):
        run(queue, "tests.jobs.no_such_module:handle", workers=1, limits=Limits())


def test_late_completion_by_a_former_owner_has_no_effect(queue):
    queue.add([("a", {})])
    task = queue.claim("first")
    queue.release("first")
    queue.claim("second")
    assert not queue.complete(task.id, "first", {"value": "late"})
    assert queue.complete(task.id, "second", {"value": "own"})
    assert next(queue.tasks()).result == {"value": "own"}


def test_a_file_that_is_no_database_is_a_storage_error(tmp_path):
    (tmp_path / "queue.sqlite").write_bytes(b"not a database, certainly not" * 100)
    with pytest.raises(StorageError, match=r"queue\.sqlite"):
        Queue(tmp_path / "queue.sqlite")


def test_a_record_damaged_on_disk_is_a_storage_error(tmp_path):
    path = tmp_path / "queue.sqlite"
    queue = Queue(path)
    queue.add((f"t{i}", {"do": "echo", "value": "x" * 500}) for i in range(200))
    queue.close()
    data = bytearray(path.read_bytes())
    for page in range(5 * 4096, len(data), 4096):
        data[page : page + 4096] = b"\xa5" * 4096
    path.write_bytes(data)
    with pytest.raises(StorageError, match="record of examinations"):
        list(Queue(path).tasks())


def test_kill_of_everything_loses_no_finished_task(tmp_path):
    path = tmp_path / "queue.sqlite"
    queue = Queue(path)
    queue.add((f"t{i}", {"do": "nap", "value": i}) for i in range(30))
    program = (
        "import sys; from pathlib import Path; from tidewaiter.jobs.queue import Queue;"
        "from tidewaiter.jobs.supervisor import run; from tidewaiter.settings import Limits;"
        f"run(Queue(Path(sys.argv[1])), {HANDLER!r}, workers=2, limits=Limits())"
    )
    whole = subprocess.Popen([sys.executable, "-c", program, str(path)], start_new_session=True)
    deadline = time.monotonic() + 30
    while queue.count("done") < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(whole.pid, signal.SIGKILL)
    whole.wait()
    done_before = {task.key: task.attempts for task in queue.tasks() if task.state == "done"}
    assert 3 <= len(done_before) < 30
    queue.release()
    run(queue, HANDLER, workers=2, limits=Limits())
    assert set(states(queue).values()) == {"done"}
    after = {task.key: task.attempts for task in queue.tasks()}
    assert {key: after[key] for key in done_before} == done_before
    queue.close()


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core gives one thread anyway")
def test_opencv_has_one_thread_in_a_worker() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import cv2; print(cv2.getNumThreads())"],
        env={**os.environ, **WORKER_ENVIRONMENT},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "1"


def test_a_worker_sees_no_secrets_of_its_environment(queue, monkeypatch):
    """It opens hostile files; what it needs besides comes along."""
    secret = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD", "face_api_key"]
    for name in (*secret, "TZ"):
        monkeypatch.setenv(name, "UTC")
    queue.add([("a", {"do": "secrets_seen", "names": [*secret, "TZ", "PATH"]})])
    run(queue, HANDLER, workers=1, limits=Limits())
    (task,) = queue.tasks()
    assert task.result == {"seen": ["TZ", "PATH"]}
