"""The attack algorithms do what their papers say, on pictures and networks made here."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="white-box attacks need the training extra")

from benchmarks.detection.attacks import views  # noqa: E402
from benchmarks.detection.attacks.gradients import Goal, fgsm, pgd  # noqa: E402
from benchmarks.detection.attacks.laundering import LAUNDERINGS  # noqa: E402
from benchmarks.detection.attacks.queries import Asked, nes, square  # noqa: E402
from tidewaiter.forgeries.pictures import decoded  # noqa: E402
from tidewaiter.traces.face_crop import face_view, wide_square  # noqa: E402
from tidewaiter.traces.face_geometry import cut_repeating  # noqa: E402
from tidewaiter.training.network import FaceNetwork  # noqa: E402

SIDE = 200
EPSILON = 4
WITHIN = (40, 30, 160, 170)


@pytest.fixture
def pixels():
    rng = np.random.default_rng(3)
    coarse = rng.uniform(60, 190, (13, 13, 3)).astype(np.float32)
    rows = np.linspace(0, 12, SIDE)
    low = rows.astype(int).clip(0, 11)
    part = (rows - low)[:, None, None].astype(np.float32)
    tall = coarse[low] * (1 - part) + coarse[low + 1] * part
    across = part.reshape(1, SIDE, 1)
    wide = tall[:, low] * (1 - across) + tall[:, low + 1] * across
    return np.round(wide + rng.normal(0, 2, wide.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture
def points():
    """A mesh-like cloud around the middle, eyes almost level."""
    cloud = np.random.default_rng(5).uniform(-45, 45, (468, 3)).astype(np.float32) + 100
    cloud[33, :2], cloud[263, :2] = (78, 84), (122, 90)
    return cloud


@pytest.fixture(scope="module")
def network():
    """Untrained, but with batch norms that know the scale of their values."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    network = FaceNetwork()
    for block in network.modules():
        if isinstance(block, torch.nn.BatchNorm2d):
            block.momentum = 1.0
    with torch.no_grad():
        coarse = torch.rand(8, 3, 20, 20) * 255
        network(torch.nn.functional.interpolate(coarse, size=(160, 160), mode="bilinear"))
    return network.eval().requires_grad_(requires_grad=False)


def linear_score(pixels):
    """A score anybody can climb: the left half against the right half of the rectangle."""
    values = pixels.astype(np.float64)
    return float(values[:, :100].mean() - values[:, 100:].mean())


def farthest(changed, pixels):
    return int(np.abs(changed.astype(int) - pixels.astype(int)).max())


@pytest.mark.parametrize("enlarged", [1, 3])
def test_the_view_is_the_product_s_own_crop(pixels, points, enlarged):
    """Also where the wide square reaches beyond the picture."""
    large = np.repeat(np.repeat(pixels, enlarged, 0), enlarged, 1)[: 170 * enlarged]
    expected, _ = face_view(partial(cut_repeating, large), points * enlarged)
    square_there = wide_square(points * enlarged)
    seen = views.network_view(views.as_tensor(large), square_there)[0].numpy()
    difference = np.abs(seen.transpose(1, 2, 0) - expected)
    assert difference.mean() < 1.0
    assert np.quantile(difference, 0.99) < 4.0


def test_fgsm_takes_one_bounded_step_that_lowers_the_score(pixels, points, network):
    objective = views.scores(network, [wide_square(points)])
    attacked = fgsm(objective, pixels, 1, Goal.HIDE)
    assert farthest(attacked, pixels) == 1
    assert objective(views.as_tensor(attacked)) < objective(views.as_tensor(pixels))


@pytest.mark.parametrize("goal", list(Goal))
def test_pgd_moves_the_score_further_than_fgsm_within_the_bound(pixels, points, network, goal):
    objective = views.scores(network, [wide_square(points)])
    before, once = (
        float(objective(views.as_tensor(p)))
        for p in (pixels, fgsm(objective, pixels, EPSILON, goal))
    )
    attacked = pgd(objective, pixels, EPSILON, goal, np.random.default_rng(0), steps=8)
    after = float(objective(views.as_tensor(attacked)))
    assert farthest(attacked, pixels) <= EPSILON
    assert goal * (after - before) > max(0.0, goal * (once - before))


def test_an_aimed_attack_stops_where_it_is_aimed(pixels, points, network):
    objective = views.scores(network, [wide_square(points)])
    before = float(objective(views.as_tensor(pixels)))
    rng = np.random.default_rng(0)
    driven = pgd(objective, pixels, EPSILON, Goal.DISCREDIT, rng, steps=8)
    farthest_score = float(objective(views.as_tensor(driven)))
    aim = before + 0.4 * (farthest_score - before)
    aimed = views.aimed_at(objective, aim, Goal.DISCREDIT)
    attacked = pgd(aimed, pixels, EPSILON, Goal.DISCREDIT, rng, steps=8)
    reached = float(objective(views.as_tensor(attacked)))
    assert abs(reached - aim) < 0.5 * abs(farthest_score - aim)


def test_pgd_leaves_alone_what_the_network_does_not_see(pixels, points, network):
    objective = views.scores(network, [wide_square(points * 0.5)])
    attacked = pgd(objective, pixels, EPSILON, Goal.HIDE, np.random.default_rng(0), steps=2)
    assert (attacked[150:, 150:] == pixels[150:, 150:]).all()


def test_pgd_is_the_same_for_the_same_seed(pixels, points, network):
    objective = views.scores(network, [wide_square(points)])
    first, again, other = (
        pgd(objective, pixels, EPSILON, Goal.HIDE, np.random.default_rng(seed), steps=2)
        for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


class FineAndCoarse(torch.nn.Module):
    """Judges by a checkerboard, which a small shift turns over, and a little by brightness."""

    def forward(self, crops):
        rows, columns = torch.meshgrid(torch.arange(160), torch.arange(160), indexing="ij")
        from_middle = (columns - 79.5).abs().long()  # the mirror image scores alike
        board = 1 - 2.0 * ((rows // 5 + from_middle // 5) % 2)
        return (crops * (3 * board + 1)).mean((1, 2, 3)), None


def test_expectation_over_transforms_finds_what_survives_them(pixels, points):
    network, squares = FineAndCoarse(), [wide_square(points)]
    plain = views.scores(network, squares)
    robust = views.expected_scores(network, squares, np.random.default_rng(1), 4)
    judge = views.expected_scores(network, squares, np.random.default_rng(2), 12)
    rng = np.random.default_rng(0)
    attacked = [pgd(o, pixels, EPSILON, Goal.HIDE, rng, steps=6) for o in (plain, robust)]
    before, after_plain, after_robust = (
        float(judge(views.as_tensor(p))) for p in (pixels, *attacked)
    )
    assert plain(views.as_tensor(attacked[0])) < plain(views.as_tensor(attacked[1]))
    assert after_robust < min(before, after_plain) - 0.5 * EPSILON


@pytest.mark.parametrize("method", [square, nes])
@pytest.mark.parametrize("goal", list(Goal))
def test_queries_improve_the_score_within_bound_rectangle_and_budget(pixels, method, goal):
    asked = Asked(linear_score, goal, budget=200)
    attacked = method(asked, pixels, EPSILON, WITHIN, np.random.default_rng(0))
    assert 150 < asked.used <= 200
    assert farthest(attacked, pixels) <= EPSILON
    assert goal * (linear_score(attacked) - linear_score(pixels)) > 0.1
    outside = np.ones(pixels.shape[:2], bool)
    outside[WITHIN[1] : WITHIN[3], WITHIN[0] : WITHIN[2]] = False
    assert (attacked[outside] == pixels[outside]).all()


@pytest.mark.parametrize("method", [square, nes])
def test_queries_are_the_same_for_the_same_seed(pixels, method):
    first, again = (
        method(
            Asked(linear_score, Goal.HIDE, 60), pixels, EPSILON, WITHIN, np.random.default_rng(7)
        )
        for _ in range(2)
    )
    assert (first == again).all()


@pytest.mark.parametrize("method", [square, nes])
def test_a_detector_that_declines_is_no_success(pixels, method):
    asked = Asked(lambda _: None, Goal.HIDE, budget=60)
    attacked = method(asked, pixels, EPSILON, WITHIN, np.random.default_rng(0))
    assert farthest(attacked, pixels) <= EPSILON
    assert asked.used <= 60


def test_half_the_size_and_back_loses_detail_and_keeps_the_size(pixels):
    laundered = decoded(LAUNDERINGS["half size and back"](pixels))
    assert laundered.shape == pixels.shape
    fine = [np.abs(np.diff(p.astype(float), axis=1)).mean() for p in (pixels, laundered)]
    assert fine[1] < 0.8 * fine[0]
