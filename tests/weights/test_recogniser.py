"""The embedded recogniser reads the files it may, as they were published, and no other."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from tidewaiter.errors import MissingWeights
from tidewaiter.weights import pinned
from tidewaiter.weights.recogniser import RECOGNISER_FILES

SOURCE = Path(pinned.__file__).parents[1]


@pytest.mark.parametrize("file", RECOGNISER_FILES, ids=lambda file: file.name)
def test_an_installed_file_is_the_one_pinned(file):
    try:
        distribution(file.distribution)
    except PackageNotFoundError:
        pytest.skip("face-recognition-models is not installed; see docs/howto/audit-adapters.md")
    assert pinned.checked_file(file).stat().st_size == file.byte_length


def test_what_is_absent_is_missed_with_the_command(monkeypatch):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(pinned, "distribution", absent)
    with pytest.raises(MissingWeights, match=r"--no-deps face-recognition-models==0\.3\.0"):
        pinned.checked_file(RECOGNISER_FILES[0])


def test_the_model_that_excludes_commercial_use_is_named_nowhere():
    assert not any("68" in file.file for file in RECOGNISER_FILES)
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "68_face_landmarks" not in text, path.name
        assert "import face_recognition_models" not in text, path.name
