"""The networks of this project in plain PyTorch: the opponent in speed and the oracle in numbers.

ResNets with torchvision's names, DoReFa quantizers (arXiv 1606.06160), and the full-precision auxiliary module of
"Training Quantized Neural Networks with a Full-precision Auxiliary Module" (CVPR 2020) as its authors' code wires it.
"""

import dataclasses

import torch
from torch import nn
from torch.nn import functional as F

DEPTHS = {
    "resnet18": (False, (2, 2, 2, 2)),
    "resnet34": (False, (3, 4, 6, 3)),
    "resnet50": (True, (3, 4, 6, 3)),
    "resnet101": (True, (3, 4, 23, 3)),
}


@dataclasses.dataclass(frozen=True)
class Precision:
    """`bits` None: full precision. `at_output`: activations are quantized where they are made, by relu6 and step 1/n
    (the authors' code); otherwise at each convolution's input, clipped to [0, 1]."""

    bits: int | None = None
    at_output: bool = False

    @property
    def steps(self):
        return 2**self.bits - 1


class _Grid(torch.autograd.Function):
    """round(n x) / n, straight through."""

    @staticmethod
    def forward(ctx, x, steps):
        return torch.round(x * steps).div_(steps)

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


grid = _Grid.apply


def quantize_weight(weight, steps):
    t = torch.tanh(weight)
    return 2 * grid(t / (2 * t.abs().max()) + 0.5, steps) - 1


class QuantConv2d(nn.Conv2d):
    """Quantizes its weight, and its input unless that already is on the grid."""

    def __init__(self, *args, precision, **kwargs):
        super().__init__(*args, bias=False, **kwargs)
        self.precision = precision

    def forward(self, x):
        if self.precision.bits is None:
            return super().forward(x)
        if not self.precision.at_output:
            x = grid(x.clamp(0, 1), self.precision.steps)
        return self._conv_forward(x, quantize_weight(self.weight, self.precision.steps), None)


class Activation(nn.Module):
    def __init__(self, precision, quantized=True):
        super().__init__()
        self.steps = precision.steps if precision.bits and precision.at_output and quantized else None

    def forward(self, x):
        return F.relu(x) if self.steps is None else grid(F.relu6(x), self.steps)


class Block(nn.Module):
    """Basic: 3x3, 3x3. Bottleneck: 1x1, 3x3 with the stride, 1x1 to four times the channels."""

    def __init__(self, channels, width, stride, bottleneck, last, precision):
        super().__init__()
        self.out = 4 * width if bottleneck else width
        self.stride = stride
        self.layers = 3 if bottleneck else 2
        kernels = (1, 3, 1) if bottleneck else (3, 3)
        strided = 1 if bottleneck else 0
        before = channels
        for i, kernel in enumerate(kernels):
            after = self.out if i + 1 == self.layers else width
            conv = QuantConv2d(before, after, kernel, stride=stride if i == strided else 1, padding=kernel // 2,
                               precision=precision)
            self.add_module(f"conv{i + 1}", conv)
            self.add_module(f"bn{i + 1}", nn.BatchNorm2d(after))
            before = after
        self.downsample = None
        if stride != 1 or channels != self.out:
            self.downsample = nn.Sequential(QuantConv2d(channels, self.out, 1, stride=stride, precision=precision),
                                            nn.BatchNorm2d(self.out))
        self.inner = Activation(precision)
        self.final = Activation(precision, quantized=not last)

    def forward(self, x):
        y = x
        for i in range(1, self.layers + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.layers:
                y = self.inner(y)
        tap = y + (x if self.downsample is None else self.downsample(x))
        return self.final(tap), tap


class ResNet(nn.Module):
    def __init__(self, model, *, channels=3, classes=1000, stem="imagenet", stem_stride=1, width=1.0,
                 precision=Precision()):
        super().__init__()
        bottleneck, depths = DEPTHS[model]
        base = max(1, round(64 * width))
        large = stem == "imagenet"
        self.conv1 = nn.Conv2d(channels, base, 7 if large else 3, stride=2 if large else stem_stride,
                               padding=3 if large else 1, bias=False)
        self.bn1 = nn.BatchNorm2d(base)
        self.pool = nn.MaxPool2d(3, 2, 1) if large else nn.Identity()
        self.activation = Activation(precision)
        before = base
        for stage, blocks in enumerate(depths):
            layer = nn.Sequential()
            for i in range(blocks):
                last = stage + 1 == len(depths) and i + 1 == blocks
                block = Block(before, base << stage, 2 if i == 0 and stage > 0 else 1, bottleneck, last, precision)
                layer.append(block)
                before = block.out
            self.add_module(f"layer{stage + 1}", layer)
        self.fc = nn.Linear(before, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def blocks(self):
        return [block for stage in range(1, 5) for block in getattr(self, f"layer{stage}")]

    def forward(self, images):
        """Logits, the stem's map before its activation, and each block's sum before its activation."""
        stem = self.pool(self.bn1(self.conv1(images)))
        x, taps = self.activation(stem), []
        for block in self.blocks():
            x, tap = block(x)
            taps.append(tap)
        return self.fc(x.mean((2, 3))), stem, taps


class Adaptor(nn.Module):
    def __init__(self, before, after, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(before, after, 1, stride=stride, bias=False)
        self.norm = nn.BatchNorm2d(after)
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        return self.norm(self.conv(x))


class AuxiliaryModule(nn.Module):
    def __init__(self, network):
        super().__init__()
        channels = network.conv1.out_channels
        self.stem = Adaptor(channels, channels)
        self.adaptors = nn.ModuleList()
        self.boundaries = nn.ModuleDict()
        for i, block in enumerate(network.blocks()):
            self.adaptors.append(Adaptor(block.out, block.out))
            if block.stride != 1 or block.out != channels:
                self.boundaries[str(i)] = Adaptor(channels, block.out, block.stride)
            channels = block.out
        self.fc = nn.Linear(channels, network.fc.out_features)

    def forward(self, stem, taps):
        g = self.stem(stem)
        for i, tap in enumerate(taps):
            if str(i) in self.boundaries:
                g = self.boundaries[str(i)](g)
            g = F.relu(g + self.adaptors[i](tap))
        return self.fc(g.mean((2, 3)))


def losses(network, auxiliary, images, labels):
    """(logits, loss, aux_logits, aux_loss); the last two are None without the module."""
    logits, stem, taps = network(images)
    loss = F.cross_entropy(logits, labels)
    if auxiliary is None:
        return logits, loss, None, None
    aux_logits = auxiliary(stem, taps)
    return logits, loss, aux_logits, F.cross_entropy(aux_logits, labels)
