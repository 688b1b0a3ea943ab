"""A graph published for TensorFlow.js is computed as its operations say."""

import hashlib
import json

import numpy as np
import pytest

from tidewaiter.errors import MissingWeights
from tidewaiter.weights.tfjs import PublishedGraph, published_network

pytest.importorskip("openvino", reason="OpenVINO is not installed; see the extra `face`")

RNG = np.random.default_rng(3)
KERNEL = RNG.normal(size=(3, 3, 2, 4)).astype(np.float16)
DEPTHWISE = RNG.normal(size=(3, 3, 4, 1)).astype(np.float16)
BIAS = RNG.normal(size=4).astype(np.float16)


def constant(name, values, dtype="float32"):
    return {"name": name, "shape": list(values.shape), "dtype": dtype}


def node(name, op, *inputs, stride=1):
    strides = {"list": {"i": ["1", str(stride), str(stride), "1"]}}
    return {"name": name, "op": op, "input": list(inputs), "attr": {"strides": strides}}


@pytest.fixture
def published(tmp_path):
    weights = {
        "k": KERNEL,
        "d": DEPTHWISE,
        "b": BIAS,
        "top": np.array(1.5, np.float16),
        "axes": np.array([1, 2], np.int32),
    }
    kinds = {"axes": "int32"}
    graph = {
        "weightsManifest": [
            {"weights": [constant(n, v, kinds.get(n, "float32")) for n, v in weights.items()]}
        ],
        "modelTopology": {
            "node": [
                {"name": "x", "op": "Placeholder"},
                *({"name": name, "op": "Const"} for name in weights),
                node("conv", "Conv2D", "x", "k", stride=2),
                node("sum", "Add", "conv", "b"),
                node("relu", "Relu", "sum"),
                node("clip", "Minimum", "relu", "top"),
                node("wise", "DepthwiseConv2dNative", "clip", "d"),
                node("mean", "Mean", "wise", "axes"),
                node("beyond", "Unheard", "mean"),
            ]
        },
    }
    said = json.dumps(graph).encode()
    content = b"".join(values.tobytes() for values in weights.values())
    (tmp_path / "g.json").write_bytes(said)
    (tmp_path / "g.bin").write_bytes(content)
    return PublishedGraph(
        name="g",
        graph="g.json",
        graph_sha256=hashlib.sha256(said).hexdigest(),
        weights="g.bin",
        weights_sha256=hashlib.sha256(content).hexdigest(),
        input_node="x",
        shape=(1, 6, 6, 2),
        output_node="mean",
        licence="",
        obtain="get it",
    )


def test_every_operation_gives_what_numpy_gives(published, tmp_path):
    given = RNG.normal(size=(1, 6, 6, 2)).astype(np.float32)
    # SAME with stride 2 on 6 rows pads one row at the end only, as TensorFlow does.
    padded = np.pad(given[0], ((0, 1), (0, 1), (0, 0)))
    clipped = np.clip(windows(padded, 3, 2, KERNEL) + BIAS.astype(np.float32), 0, 1.5)
    padded = np.pad(clipped, ((1, 1), (1, 1), (0, 0)))
    each = np.eye(4, dtype=np.float32) * DEPTHWISE.astype(np.float32)
    wanted = windows(padded, 3, 1, each).mean(axis=(0, 1))
    (found,) = published_network(published, tmp_path).run(given)
    np.testing.assert_allclose(found[0], wanted, rtol=1e-4, atol=1e-5)


def test_another_file_is_refused_and_an_absent_one_says_where_to_get_it(published, tmp_path):
    (tmp_path / "g.bin").write_bytes(b"else")
    with pytest.raises(MissingWeights, match=r"SHA-256 .* is needed; get it"):
        published_network(published, tmp_path)
    (tmp_path / "g.json").unlink()
    with pytest.raises(MissingWeights, match="cannot be read"):
        published_network(published, tmp_path)


def windows(padded, side, step, kernel):
    rows = range(0, padded.shape[0] - side + 1, step)
    columns = range(0, padded.shape[1] - side + 1, step)
    return np.array(
        [
            [
                np.tensordot(padded[r : r + side, c : c + side], kernel.astype(np.float32), 3)
                for c in columns
            ]
            for r in rows
        ]
    )
