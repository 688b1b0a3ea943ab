import json

from tidewaiter.custody.differences import (
    Comparison,
    Difference,
    Place,
    Stretch,
    comparison_of,
)


def test_a_comparison_comes_back_from_its_document():
    found = Comparison(
        verdict="altered",
        carrier="re_encoded",
        differences=(
            Difference(
                "painted",
                Stretch(1, 20, 0.04, 0.8),
                from_original=Stretch(2, 21, 0.08, 0.84),
                place=Place(0.0, 0.25, 0.5, 1.0),
                level=31.5,
            ),
            Difference(
                "removed", Stretch(40, 40, 1.6, 1.6), Stretch(41, 60, 1.64, 2.4), exact=True
            ),
        ),
        notes=("cropped",),
        original_sha256="a" * 64,
        copy_sha256="b" * 64,
        frames=(100, 81),
        seconds=(4.0, 3.24),
        floor=0.5,
        thresholds="made",
    )
    assert comparison_of(json.loads(json.dumps(found.as_json()))) == found
