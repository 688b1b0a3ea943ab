"""The network: its shapes, its weights from ImageNet, and the frozen way through it."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; see the extra `training`")

from tests.forgeries.drawn_faces import face  # noqa: E402
from tidewaiter.errors import MissingWeights  # noqa: E402
from tidewaiter.training import network as building  # noqa: E402
from tidewaiter.training.network import (  # noqa: E402
    INPUT_SIDE,
    MASK_SIDE,
    ConvolutionPlan,
    FaceEnsemble,
    FaceNetwork,
    imagenet_network,
)


@pytest.fixture(scope="module")
def pretrained():
    return imagenet_network().eval()


@pytest.fixture(scope="module")
def faces():
    pixels = np.stack([face(seed, INPUT_SIDE).pixels for seed in (1, 2)])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float()


def test_imagenet_weights_give_the_same_answer_twice(pretrained, faces):
    other = imagenet_network().eval()
    other.score.load_state_dict(pretrained.score.state_dict())
    other.mask.load_state_dict(pretrained.mask.state_dict())
    with torch.no_grad():
        first, second = pretrained(faces), other(faces)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_imagenet_weights_tell_pictures_apart(pretrained, faces):
    """Weights in the wrong places make every activation die or saturate."""
    with torch.no_grad():
        values = pretrained.stem((faces - 127) / 128)
        for block in pretrained.blocks:
            values = block(values)
    pooled = values.mean((2, 3))
    assert pooled.std(1).min() > 0.1
    assert (pooled[0] - pooled[1]).abs().mean() > 0.01


def test_every_tensor_of_the_distribution_has_its_place(pretrained):
    values = building._imagenet_values()
    assert len(values) == 5 * len(pretrained.convolutions())
    assert torch.equal(pretrained.convolutions()[-1].conv.weight, values[-5])


def test_the_stem_halves_and_the_blocks_end_at_a_thirty_second(pretrained, faces):
    with torch.no_grad():
        values = pretrained.stem(faces)
        assert values.shape == (2, 32, INPUT_SIDE // 2, INPUT_SIDE // 2)
        for block in pretrained.blocks:
            values = block(values)
        assert values.shape == (2, 320, INPUT_SIDE // 32, INPUT_SIDE // 32)


def test_a_score_a_face_and_a_map_of_places(pretrained, faces):
    with torch.no_grad():
        score, mask = pretrained(faces)
    assert score.shape == (2,)
    assert mask.shape == (2, 1, MASK_SIDE, MASK_SIDE)


@pytest.mark.parametrize("first", [1, 3, 10])
def test_frozen_blocks_compute_the_same(pretrained, faces, first):
    with torch.no_grad():
        whole, part = pretrained(faces), pretrained.forward_from(faces, first)
    assert torch.equal(whole[0], part[0])
    assert torch.equal(whole[1], part[1])


def test_frozen_blocks_get_no_gradient(faces):
    network = FaceNetwork().train()
    score, mask = network.forward_from(faces, 3)
    (score.sum() + mask.sum()).backward()
    assert network.stem.conv.weight.grad is None
    assert network.blocks[2].steps[0].conv.weight.grad is None
    assert network.blocks[3].steps[0].conv.weight.grad is not None


def test_frozen_parts_of_an_ensemble_get_no_gradient_in_any_member(faces):
    ensemble = FaceEnsemble([FaceNetwork(), FaceNetwork()]).train()
    score, mask = ensemble.forward_from(faces, 3)
    (score.sum() + mask.sum()).backward()
    frozen = {id(value) for part in ensemble.frozen_parts(3) for value in part.parameters()}
    untouched = {id(value) for value in ensemble.parameters() if value.grad is None}
    assert frozen == untouched
    alone = [value for part in FaceNetwork().frozen_parts(3) for value in part.parameters()]
    assert len(frozen) == 2 * len(alone)


def test_folded_norms_compute_what_they_did_apart(pretrained, faces):
    folded = FaceNetwork(folded=True).eval()
    values = folded.state_dict()
    from tidewaiter.training.export import folded_values

    for name, value in folded_values(pretrained).items():
        values[name].copy_(torch.from_numpy(value))
    with torch.no_grad():
        assert torch.allclose(folded(faces)[0], pretrained(faces)[0], atol=1e-4)


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_padding_is_that_of_tensorflow(kernel, stride):
    """SAME pads an even side by kernel - stride, the smaller half first."""
    left, right, top, bottom = ConvolutionPlan(1, 1, kernel, stride).padding
    assert (left, right) == (top, bottom)
    assert left + right == (kernel - stride if stride > 1 else kernel - 1)
    assert left <= right


def test_without_the_weights_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(building, "IMAGENET_DISTRIBUTION", "no-such-distribution")
    with pytest.raises(MissingWeights, match=r"tidewaiter\[training\]"):
        imagenet_network()
