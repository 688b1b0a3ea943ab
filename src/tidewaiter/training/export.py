"""The network as an ONNX file and back: norms folded, weights in half precision.

The file is written node by node rather than traced, so that the same network gives the
same bytes with any version of torch, and its tensors keep the network's own names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from tidewaiter.errors import MissingWeights
from tidewaiter.training.network import (
    INPUT_SIDE,
    MASK_BLOCK,
    MASK_SIDE,
    NORMALISE,
    AnyNetwork,
    Block,
    Convolution,
    FaceEnsemble,
    FaceNetwork,
)

INPUT_NAME = "face"
SCORE_NAME = "score"
MASK_NAME = "mask"
BATCH = "N"
OPSET = 17
IR_VERSION = 8
# ReLU6.
LARGEST_ACTIVATION = 6.0
# Before the names of the tensors of an ensemble's networks, as torch names them.
MEMBERS = "members."

Array = NDArray[np.floating[Any]]


def write_onnx(network: AnyNetwork, path: Path) -> None:
    """Write the network in evaluation: "face" to "score" and "mask", the batch left open.

    Weights are stored as float16 and cast to float32 before use (6 MB instead of 12);
    biases stay float32. The same values give the same bytes.
    """
    drawing = _Drawing()
    drawing.network(network)
    graph = helper.make_graph(
        drawing.nodes,
        "face_manipulation",
        [_declared(INPUT_NAME, (BATCH, 3, INPUT_SIDE, INPUT_SIDE))],
        [_declared(SCORE_NAME, (BATCH,)), _declared(MASK_NAME, (BATCH, 1, MASK_SIDE, MASK_SIDE))],
        drawing.tensors,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="tidewaiter",
    )
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def read_onnx(path: Path) -> AnyNetwork:
    """The network a file of `write_onnx` was written from, its norms folded, in evaluation.

    Raises MissingWeights for a file that is absent or is not such a network.
    """
    try:
        model = onnx.load_from_string(path.read_bytes())
    except Exception as error:  # protobuf's DecodeError has no public place
        raise MissingWeights(f"{path.name} cannot be read as an ONNX file: {error}") from error
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    count = len({name.split(".")[1] for name in found if name.startswith(MEMBERS)})
    members = [FaceNetwork(folded=True) for _ in range(max(count, 1))]
    network = FaceEnsemble(members) if count else members[0]
    wanted = network.state_dict()
    wrong = sorted(name for name in wanted if _shape(found, name) != tuple(wanted[name].shape))
    if wrong:
        raise MissingWeights(
            f"{path.name} is not a face network of this version: it lacks {wrong[0]!r} of shape "
            f"{tuple(wanted[wrong[0]].shape)}; train it anew"
        )
    network.load_state_dict(
        {name: torch.from_numpy(found[name].astype(np.float32)) for name in wanted}
    )
    return network.eval()


def folded_values(network: AnyNetwork) -> dict[str, Array]:
    """What the network computes with in evaluation, by the names of a folded network."""
    if isinstance(network, FaceEnsemble):
        return {
            f"{MEMBERS}{index}.{name}": value
            for index, member in enumerate(_members(network))
            for name, value in folded_values(member).items()
        }
    values: dict[str, Array] = {}
    for name, module in network.named_modules():
        if isinstance(module, Convolution):
            weight, bias = module.folded()
            values |= {f"{name}.conv.weight": _array(weight), f"{name}.conv.bias": _array(bias)}
    for head in ("mask", "score"):
        module = getattr(network, head)
        values |= {
            f"{head}.weight": _array(module.weight),
            f"{head}.bias": _array(module.bias),
        }
    return values


@dataclass
class _Drawing:
    """The graph while it is being written, one node after another."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    tensors: list[onnx.TensorProto] = field(default_factory=list)
    values: Mapping[str, Array] = field(default_factory=dict)

    def network(self, network: AnyNetwork) -> None:
        """Everything from the crop to both outputs."""
        self.values = folded_values(network)
        self.constant("normalise.offset", np.float32(NORMALISE[0]))
        self.constant("normalise.scale", np.float32(NORMALISE[1]))
        self.constant("relu6.least", np.float32(0))
        self.constant("relu6.most", np.float32(LARGEST_ACTIVATION))
        self.constant("score.shape", np.array([-1], np.int64))
        now = self.node("Sub", [INPUT_NAME, "normalise.offset"], "normalise.shifted")
        now = self.node("Div", [now, "normalise.scale"], "normalise")
        if isinstance(network, FaceNetwork):
            self.member(now, network, "", (SCORE_NAME, MASK_NAME))
            return
        prefixes = [f"{MEMBERS}{index}." for index in range(len(network.members))]
        for prefix, member in zip(prefixes, _members(network), strict=True):
            self.member(now, member, prefix, (f"{prefix}{SCORE_NAME}", f"{prefix}{MASK_NAME}"))
        for name in (SCORE_NAME, MASK_NAME):
            self.node("Mean", [f"{prefix}{name}" for prefix in prefixes], name)

    def member(self, now: str, network: FaceNetwork, prefix: str, outputs: tuple[str, str]) -> None:
        """One network from the normalised crop to its score and its mask."""
        now = self.convolution(now, f"{prefix}stem", network.stem)
        for index, block in enumerate(network.blocks):
            now = self.block(now, f"{prefix}blocks.{index}", block)
            if index == MASK_BLOCK:
                weights = self.weights(f"{prefix}mask")
                self.node("Conv", [now, *weights], outputs[1], kernel_shape=[1, 1])
        now = self.node("GlobalAveragePool", [now], f"{prefix}pooled")
        now = self.node("Flatten", [now], f"{prefix}pooled.flat")
        weights = self.weights(f"{prefix}score")
        now = self.node("Gemm", [now, *weights], f"{prefix}score.column", transB=1)
        self.node("Reshape", [now, "score.shape"], outputs[0])

    def block(self, now: str, name: str, block: nn.Module) -> str:
        """An inverted residual; the name of its output."""
        if not isinstance(block, Block):
            raise TypeError(f"{name} is a {type(block).__name__}, not a Block")
        result = now
        for index, step in enumerate(block.steps):
            result = self.convolution(result, f"{name}.steps.{index}", step)
        return self.node("Add", [result, now], name) if block.adds else result

    def convolution(self, now: str, name: str, step: nn.Module) -> str:
        """A folded convolution with its ReLU6, if it has one; the name of its output."""
        if not isinstance(step, Convolution):
            raise TypeError(f"{name} is a {type(step).__name__}, not a Convolution")
        plan = step.plan
        left, right, top, bottom = plan.padding
        raw = self.node(
            "Conv",
            [now, *self.weights(f"{name}.conv")],
            f"{name}.sum",
            kernel_shape=[plan.kernel] * 2,
            strides=[plan.stride] * 2,
            pads=[top, left, bottom, right],
            group=plan.groups,
        )
        if not plan.active:
            return raw
        return self.node("Clip", [raw, "relu6.least", "relu6.most"], name)

    def weights(self, name: str) -> list[str]:
        """Store weight and bias of that name; the names of what to compute with."""
        self.constant(f"{name}.weight", self.values[f"{name}.weight"].astype(np.float16))
        self.constant(f"{name}.bias", self.values[f"{name}.bias"])
        widened = self.node(
            "Cast", [f"{name}.weight"], f"{name}.weight.float32", to=TensorProto.FLOAT
        )
        return [widened, f"{name}.bias"]

    def constant(self, name: str, value: Any) -> None:
        """Store a tensor under that name."""
        self.tensors.append(numpy_helper.from_array(np.asarray(value), name))

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Append one operation; the name of its output."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output


def _members(network: FaceEnsemble) -> list[FaceNetwork]:
    return [member for member in network.members if isinstance(member, FaceNetwork)]


def _declared(name: str, shape: tuple[str | int, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _shape(found: Mapping[str, Array], name: str) -> tuple[int, ...] | None:
    return found[name].shape if name in found else None


def _array(tensor: torch.Tensor) -> Array:
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), np.float32)
