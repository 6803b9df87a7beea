"""The boxes that a training step of a detector is timed on: runner/bench/regular_boxes.h says which and why."""

import math

BOXES = 7


def regular_boxes(image, side, classes):
    """Corners, rows of x0 y0 x1 y1, and classes."""
    corners, labels = [], []
    for j in range(BOXES):
        number = BOXES * image + j + 1
        w, h = side * (j + 1) / 24, side * (BOXES + 1 - j) / 24
        x, y = ((side - length) * (share * number - math.floor(share * number)) for length, share in ((w, 0.618034), (h, 0.754878)))
        corners.append([x, y, x + w, y + h])
        labels.append(number % classes)
    return corners, labels
