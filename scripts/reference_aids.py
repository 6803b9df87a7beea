"""The rivals of the auxiliary module in plain PyTorch: what each adds to a training step.

`teacher_logits`, `teacher_maps`: of a full-precision network beside the one that is trained; maps are each block's sum
before its activation. Each function returns the whole loss that is differentiated.
"""

import torch
from torch.nn import functional as F

import reference_networks as reference

STAGE_ENDS = (1, 3, 5, 7)  # blocks of ResNet-18
DOWNSAMPLING = (2, 4, 6)


def divergence(p_logits, q_logits):
    """KL(p || q), a mean over the batch."""
    p, log_p, log_q = p_logits.softmax(1), p_logits.log_softmax(1), q_logits.log_softmax(1)
    return (p * (log_p - log_q)).sum(1).mean()


def soft_labels(logits, teacher_logits):
    return -(teacher_logits.softmax(1) * logits.log_softmax(1)).sum(1).mean()


def additional_loss(logits, maps, labels, heads):
    extra = [F.cross_entropy(head(F.relu(maps[i]).mean((2, 3))), labels) for head, i in zip(heads, DOWNSAMPLING)]
    return F.cross_entropy(logits, labels) + 0.01 * sum(extra)


def kd(logits, maps, labels, teacher_logits, teacher_maps):
    student = F.cross_entropy(logits, labels) + 0.5 * divergence(logits, teacher_logits.detach())
    return student + F.cross_entropy(teacher_logits, labels) + 0.5 * divergence(teacher_logits, logits.detach())


def attention(maps, teacher_maps):
    total = 0
    for i in STAGE_ENDS:
        ours, theirs = (F.relu(m[i]).abs().sum(1).flatten(1) for m in (maps, teacher_maps))
        total += F.mse_loss(F.normalize(ours), F.normalize(theirs).detach())
    return total / len(STAGE_ENDS)


def kd_journal(logits, maps, labels, teacher_logits, teacher_maps):
    student = 0.5 * F.cross_entropy(logits, labels) + 0.5 * divergence(teacher_logits.detach(), logits)
    student = student + 50 * attention(maps, teacher_maps)
    return student + F.cross_entropy(teacher_logits, labels) + 0.5 * divergence(logits.detach(), teacher_logits)


def fixed_teacher(logits, maps, labels, teacher_logits, teacher_maps):
    return F.cross_entropy(logits, labels) + 0.5 * divergence(logits, teacher_logits)


def hint(logits, maps, labels, teacher_logits, teacher_maps):
    """The last block's activated maps, on the 2-bit grid of the activations."""
    ours, theirs = (reference.grid(F.relu(m[-1]).clamp(0, 1), 3) for m in (maps, teacher_maps))
    return F.cross_entropy(logits, labels) + 0.1 / 2 * F.mse_loss(ours, theirs)


def apprentice(logits, maps, labels, teacher_logits, teacher_maps):
    return 0.5 * F.cross_entropy(logits, labels) + 0.5 * soft_labels(logits, teacher_logits.detach())


def apprentice_joint(logits, maps, labels, teacher_logits, teacher_maps):
    return apprentice(logits, maps, labels, teacher_logits, teacher_maps) + F.cross_entropy(teacher_logits, labels)


# name: (loss, whether the teacher learns, its learning rate as a multiple); None: no teacher
AIDS = {
    "additional-loss": (additional_loss, None, None),
    "kd": (kd, True, 0.2),
    "kd-journal": (kd_journal, True, 0.2),
    "fixed-teacher": (fixed_teacher, False, None),
    "hint": (hint, False, None),
    "apprentice-a": (apprentice_joint, True, 1),
    "apprentice-b": (apprentice, False, None),
    "apprentice-c": (apprentice, False, None),
}


class Heads(torch.nn.Module):
    """The additional losses' classifiers fc1, fc2, fc3."""

    def __init__(self, network):
        super().__init__()
        for i, block in enumerate(DOWNSAMPLING):
            self.add_module(f"fc{i + 1}", torch.nn.Linear(network.blocks()[block].out, network.fc.out_features))


def total_loss(aid, network, beside, images, labels):
    loss, learns, _ = AIDS[aid]
    logits, _, maps = network(images)
    if learns is None:
        return logits, loss(logits, maps, labels, list(beside.children()))
    with torch.set_grad_enabled(learns):
        teacher_logits, _, teacher_maps = beside(images)
    return logits, loss(logits, maps, labels, teacher_logits, teacher_maps)
