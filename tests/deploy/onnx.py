"""Exported networks in ONNX Runtime against our own engine, on generated networks of all kinds (onnx_model.cc).

    onnx.py PROGRAM     the program built from onnx_model.cc

Every operator of a model is exact or rounded once, as the engine does it, so outputs are the same bit for bit; but where
the last layer is a float convolution, with float32 sums there and float64 in the engine, the tolerance is what that may
cost. ONNX Runtime's optimizer is held to the same.
scripts/test names an interpreter that has ONNX Runtime; without one the exit code is 77.
"""

import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile

# Not this folder, where this file is what "onnx" would mean.
sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent / "parity")

import reference

reference.need("numpy", "onnxruntime")

import numpy
import onnxruntime

LEVELS = {"as written": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
          "optimized": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL}


def session_of(model, level):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = LEVELS[level]
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def check_forms(session, case):
    """The model's metadata say how codes are made and which sums are exact: as the case wants it."""
    metadata = session.get_modelmeta().custom_metadata_map
    forms, sums = json.loads(metadata["auxbench.encoders"]), json.loads(metadata["auxbench.convolutions"])
    wrong = [f"{layer} is {found.get(layer)} instead of {form}"
             for found, wanted in ((forms, case["forms"]), (sums, case["sums"]))
             for layer, form in wanted.items() if found.get(layer) != form]
    return wrong, set(forms.values())


def compare(found, wanted, tolerance):
    """What is wrong with this output, or nothing."""
    if found.shape != wanted.shape:
        return f"of shape {found.shape} instead of {wanted.shape}"
    worst = float(numpy.abs(found.astype(numpy.float64) - wanted).max())
    if not worst <= tolerance:
        return f"differs by {worst:.3g}, more than {tolerance:.3g}"
    if wanted.ndim == 2 and (found.argmax(1) != wanted.argmax(1)).any():
        return "another class is predicted"
    return None


def compare_all(session, images, wanted, tolerance):
    """The same of all outputs, which the model has under these names and no others."""
    names = [output.name for output in session.get_outputs()]
    if sorted(names) != sorted(wanted):
        return [f"outputs {names} instead of {list(wanted)}"]
    found = dict(zip(names, session.run(names, {"images": images})))
    problems = [(name, compare(found[name], wanted[name][:len(images)], tolerance)) for name in names]
    return [f"{name} {problem}" for name, problem in problems if problem]


def check(folder, case):
    model = str(folder / (case["name"] + ".onnx"))
    images = numpy.fromfile(folder / (case["name"] + ".images"), numpy.float32).reshape(case["images"])
    wanted = {name: numpy.fromfile(folder / f"{case['name']}.{name}", numpy.float32).reshape(shape)
              for name, shape in case["outputs"].items()}
    problems, forms = [], set()
    if importlib.util.find_spec("onnx"):
        import onnx
        onnx.checker.check_model(model, full_check=True)
    problems += [f"{name}: all images have the same numbers: nothing is compared"
                 for name, numbers in wanted.items() if not (numbers != numbers[0]).any()]
    for level in LEVELS:
        session = session_of(model, level)
        wrong, forms = check_forms(session, case)
        found = compare_all(session, images, wanted, case["tolerance"])
        found = found or compare_all(session, images[:1], wanted, case["tolerance"])
        problems += wrong + [f"{level}: {problem}" for problem in found]
    return problems, forms


def main(program):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([program, name], check=True)
        cases = json.loads((folder / "cases.json").read_text())
        failed, forms = 0, set()
        for case in cases:
            problems, used = check(folder, case)
            forms |= used
            failed += bool(problems)
            for problem in problems:
                print(f"{case['name']}: {problem}")
    missing = {"QuantizeLinear", "affine", "thresholds"} - forms
    if missing:
        print(f"no encoder of the form {', '.join(sorted(missing))}")
    exact = sum(case["tolerance"] == 0 for case in cases)
    print(f"{len(cases)} networks, {exact} of them compared bit for bit, {failed} not as they should be"
          f" (ONNX Runtime {onnxruntime.__version__})")
    return 1 if failed or missing or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
