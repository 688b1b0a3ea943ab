"""Run a network on the CPU: one engine, one thread, 32-bit floats, the same answer twice.

OpenVINO reads ONNX and TFLite alike. On CPUs that have bf16 it would take it silently
and move a mesh point by 0.7 px, so precision is pinned. Nothing is written to a compile
cache and nothing is sent anywhere: OpenVINO's own package reports every import to its
maker unless its telemetry cannot be imported, so it is hidden for that moment.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import MissingWeights
from tidewaiter.weights.own import OwnNetwork
from tidewaiter.weights.pinned import checked_path

EVIDENCE_SETTINGS = {
    "INFERENCE_PRECISION_HINT": "f32",
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    # Bound to one core, a call waits for whatever else runs there.
    "ENABLE_CPU_PINNING": False,
    "CACHE_DIR": "",
}
"""Settings under which a score may be evidence."""


class Network:
    """A compiled network with one input; made by `network`, once per process."""

    def __init__(self, compiled: Any) -> None:
        self._request = compiled.create_infer_request()
        self._output_count = len(compiled.outputs)

    def run(self, values: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """All outputs, in the order of the model file, for one input of the fixed shape."""
        given = np.ascontiguousarray(values, np.float32)
        outputs = self._request.infer({0: given}, share_inputs=True, share_outputs=True)
        return tuple(np.array(outputs[index]) for index in range(self._output_count))


@cache
def network(
    name: str, shape: tuple[int, ...] | None = None, only_output: int | None = None
) -> Network:
    """The pinned network of that short name, its input reshaped to `shape` if given.

    With `only_output`, layers that serve other outputs alone are not computed; the values
    of that output stay the same. Raises MissingWeights when the file, or the engine
    itself, is not installed.
    """
    path = checked_path(name)
    openvino = _silent_openvino()
    core = _core()
    model = core.read_model(str(path))
    if shape is not None:
        model.reshape(list(shape))
    if only_output is not None:
        model = openvino.Model([model.outputs[only_output]], model.get_parameters(), name)
    return Network(core.compile_model(model, "CPU", EVIDENCE_SETTINGS))


@cache
def own_network(own: OwnNetwork, shape: tuple[int, ...]) -> Network:
    """One of our own networks, its input reshaped to `shape`.

    Raises MissingWeights when its file is absent or altered, or the engine not installed.
    """
    content = own.content()
    _silent_openvino()
    core = _core()
    model = core.read_model(content)
    model.reshape(list(shape))
    return Network(core.compile_model(model, "CPU", EVIDENCE_SETTINGS))


def compiled(model: Any) -> Network:
    """A model built of the engine's own operations, compiled to run here."""
    return Network(_core().compile_model(model, "CPU", EVIDENCE_SETTINGS))


def engine_library() -> Any:
    """OpenVINO itself with its operations, for what builds models of them; or MissingWeights."""
    library = _silent_openvino()
    from openvino import opset13

    assert opset13 is library.opset13
    return library


@cache
def _core() -> Any:
    """One engine for all networks: each would load its plugins anew."""
    return _silent_openvino().Core()


def _silent_openvino() -> Any:
    """OpenVINO, imported without the module through which it would call its maker."""
    hidden = "openvino_telemetry"
    before = sys.modules.get(hidden)
    sys.modules[hidden] = None  # type: ignore[assignment]
    try:
        import openvino
    except ImportError as error:
        raise MissingWeights(
            "openvino is not installed; install it with: pip install 'tidewaiter[face]'"
        ) from error
    finally:
        if before is None:
            del sys.modules[hidden]
        else:
            sys.modules[hidden] = before
    return openvino
