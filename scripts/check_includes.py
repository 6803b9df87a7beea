"""Reads file names from stdin and prints each include that the map of rooms (docs/rooms.md) forbids."""

import pathlib
import re
import sys

TORCH_FREE = ("base", "kernels", "metrics", "metrics/detection", "results", "reports", "runner/plan", "datasets", "models/list", "quantizers/methods",
              "runner/bench/opponents", "runner/bench/peaks", "runner/bench/rates", "runner/inspect", "runner/jobs", "runner/pictures", "runner/app")
LEFT_OF_MODELS = ("base", "kernels", "models/list", "quantizers", "quantizers/methods")
LEFT_OF_TRAINING = (*LEFT_OF_MODELS, "models", "aux", "datasets", "metrics", "metrics/detection", "results",
                    "runner/plan")
MAY_INCLUDE = {
    "base": (),
    "kernels": ("base",),
    "metrics": ("base",),
    "metrics/detection": ("base", "kernels"),
    "runner/plan": ("base", "models/list", "quantizers/methods"),
    "results": ("base", "runner/plan"),
    "reports": ("base", "results", "runner/plan"),
    "datasets": ("base", "metrics"),
    "models/list": (),
    "quantizers/methods": (),
    "quantizers": ("base", "kernels", "quantizers/methods"),
    "models": LEFT_OF_MODELS,
    "aux": (*LEFT_OF_MODELS, "models"),
    "deploy": (*LEFT_OF_MODELS, "models"),
    "runner/tasks": LEFT_OF_TRAINING,
    "runner/training": (*LEFT_OF_TRAINING, "runner", "runner/tasks"),
    "runner/jobs": ("base", "models/list", "quantizers/methods", "results", "runner/plan"),
    "runner/sweep": (*LEFT_OF_TRAINING, "deploy", "runner/tasks", "runner/training", "runner/inspect", "runner/jobs"),
    "runner/bench/opponents": ("base", "kernels"),
    "runner/bench/peaks": ("base", "kernels"),
    "runner/bench/rates": ("base",),
    "runner/bench": (*LEFT_OF_TRAINING, "deploy", "reports", "runner/tasks", "runner/training", "runner/bench/opponents", "runner/bench/peaks"),
    "runner/inspect": ("base", "kernels", "metrics", "metrics/detection", "datasets", "deploy"),
    "runner/inspect/torch": (*LEFT_OF_TRAINING, "deploy", "runner/tasks", "runner/training"),
    "runner/pictures": ("base", "metrics", "datasets", "results", "reports", "models/list", "quantizers/methods", "runner/plan"),
    "runner/app": ("base", "kernels", "metrics", "metrics/detection", "datasets", "deploy", "results", "reports", "models/list", "quantizers/methods", "runner",
                   "runner/plan", "runner/inspect", "runner/jobs", "runner/pictures"),
}
ROOMS = (*MAY_INCLUDE, "runner", "runner/app/torch", "tests")
DEPLOY_WITH_TORCH = ("deploy/freeze", "deploy/frozen_quantizer", "deploy/frozen_weights", "deploy/bit_exactness")
PRELUDE = "base/torch_prelude.h"
CHEAP_TORCH = re.compile(r"ATen/core/Tensor\.h|c10/core/\w+\.h")
TORCH = re.compile(r"(torch|ATen|c10)/")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def room_of(path):
    return max((room for room in ROOMS if path.startswith(room + "/")), key=len, default=None)


def reason(path, bracket, included, private):
    """Why `path` may not include this, or None. private: a header that only its own room's .cc files read."""
    room = room_of(path)
    if bracket == '"':
        other = room_of(included)
        if other is None:
            return "quotes are for our own headers, named from the root"
        if room in TORCH_FREE and included == PRELUDE:
            return f"{room} is free of torch"
        if included == PRELUDE and path.endswith(".h") and not private:
            return "the prelude is for .cc files"
        if room in TORCH_FREE and included.startswith(DEPLOY_WITH_TORCH):
            return f"{room} is free of torch"
        if room in MAY_INCLUDE and other != room and other not in MAY_INCLUDE[room]:
            return f"{room} does not know {other}"
        return None
    if not TORCH.match(included) or path == PRELUDE:
        return None
    if room in TORCH_FREE:
        return f"{room} is free of torch"
    if included.startswith("torch/") and not (included == "torch/version.h" and path.endswith(".cc")):
        return f"LibTorch comes through {PRELUDE}"
    if path.endswith(".h") and not CHEAP_TORCH.fullmatch(included):
        return "a header includes nothing of torch but ATen/core/Tensor.h and c10/core"
    return None


for path in sys.stdin.read().split():
    text = pathlib.Path(path).read_text(encoding="utf-8")
    private = "For .cc files" in text[:400]
    for match in INCLUDE.finditer(text):
        why = reason(path, match[1], match[2], private)
        if why:
            print(f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match[2]}: {why}")
