"""Read a network published for TensorFlow.js: a JSON graph and a file of weights.

Only what MobileNet needs is understood: convolutions, sums, clips and one mean. Both files
are pinned by digest, so nothing else is ever read.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import MissingWeights
from tidewaiter.weights.engine import Network, compiled, engine_library

# What the weights are kept as, by the name of the type they stand for.
STORED = {"float32": np.float16, "int32": np.int32}


@dataclass(frozen=True)
class PublishedGraph:
    """A graph and its weights: file names and digests, and the node that is the answer."""

    name: str
    graph: str
    graph_sha256: str
    weights: str
    weights_sha256: str
    input_node: str
    shape: tuple[int, ...]
    """Of the input: batch, height, width, channels."""

    output_node: str
    licence: str
    obtain: str
    """How somebody gets the files."""


def published_network(published: PublishedGraph, folder: Path) -> Network:
    """The network from its two files in `folder`, compiled to run here.

    Raises MissingWeights where a file is absent or is not the pinned one, or the engine is
    not installed.
    """
    graph = json.loads(_content(published, folder, published.graph, published.graph_sha256))
    content = _content(published, folder, published.weights, published.weights_sha256)
    weights = _weights(graph["weightsManifest"][0]["weights"], content)
    return compiled(_model(published, graph["modelTopology"]["node"], weights))


def _content(published: PublishedGraph, folder: Path, file: str, sha256: str) -> bytes:
    try:
        content = (folder / file).read_bytes()
    except OSError as error:
        raise MissingWeights(
            f"{file} of the recogniser {published.name} cannot be read ({error.strerror}); "
            f"{published.obtain}"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise MissingWeights(
            f"{file} has SHA-256 {found[:16]}…, {sha256[:16]}… is needed; {published.obtain}"
        )
    return content


def _weights(listed: list[dict[str, Any]], content: bytes) -> dict[str, NDArray[Any]]:
    found, start = {}, 0
    for entry in listed:
        kind = np.dtype(STORED[entry["dtype"]])
        count = math.prod(entry["shape"])
        values = np.frombuffer(content, kind, count, start).reshape(entry["shape"])
        found[entry["name"]] = values.astype(entry["dtype"])
        start += count * kind.itemsize
    return found


def _model(
    published: PublishedGraph, nodes: list[dict[str, Any]], weights: Mapping[str, NDArray[Any]]
) -> Any:
    """The nodes up to the output, channels before rows and columns as the engine has them."""
    library = engine_library()
    ops = library.opset13
    given = ops.parameter(list(published.shape), np.float32, name=published.input_node)
    values = {published.input_node: ops.transpose(given, ops.constant(np.array([0, 3, 1, 2])))}
    for node in nodes:
        if node["op"] in {"Const", "Placeholder"}:
            continue
        first, *rest = node["input"]
        operand = weights[rest[0]] if rest else None
        values[node["name"]] = _MAKERS[node["op"]](ops, values[first], operand, node)
        if node["name"] == published.output_node:
            break
    return library.Model([values[published.output_node]], [given], published.name)


def _convolution(ops: Any, value: Any, kernel: NDArray[Any], node: dict[str, Any]) -> Any:
    turned = ops.constant(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))
    return ops.convolution(value, turned, *_places(node), auto_pad="same_upper")


def _depthwise(ops: Any, value: Any, kernel: NDArray[Any], node: dict[str, Any]) -> Any:
    height, width, channels, each = kernel.shape
    turned = kernel.transpose(2, 3, 0, 1).reshape(channels, each, 1, height, width)
    constant = ops.constant(np.ascontiguousarray(turned))
    return ops.group_convolution(value, constant, *_places(node), auto_pad="same_upper")


def _places(node: dict[str, Any]) -> tuple[list[int], ...]:
    """Strides, then no padding by hand and no dilation."""
    steps = [int(step) for step in node["attr"]["strides"]["list"]["i"]][1:3]
    return steps, [0, 0], [0, 0], [1, 1]


def _elementwise(name: str) -> Callable[..., Any]:
    def made(ops: Any, value: Any, operand: NDArray[Any], _node: dict[str, Any]) -> Any:
        shaped = operand.reshape(1, -1, 1, 1) if operand.ndim == 1 else operand
        return getattr(ops, name)(value, ops.constant(np.ascontiguousarray(shaped)))

    return made


def _relu(ops: Any, value: Any, _operand: NDArray[Any] | None, _node: dict[str, Any]) -> Any:
    return ops.relu(value)


def _mean(ops: Any, value: Any, _operand: NDArray[Any] | None, _node: dict[str, Any]) -> Any:
    return ops.reduce_mean(value, ops.constant(np.array([2, 3])), keep_dims=False)


_MAKERS: Mapping[str, Callable[..., Any]] = {
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "Add": _elementwise("add"),
    "Mul": _elementwise("multiply"),
    "Minimum": _elementwise("minimum"),
    "Maximum": _elementwise("maximum"),
    "Relu": _relu,
    "Mean": _mean,
}
