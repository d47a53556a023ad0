#!/usr/bin/env python3
"""compare_step.py -- are the updates of a run of taggan-train PyTorch's?

    compare_step.py RUN_DIR [STEP_DIR]

Reads RUN_DIR/checkpoint.safetensors and STEP_DIR/{init,step}.safetensors (tests/parity/step, made by make_step.py), prints the
relative RMS of the update of each tensor, |ours - PyTorch's| / |PyTorch's|, and succeeds when all are within 2 % after one
step, 5 % after three, where PyTorch's own float32 and float64 agree as well as that. Left aside, because their true
gradient is zero and Adam turns rounding into steps of full size: biases in front of a norm, and the weights of the first
convolution that see the constant label planes. Needs numpy.
"""
import json
import os
import re
import sys

import numpy as np

sys.dont_write_bytecode = True  # the source tree stays as it is
TYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "U64": "<u8", "U8": "u1", "I32": "<i4", "U32": "<u4"}


def read(path):
    raw = open(path, "rb").read()
    n = int.from_bytes(raw[:8], "little")
    header, data = json.loads(raw[8:8 + n]), raw[8 + n:]
    metadata = header.pop("__metadata__", {})
    return {name: np.frombuffer(data[e["data_offsets"][0]:e["data_offsets"][1]], TYPES[e["dtype"]]).reshape(e["shape"])
            for name, e in header.items() if e["dtype"] in TYPES}, metadata


def is_compared(name, init):
    """False for a bias in front of a norm."""
    net, name = name.split(".", 1)
    if not name.endswith(".bias"):
        return True
    if net in ("DN", "DD"):
        return name in ("model.0.bias", "model.11.bias", "cls.bias")
    last = max(int(re.match(r"model\.(\d+)\.weight", n[2:]).group(1)) for n in init
               if n.startswith(net + ".") and re.match(r"model\.\d+\.weight", n[2:]))
    return name == "model.%d.bias" % last


def relative_rms(name, before, ours, theirs, n_classes):
    """(relative RMS, number of values compared)"""
    got, want = (np.asarray(w, np.float64) - np.asarray(before, np.float64) for w in (ours, theirs))
    if re.match(r"[GF]\.model\.1\.weight$", name):
        got, want = got[:, :got.shape[1] - n_classes], want[:, :want.shape[1] - n_classes]
    size = np.sqrt((want ** 2).sum())
    differ = np.sqrt(((got - want) ** 2).sum())
    return float(differ / size if size > 0 else (0 if differ == 0 else np.inf)), got.size


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder = sys.argv[2] if len(sys.argv) == 3 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "step")
    init, _ = read(os.path.join(folder, "init.safetensors"))
    golden, settings = read(os.path.join(folder, "step.safetensors"))
    ours, metadata = read(os.path.join(sys.argv[1], "checkpoint.safetensors"))
    n_steps = int(metadata.get("step", metadata.get("steps", ours.get("step", [0])[0] if "step" in ours else 0)) or 0)
    if "after%d.%s" % (n_steps, next(iter(init))) not in golden:
        sys.exit("compare_step.py: the run has %d steps, the golden file has one and %s" % (n_steps, settings["steps"]))
    bound, failed, n_aside = (0.02 if n_steps == 1 else 0.05), 0, 0
    for name in init:
        if name not in ours or ours[name].size != init[name].size:
            print("%-40s missing, or of another shape" % name)
            failed += 1
            continue
        value, n = relative_rms(name, init[name], ours[name].reshape(init[name].shape), golden["after%d.%s" % (n_steps, name)],
                                int(settings["classes"]))
        agree = float(golden["agree%d.%s" % (n_steps, name)][0])
        if not is_compared(name, init):
            verdict = "aside: in front of a norm"
        elif agree > bound:
            verdict = "aside: PyTorch's float32 and float64 differ by %.3g" % agree
            n_aside += 1
        else:
            verdict = "ok" if value <= bound else "FAIL"
            failed += verdict == "FAIL"
        print("%-40s %8d  %.3e  %s" % (name, n, value, verdict))
    print("%s after %d steps: %d tensors beyond %g; on %d more PyTorch's own precisions do not agree that well"
          % ("FAIL" if failed else "pass", n_steps, failed, bound, n_aside))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
