#!/usr/bin/env python3
"""RetinaNet and FCOS in plain PyTorch, with the auxiliary modules beside them: the oracle in numbers for detection.

    reference_detection.py step IN OUT               steps of training in float64
    reference_detection.py torchvision KIND OUT      what torchvision's own network says

IN and OUT are safetensors. `step` reads what dump_detection.py names: the network in the metadata, `model.NAME` and
`aux.NAME`, `input`, and of image I `boxes.I` [n, 4] and `classes.I` [n]; it adds the results. `torchvision` makes
retinanet_resnet50_fpn or fcos_resnet50_fpn (KIND retinanet | fcos) with random weights and writes them without a prefix,
a batch as above, `sizes` [N, 2] (height and width without padding), the losses by our names, and of image I
`detections.I` [n, 6]: label, score, corners.

What is computed is written from the published sources: Lin et al. 2017 (arXiv 1708.02002), Tian et al. 2019 (arXiv
1904.01355), Detectron2's and torchvision's code. Boxes and anchors are float32, as there; losses have the type that the
network computes in.
"""

import argparse
import math
import pathlib

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

import reference_networks as reference
from reference_networks import Adaptor, Precision, ResNet

LEVELS = (3, 4, 5, 6, 7)
BACKGROUND, IGNORED = -1, -2


# Is called with the distances of numbers to where something changes its mind; dump_detection.py sets it.
watch = None


def watched(distances):
    # What is exactly 0 has been set to it, as by a ReLU: no decision.
    if watch is not None:
        watch(distances[distances != 0])


# --- the network


class Conv(nn.Conv2d):
    """Quantizes weight and input by DoReFa; a norm follows where it does."""

    def __init__(self, *args, precision=Precision(), **kwargs):
        super().__init__(*args, **kwargs)
        self.precision = precision

    def forward(self, x):
        if self.precision.bits is None:
            return super().forward(x)
        steps = self.precision.steps
        weight = reference.quantize_weight(self.weight, steps)
        return self._conv_forward(reference.grid(x.clamp(0, 1), steps), weight, self.bias)


class Body(ResNet):
    """C2 to C5, the stem's map and each block's sum before its activation."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        del self.fc

    def forward(self, images):
        stem = self.pool(self.bn1(self.conv1(images)))
        x, taps, stages = self.activation(stem), [], []
        for stage in range(1, 5):
            for block in getattr(self, f"layer{stage}"):
                x, tap = block(x)
                taps.append(tap)
            stages.append(x)
        return stages, stem, taps

    def stage_channels(self):
        return [getattr(self, f"layer{stage}")[-1].out for stage in range(1, 5)]


class Pyramid(nn.Module):
    def __init__(self, stage_channels, channels, normed, p6_from_c5, precision):
        super().__init__()
        self.normed, self.p6_from_c5 = normed, p6_from_c5

        def layers(before, kernel):
            conv = Conv(before, channels, kernel, padding=kernel // 2, bias=not normed, precision=precision)
            return nn.Sequential(conv, nn.BatchNorm2d(channels)) if normed else nn.Sequential(conv)

        self.inner_blocks = nn.ModuleList(layers(before, 1) for before in stage_channels[1:])
        self.layer_blocks = nn.ModuleList(layers(channels, 3) for _ in range(3))
        self.extra_blocks = nn.ModuleDict()
        for name, before in (("p6", stage_channels[-1] if p6_from_c5 else channels), ("p7", channels)):
            self.extra_blocks[name] = Conv(before, channels, 3, stride=2, padding=1, bias=not normed,
                                           precision=precision)
            if normed:
                self.extra_blocks[name + "_norm"] = nn.BatchNorm2d(channels)

    def ended(self, x):
        """Norms come with a ReLU behind every map."""
        return F.relu(x) if self.normed else x

    def extra(self, name, x):
        y = self.extra_blocks[name](x)
        return self.ended(self.extra_blocks[name + "_norm"](y)) if self.normed else y

    def forward(self, stages):
        levels, merged = {}, None
        for i in (2, 1, 0):
            own = self.inner_blocks[i](stages[i + 1])
            if merged is not None:
                own = own + F.interpolate(merged, size=own.shape[-2:], mode="nearest")
            merged = self.ended(own)
            levels[LEVELS[i]] = self.ended(self.layer_blocks[i](merged))
        levels[6] = self.extra("p6", stages[-1] if self.p6_from_c5 else levels[5])
        levels[7] = self.extra("p7", F.relu(levels[6]))
        return levels


class Tower(nn.ModuleDict):
    """conv, norm, ReLU again and again: the layers of one branch, of all levels or of one."""

    def __init__(self, channels, length, norm, flat_names, precision):
        super().__init__()
        self.parts = []
        for i in range(length):
            conv = Conv(channels, channels, 3, padding=1, bias=norm == "none", precision=precision)
            if norm == "per-level":
                after = nn.ModuleList(nn.BatchNorm2d(channels) for _ in LEVELS)
            else:
                after = nn.BatchNorm2d(channels) if norm == "batch" else None
            self.parts.append((conv, after))
            if flat_names:
                self[str(3 * i)] = conv
                if after is not None:
                    self[str(3 * i + 1)] = after
            else:
                self[str(i)] = nn.ModuleDict({"0": conv} | ({} if after is None else {"1": after}))

    def forward(self, x, level):
        taps = []
        for conv, norm in self.parts:
            y = conv(x)
            if isinstance(norm, nn.ModuleList):
                y = norm[LEVELS.index(level)](y)
            elif norm is not None:
                y = norm(y)
            taps.append(y)
            x = F.relu(y)
        return x, taps


class Branch(nn.Module):
    """A tower and the layers behind it: `lasts` gives their names and channels."""

    def __init__(self, options, precision, lasts):
        super().__init__()
        shared = options["heads"] == "shared"
        norm = options["norm"] if shared or options["norm"] != "per-level" else "batch"
        make = lambda: Tower(options["channels"], options["tower"], norm, options["kind"] == "fcos", precision)
        self.shared = shared
        self.conv = make() if shared else nn.ModuleDict({f"p{level}": make() for level in LEVELS})
        for name, out in lasts.items():
            self.add_module(name, nn.Conv2d(options["channels"], out, 3, padding=1))

    def forward(self, x, level):
        return (self.conv if self.shared else self.conv[f"p{level}"])(x, level)


def last_layers(options):
    anchors = 9 if options["kind"] == "retinanet" else 1
    boxes = {"bbox_reg": 4 * anchors} | ({"bbox_ctrness": 1} if options["kind"] == "fcos" else {})
    return {"cls_logits": anchors * options["classes"]}, boxes


def predicted(level, classification, regression, of_classes, of_boxes):
    """What a detector says of a level."""
    return {"level": level, "classes": classification.cls_logits(of_classes), "boxes": regression.bbox_reg(of_boxes),
            "centreness": regression.bbox_ctrness(of_boxes) if hasattr(regression, "bbox_ctrness") else None}


class Detector(nn.Module):
    """options: kind, flavour, model, width, classes, channels, tower, norm (none | batch | per-level), heads, bits."""

    def __init__(self, options):
        super().__init__()
        precision = Precision(bits=options["bits"])
        self.backbone = nn.Module()
        self.backbone.body = Body(options["model"], width=options["width"], precision=precision)
        p6_from_c5 = options["kind"] == "retinanet" and options["flavour"] == "detectron2"
        self.backbone.fpn = Pyramid(self.backbone.body.stage_channels(), options["channels"],
                                    options["norm"] != "none", p6_from_c5, precision)
        of_classes, of_boxes = last_layers(options)
        self.head = nn.Module()
        self.head.classification_head = Branch(options, precision, of_classes)
        self.head.regression_head = Branch(options, precision, of_boxes)

    def forward(self, images):
        """The outputs of all levels, and what modules beside it read."""
        stages, stem, taps = self.backbone.body(images)
        pyramid = self.backbone.fpn(stages)
        outputs, heads = [], []
        for level, x in sorted(pyramid.items()):
            of_classes, class_taps = self.head.classification_head(x, level)
            of_boxes, box_taps = self.head.regression_head(x, level)
            outputs.append(predicted(level, self.head.classification_head, self.head.regression_head, of_classes,
                                     of_boxes))
            heads.append({"level": level, "input": x, "classes": class_taps, "boxes": box_taps})
        return outputs, {"stem": stem, "taps": taps, "heads": heads}


# --- the modules beside it


class Path(nn.Module):
    """taps: (channels, stride against the stem)."""

    def __init__(self, channels, taps):
        super().__init__()
        self.stem = Adaptor(channels, channels)
        self.adaptors = nn.ModuleList(Adaptor(after, after) for after, _ in taps)
        self.boundaries = nn.ModuleDict()
        stride = 1
        for i, (after, reached) in enumerate(taps):
            if after != channels or reached != stride:
                self.boundaries[str(i)] = Adaptor(channels, after, reached // stride)
            channels, stride = after, reached

    def forward(self, stem, taps):
        g, maps = self.stem(stem), []
        for i, tap in enumerate(taps):
            if str(i) in self.boundaries:
                g = self.boundaries[str(i)](g)
            g = F.relu(g + self.adaptors[i](tap))
            maps.append(g)
        return maps


def add_ends(module, options):
    for name, lasts in zip(("classification_head", "regression_head"), last_layers(options)):
        head = nn.Module()
        for layer, out in lasts.items():
            head.add_module(layer, nn.Conv2d(options["channels"], out, 3, padding=1))
        module.add_module(name, head)


class BackboneModule(Path):
    def __init__(self, detector, options):
        taps, stride, ends = [], 1, {}
        body = detector.backbone.body
        for stage in range(1, 5):
            for block in getattr(body, f"layer{stage}"):
                stride *= block.stride
                taps.append((block.out, stride))
            ends[stage + 1] = len(taps) - 1
        super().__init__(body.conv1.out_channels, taps)
        self.levels = (5,) if options["predict"] == "last" else (3, 4, 5)
        self.ends = ends
        channels = options["channels"]
        self.laterals = nn.ModuleDict({f"p{level}": Adaptor(taps[self.ends[level]][0], channels)
                                       for level in self.levels})
        if options["pyramid"]:
            self.pyramid = nn.ModuleDict({f"p{level}": Adaptor(channels, channels) for level in self.levels})
        add_ends(self, options)

    def forward(self, seen):
        maps, outputs = super().forward(seen["stem"], seen["taps"]), []
        for level in self.levels:
            map_ = self.laterals[f"p{level}"](maps[self.ends[level]])
            if hasattr(self, "pyramid"):
                map_ = map_ + self.pyramid[f"p{level}"](seen["heads"][LEVELS.index(level)]["input"])
            map_ = F.relu(map_)
            outputs.append(predicted(level, self.classification_head, self.regression_head, map_, map_))
        return outputs


class HeadModules(nn.Module):
    def __init__(self, options):
        super().__init__()
        shared, channels = options["heads"] == "shared", options["channels"]
        make = lambda: Path(channels, [(channels, 1)] * options["tower"])
        for tower in ("classes", "boxes"):
            self.add_module(tower, make() if shared else nn.ModuleDict({f"p{level}": make() for level in LEVELS}))
        self.shared = shared
        add_ends(self, options)

    def end(self, tower, head):
        paths = getattr(self, tower)
        return (paths if self.shared else paths[f"p{head['level']}"])(head["input"], head[tower])[-1]

    def forward(self, seen):
        return [predicted(head["level"], self.classification_head, self.regression_head, self.end("classes", head),
                          self.end("boxes", head)) for head in seen["heads"]]


class Modules(nn.Module):
    """options besides: where (all | backbone | heads), predict (levels | last), pyramid."""

    def __init__(self, detector, options):
        super().__init__()
        self.backbone = BackboneModule(detector, options) if options["where"] != "heads" else None
        self.heads = HeadModules(options) if options["where"] != "backbone" else None

    def forward(self, seen):
        """By the loss's name."""
        parts = {"aux_loss_heads": self.heads, "aux_loss_backbone": self.backbone}
        return {name: part(seen) for name, part in parts.items() if part is not None}


# --- anchors


def cell_anchors(kind, flavour, level):
    """[A, 4] float32 around 0."""
    stride = 2**level
    if kind == "fcos":
        return torch.tensor([[-stride / 2, -stride / 2, stride / 2, stride / 2]], dtype=torch.float32)
    base, ratios = 4 * stride, (0.5, 1.0, 2.0)
    if flavour == "detectron2":
        sizes = [base * 2 ** (j / 3) for j in range(3)]
        rows = [(math.sqrt(size**2 / ratio), ratio * math.sqrt(size**2 / ratio)) for size in sizes for ratio in ratios]
        return torch.tensor([[-w / 2, -h / 2, w / 2, h / 2] for w, h in rows], dtype=torch.float32)
    sizes = torch.tensor([base, int(base * 2 ** (1 / 3)), int(base * 2 ** (2 / 3))], dtype=torch.float32)
    heights = torch.sqrt(torch.tensor(ratios, dtype=torch.float32))
    h = (heights[:, None] * sizes[None]).flatten()
    w = ((1 / heights)[:, None] * sizes[None]).flatten()
    return (torch.stack([-w, -h, w, h], dim=1) / 2).round()


def level_anchors(kind, flavour, level, size, padded):
    """[H W A, 4] float32."""
    strides = [2**level] * 2 if flavour == "detectron2" else [padded[i] // size[i] for i in range(2)]
    offset = 0.5 if (kind, flavour) == ("fcos", "detectron2") else 0
    y, x = (torch.arange(size[i], dtype=torch.float32) * strides[i] + offset * strides[i] for i in range(2))
    y, x = torch.meshgrid(y, x, indexing="ij")
    shifts = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)
    return (shifts + cell_anchors(kind, flavour, level)[None]).reshape(-1, 4)


# --- targets


def iou(boxes, anchors):
    """[n, m] float32."""
    area = lambda b: (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    low = torch.maximum(boxes[:, None, :2], anchors[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], anchors[None, :, 2:])
    sides = (high - low).clip(min=0)
    inter = sides[..., 0] * sides[..., 1]
    return inter / (area(boxes)[:, None] + area(anchors)[None] - inter)


def match_by_overlap(boxes, anchors):
    overlaps = iou(boxes, anchors)
    best, owner = overlaps.max(dim=0)
    watched(best - 0.4)
    watched(best - 0.5)
    owner = owner.clone()
    found = owner.clone()
    found[best < 0.5] = IGNORED
    found[best < 0.4] = BACKGROUND
    forced = (overlaps == overlaps.max(dim=1).values[:, None]).any(dim=0)
    found[forced] = owner[forced]
    return found


def match_by_point(boxes, anchors, per_level):
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2
    size = anchors[:, 2] - anchors[:, 0]
    low, high = size * 4, size * 8
    low[: per_level[0]] = 0
    high[-per_level[-1] :] = float("inf")
    away = (centres[:, None] - (boxes[None, :, :2] + boxes[None, :, 2:]) / 2).abs().amax(dim=2)
    sides = torch.cat([centres[:, None] - boxes[None, :, :2], boxes[None, :, 2:] - centres[:, None]], dim=2)
    most = sides.amax(dim=2)
    for distance in (away - 1.5 * size[:, None], sides.amin(dim=2), most - low[:, None],
                     (most - high[:, None])[torch.isfinite(high)]):
        watched(distance)
    fits = (away < 1.5 * size[:, None]) & (sides.amin(dim=2) > 0) & (most > low[:, None]) & (most < high[:, None])
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    best, owner = (fits.float() * (1e8 - area)[None]).max(dim=1)
    owner = owner.clone()
    owner[best < 1e-5] = BACKGROUND
    return owner


# --- losses


def focal_loss(x, target):
    p = torch.sigmoid(x)
    p_t = p * target + (1 - p) * (1 - target)
    cross_entropy = F.binary_cross_entropy_with_logits(x, target, reduction="none")
    return (0.25 * target + 0.75 * (1 - target)) * (1 - p_t) ** 2 * cross_entropy


def giou_loss(a, b, eps=1e-7):
    for i in range(4):
        watched(a[:, i] - b[:, i])
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    meets = (high > low).all(dim=1)
    for i in range(2):
        watched(high[:, i] - low[:, i])
    inter = torch.where(meets, (high - low).prod(dim=1), torch.zeros_like(a[:, 0]))
    area = lambda box: (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    union = area(a) + area(b) - inter
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(dim=1)
    return 1 - (inter / (union + eps) - (hull - union) / (hull + eps))


def deltas(anchors, boxes):
    sizes = lambda b: (b[:, 2] - b[:, 0], b[:, 3] - b[:, 1])
    (aw, ah), (w, h) = sizes(anchors), sizes(boxes)
    ax, ay = anchors[:, 0] + 0.5 * aw, anchors[:, 1] + 0.5 * ah
    x, y = boxes[:, 0] + 0.5 * w, boxes[:, 1] + 0.5 * h
    return torch.stack([(x - ax) / aw, (y - ay) / ah, torch.log(w / aw), torch.log(h / ah)], dim=1)


def flat(maps, width):
    """[N, A width, H, W] to [N, H W A, width]."""
    n, _, h, w = maps.shape
    return maps.reshape(n, -1, width, h, w).permute(0, 3, 4, 1, 2).reshape(n, -1, width)


class Losses:
    """Of a batch, whose targets are assigned once a step; an output of some levels answers for their anchors."""

    def __init__(self, kind, flavour, classes):
        self.kind, self.flavour, self.class_count = kind, flavour, classes
        self.average = 300 if kind == "fcos" else 100

    def begin_step(self, images, boxes, classes):
        padded = images.shape[-2:]
        sizes = [tuple(-(-side // 2**level) for side in padded) for level in LEVELS]
        self.anchors = {level: level_anchors(self.kind, self.flavour, level, size, padded)
                        for level, size in zip(LEVELS, sizes)}
        everywhere, counts = torch.cat(list(self.anchors.values())), [len(a) for a in self.anchors.values()]
        self.boxes, self.classes, self.owners = boxes, classes, {level: [] for level in LEVELS}
        self.positives = []
        for own in boxes:
            if not len(own):
                owner = torch.full((len(everywhere),), BACKGROUND)
            elif self.kind == "fcos":
                owner = match_by_point(own, everywhere, counts)
            else:
                owner = match_by_overlap(own, everywhere)
            self.positives.append(int((owner >= 0).sum()))
            for level, part in zip(LEVELS, owner.split(counts)):
                self.owners[level].append(part)
        if self.flavour == "detectron2":
            self.average = 0.9 * self.average + 0.1 * max(1, sum(self.positives))

    def divisor(self, image):
        if self.flavour == "detectron2":
            return self.average
        if self.kind == "retinanet":
            return len(self.positives) * max(1, self.positives[image])
        return max(1, sum(self.positives))

    def __call__(self, outputs):
        """By name; each a scalar."""
        names = ("loss_class", "loss_box") + (("loss_centreness",) if self.kind == "fcos" else ())
        return {name: sum(self.of(output, i)[name] for output in outputs for i in range(len(self.positives)))
                for name in names}

    def of(self, output, i):
        """Of one level and image."""
        level, logits = output["level"], output["classes"]
        anchors, owner = self.anchors[level].to(logits.dtype), self.owners[level][i]
        positive = owner >= 0
        x = flat(logits, self.class_count)[i]
        target = torch.zeros_like(x)
        target[positive, self.classes[i][owner[positive]]] = 1
        counted = owner != IGNORED
        code, truth = flat(output["boxes"], 4)[i][positive], self.boxes[i].to(x.dtype)[owner[positive]]
        found = {"loss_class": focal_loss(x[counted], target[counted]).sum()}
        if self.kind == "retinanet":
            off = code - deltas(anchors[positive], truth)
            watched(off)
            found["loss_box"] = off.abs().sum()
        else:
            place = anchors[positive]
            centre, side = (place[:, :2] + place[:, 2:]) / 2, (place[:, 2:] - place[:, :2]).repeat(1, 2)
            reach = F.relu(code) * side
            found["loss_box"] = giou_loss(torch.cat([centre - reach[:, :2], centre + reach[:, 2:]], dim=1), truth).sum()
            l, t, r, b = torch.cat([centre - truth[:, :2], truth[:, 2:] - centre], dim=1).unbind(dim=1)
            ratio = lambda p, q: torch.minimum(p, q) / torch.maximum(p, q)
            found["loss_centreness"] = F.binary_cross_entropy_with_logits(
                flat(output["centreness"], 1)[i][positive, 0], torch.sqrt(ratio(l, r) * ratio(t, b)), reduction="sum")
        return {name: value / self.divisor(i) for name, value in found.items()}


# --- a step of training


def options_of(metadata):
    numbers = {"width": float, "classes": int, "channels": int, "tower": int}
    options = {name: numbers.get(name, str)(value) for name, value in metadata.items()}
    return options | {"bits": int(metadata["bits"]) if metadata["bits"] != "32" else None,
                      "pyramid": metadata["pyramid"] == "true"}


def make(options):
    detector = Detector(options)
    return detector, Modules(detector, options)


def named(prefix, items):
    return {f"{prefix}{name}": value.detach().clone().contiguous() for name, value in items}


def load(module, prefix, tensors):
    module.load_state_dict({name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)})


def train(detector, modules, options, tensors):
    """Adam's steps on the total: of the first `loss`, the modules' terms, the outputs and every gradient; of each
    `totals`."""
    images = tensors["input"].double()
    boxes = [tensors[f"boxes.{i}"] for i in range(len(images))]
    classes = [tensors[f"classes.{i}"] for i in range(len(images))]
    losses, totals, found = Losses(options["kind"], options["flavour"], options["classes"]), [], {}
    optimizer = torch.optim.Adam([*detector.parameters(), *modules.parameters()], lr=float(options["lr"]))
    for step in range(int(options["steps"])):
        optimizer.zero_grad()
        losses.begin_step(images, boxes, classes)
        outputs, seen = detector(images)
        own = losses(outputs)
        beside = {name: sum(losses(judged).values()) for name, judged in modules(seen).items()}
        total = sum(own.values()) + sum(beside.values())
        total.backward()
        totals.append(total.detach())
        if step == 0:
            found = named("", ({"loss": sum(own.values())} | beside).items())
            for output in outputs:
                found |= named("", ((f"{part}.{output['level']}", output[part]) for part in
                                    ("classes", "boxes", "centreness") if output[part] is not None))
            for prefix, module in (("grad.model.", detector), ("grad.aux.", modules)):
                found |= named(prefix, ((name, p.grad) for name, p in module.named_parameters() if p.grad is not None))
        optimizer.step()
    return found | {"totals": torch.stack(totals)}


def step(source, target):
    torch.set_default_dtype(torch.float64)
    with safe_open(source, "pt") as file:
        metadata = file.metadata()
    tensors, options = load_file(source), options_of(metadata)
    detector, modules = make(options)
    load(detector, "model.", tensors)
    load(modules, "aux.", tensors)
    save_file(tensors | train(detector, modules, options, tensors), target, metadata)


# --- torchvision's own

SIZES = ((128, 160), (96, 192), (160, 96))


def torchvision_network(kind, seed, batch):
    """With random weights that say something of this batch: backbone norms fitted to it, outputs of a fit spread."""
    from torchvision.models import detection

    torch.manual_seed(seed)
    maker = {"retinanet": detection.retinanet_resnet50_fpn, "fcos": detection.fcos_resnet50_fpn}[kind]
    network = maker(weights=None, weights_backbone=None, num_classes=7, min_size=96,
                    max_size=192, image_mean=[0.0] * 3, image_std=[1.0] * 3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    of_classes, of_boxes = network.head.classification_head.cls_logits, network.head.regression_head.bbox_reg
    with torch.no_grad():
        for layer in network.head.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        of_classes.bias.zero_()
        network.train()
        features = network.backbone(batch)
        said = network.head.eval()(list(features.values()))
        # Scores between all and nothing; boxes near their anchors (in sizes), or a few strides wide.
        of_classes.weight.mul_(1.5 / said["cls_logits"].std())
        of_classes.bias.fill_(-2.0)
        of_boxes.weight.mul_((0.3 if kind == "retinanet" else 3.0) / said["bbox_regression"].std())
    return network.eval()


def torchvision_numbers(kind, seed=0):
    random = torch.Generator().manual_seed(seed + 1)
    images = [torch.randn(3, *size, generator=random) for size in SIZES]
    targets = []
    for i, (h, w) in enumerate(SIZES):
        count = (4, 0, 7)[i]
        low = torch.rand(count, 2, generator=random) * torch.tensor([w - 24.0, h - 24.0])
        sides = 8 + torch.rand(count, 2, generator=random) * (torch.tensor([float(w), float(h)]) - low - 8)
        targets.append({"boxes": torch.cat([low, low + sides], dim=1),
                        "labels": torch.randint(7, (count,), generator=random)})
    padded = torch.zeros(len(images), 3, *(-(-max(size[i] for size in SIZES) // 32) * 32 for i in range(2)))
    for i, image in enumerate(images):
        padded[i, :, : image.shape[1], : image.shape[2]] = image
    network = torchvision_network(kind, seed, padded).double()
    # In float32 two orders of summing move boxes of random weights by 2e-5 of their size.
    images, padded = [image.double() for image in images], padded.double()
    # Resizing is not what is compared: each image is what it is.
    network.transform.resize = lambda image, target: (image, target)
    with torch.no_grad():
        found = network(images)
        network.training = True  # what it returns; its norms stay those of evaluation
        losses = network(images, targets)
    names = {"classification": "loss_class", "bbox_regression": "loss_box", "bbox_ctrness": "loss_centreness"}
    tensors = named("", network.state_dict().items()) | {"input": padded, "sizes": torch.tensor(SIZES)}
    tensors |= {names[name]: value for name, value in losses.items()}
    for i, (target, boxes) in enumerate(zip(targets, found)):
        columns = (boxes["labels"].double()[:, None], boxes["scores"][:, None], boxes["boxes"])
        tensors |= {f"boxes.{i}": target["boxes"], f"classes.{i}": target["labels"],
                    f"detections.{i}": torch.cat(columns, dim=1)}
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    of_step = verbs.add_parser("step")
    of_step.add_argument("source", type=pathlib.Path)
    of_step.add_argument("target", type=pathlib.Path)
    of_torchvision = verbs.add_parser("torchvision")
    of_torchvision.add_argument("kind", choices=["retinanet", "fcos"])
    of_torchvision.add_argument("target", type=pathlib.Path)
    of_torchvision.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.verb == "step":
        step(args.source, args.target)
    else:
        save_file(torchvision_numbers(args.kind, args.seed), args.target, {"kind": args.kind})


if __name__ == "__main__":
    main()
