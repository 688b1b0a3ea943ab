"""A network written to ONNX scores as it did in torch, and comes back as it was."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; see the extra `training`")

from tidewaiter.errors import MissingWeights  # noqa: E402
from tidewaiter.training.export import read_onnx, write_onnx  # noqa: E402
from tidewaiter.training.network import FaceEnsemble, FaceNetwork  # noqa: E402
from tidewaiter.weights.engine import _core  # noqa: E402


def lived_in(seed):
    """Untrained, but with norms that have seen something."""
    torch.manual_seed(seed)
    network = FaceNetwork()
    for convolution in network.convolutions():
        norm = convolution.norm
        torch.nn.init.uniform_(norm.running_mean, -0.1, 0.1)
        torch.nn.init.uniform_(norm.running_var, 0.5, 1.5)
        torch.nn.init.uniform_(norm.weight, 0.8, 1.6)
        torch.nn.init.uniform_(norm.bias, -0.2, 0.2)
    return network.eval()


@pytest.fixture(scope="module", params=["one network", "two networks"])
def network(request):
    if request.param == "one network":
        return lived_in(1)
    return FaceEnsemble([lived_in(1), lived_in(2)]).eval()


@pytest.fixture(scope="module")
def written(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "face.onnx"
    write_onnx(network, path)
    return path


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(2).uniform(0, 255, (3, 3, 160, 160)).astype(np.float32)


def in_torch(network, faces):
    with torch.no_grad():
        return [output.numpy() for output in network(torch.from_numpy(faces))]


def in_openvino(path, faces):
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = _core().compile_model(str(path), "CPU", settings)
    outputs = compiled(faces)
    return [outputs[name] for name in ("score", "mask")]


def test_the_engine_gives_what_torch_gives(network, written, faces):
    expected, found = in_torch(network, faces), in_openvino(written, faces)
    assert [output.shape for output in found] == [(3,), (3, 1, 10, 10)]
    for here, there in zip(found, expected, strict=True):
        assert np.abs(here - there).max() < 1e-3


def test_the_batch_is_left_open(written, faces):
    whole = in_openvino(written, faces)
    alone = in_openvino(written, faces[1:2])
    assert alone[0][0] == pytest.approx(whole[0][1], abs=1e-5)


def test_what_is_read_back_is_what_the_engine_runs(written, faces):
    expected, found = in_torch(read_onnx(written), faces), in_openvino(written, faces)
    for here, there in zip(found, expected, strict=True):
        assert np.abs(here - there).max() < 1e-4


def test_the_same_network_gives_the_same_bytes(network, written, tmp_path):
    write_onnx(network, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == written.read_bytes()
    write_onnx(read_onnx(written), tmp_path / "back.onnx")
    assert (tmp_path / "back.onnx").read_bytes() == written.read_bytes()


def test_an_ensemble_scores_the_mean_of_its_members(faces):
    members = [lived_in(1), lived_in(2)]
    together = in_torch(FaceEnsemble(members).eval(), faces)
    apart = [in_torch(member, faces) for member in members]
    assert np.abs(apart[0][0] - apart[1][0]).min() > 1e-4
    for place in (0, 1):
        mean = (apart[0][place] + apart[1][place]) / 2
        assert np.allclose(together[place], mean, atol=1e-5)


def test_half_the_bytes_of_single_precision(network, written):
    values = sum(parameter.numel() for parameter in network.parameters())
    assert written.stat().st_size < 2.2 * values


def test_another_file_is_refused_by_name(tmp_path):
    path = tmp_path / "other.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(MissingWeights, match=r"other\.onnx"):
        read_onnx(path)


def test_a_network_without_a_tensor_is_refused(written, tmp_path):
    import onnx

    model = onnx.load_from_string(written.read_bytes())
    kept = [t for t in model.graph.initializer if not t.name.endswith("mask.weight")]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    path = tmp_path / "less.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(MissingWeights, match=r"mask\.weight"):
        read_onnx(path)
