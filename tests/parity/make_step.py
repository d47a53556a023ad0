#!/usr/bin/env python3
"""make_step.py -- what PyTorch makes of TagGAN's first training steps. Run it in the top source folder.

    make_step.py                  writes the files of the tests, tests/parity/step
    make_step.py -o DIR [--size N] [--width N] [--blocks N] [--classes N] [--lr X] [--std X] [--seed N] [--steps N]
                 [--set KEY=VALUE]...

Writes to DIR a data set of one diseased and one healthy image (labels.csv), init.safetensors (weights to start from: G.*, F.*,
DN.*, DD.*) and step.safetensors, whose metadata are the settings:
    after1.NAME, afterN.NAME  weights after one step and after N (3), float32 run
    grad1.NAME                gradients of the first step
    agree1.NAME, agreeN.NAME  relative RMS by which the updates of the float32 and the float64 run differ
    loss1.NAME .. lossN.NAME  losses of each step; seen1.NAME: the images of the first
The tests' folder has the same for two classes in init2 and step2, and switches.safetensors: from init, for each other setting,
"KEY=VALUE,..." [tensors of init, 3] (norm of the first step's gradient, its products with two fixed vectors) and
"KEY=VALUE,...|LOSS". --std S draws weights as N(0,S) as doc/networks.md says; without
it they are scaled so that every layer passes a signal of about one.
Needs torch, numpy and Pillow.
"""
import argparse
import os
import sys

import numpy as np
import torch
from PIL import Image

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import safetensors_numpy
import taggan_torch
from compare_step import is_compared, relative_rms

NAMES = ["nodule", "effusion", "fibrosis", "oedema"]


def draw_images(size, seed):
    """Two 8-bit pictures: smooth ground, fine noise; the first with a bright disc."""
    rng = np.random.RandomState(seed)
    yy, xx = np.mgrid[0:size, 0:size] / float(size)
    pictures = []
    for is_diseased in (True, False):
        v = np.full((size, size), 100.0)
        for _ in range(6):
            cx, cy, r = rng.uniform(0, 1, 2).tolist() + [rng.uniform(0.1, 0.35)]
            v += rng.uniform(-70, 70) * np.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / (2 * r * r))
        if is_diseased:
            v += 80 * ((xx - 0.62) ** 2 + (yy - 0.4) ** 2 < 0.02)
        v += rng.normal(0, 8, v.shape)
        pictures.append(np.clip(np.rint(v), 0, 255).astype(np.uint8))
    return pictures


def draw_weights(a):
    rng = np.random.RandomState(a.seed)

    def net(shapes, transposed=(), quiet=(), tables=None):
        params = {name: rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in (tables or {}).items()}
        for name, shape in shapes.items():
            fan_in = (shape[0] / 4.0 if name in transposed else shape[1]) * shape[2] * shape[3]
            std = a.std or (0.5 if name in quiet else 2 ** 0.5) / fan_in ** 0.5
            params[name + ".weight"] = rng.normal(0, std, shape).astype(np.float32)
            n_out = shape[1] if name in transposed else shape[0]
            params[name + ".bias"] = rng.normal(0, 0 if a.std else 0.05, n_out).astype(np.float32)
        return params

    if a.suffix == "_quick":
        weights = {}
        for g in ("G", "F"):
            shapes, tables = taggan_torch.small_unet_shapes(a.width, a.classes)
            weights[g] = net(shapes, quiet=("head.1",), tables=tables)
        for d, n in (("DN", 0), ("DD", a.classes)):
            weights[d] = net(taggan_torch.critic_shapes(a.width, n))
        return weights
    last = "model.%d" % (17 + a.blocks)
    weights = {g: net(*taggan_torch.generator_shapes(a.width, a.blocks, a.classes), quiet=(last,)) for g in ("G", "F")}
    for d, n in (("DN", 0), ("DD", a.classes)):
        weights[d] = net(taggan_torch.discriminator_shapes(a.width, n))
    return weights


def make(a):
    os.makedirs(a.output, exist_ok=True)
    sick, healthy = draw_images(a.size, a.seed)
    Image.fromarray(sick).save(os.path.join(a.output, "sick.png"))
    Image.fromarray(healthy).save(os.path.join(a.output, "healthy.png"))
    # The image shows the first disease alone. A data set whose second disease nobody has cannot be trained on: no table then.
    if a.classes == 1:
        with open(os.path.join(a.output, "labels.csv"), "w") as table:
            table.write("file,labels,split,patient\nsick.png,%s,train,a\nhealthy.png,,train,b\n" % NAMES[0])
    c = np.zeros((1, a.classes))
    c[0, 0] = 1
    x, y = (v[None, None].astype(np.float64) / 127.5 - 1 for v in (sick, healthy))

    weights = draw_weights(a)
    init = {"%s.%s" % (net, name): w for net, params in weights.items() for name, w in params.items()}
    arrays, after = {}, {}
    settings = dict(settings_of(a.set), lr=a.lr)
    for dtype in (torch.float32, torch.float64):
        step = taggan_torch.Step(weights, dtype, **settings)
        for i in range(1, a.steps + 1):
            loss = step.run(x, y, c)
            if i in (1, a.steps):
                after[dtype, i] = step.weights()
            if dtype == torch.float32:
                for name, value in loss.items():
                    arrays["loss%d.%s" % (i, name)] = ("F32", np.array([value]))
                if i == 1:
                    for name, value in step.grads.items():
                        arrays["grad1." + name] = ("F32", value.numpy())
                    for name, value in step.seen.items():
                        arrays["seen1." + name] = ("F32", value.detach().numpy()[0])
                    print("losses", {name: round(value, 5) for name, value in loss.items()})
    worst = {}
    for i in sorted({1, a.steps}):
        for name, w in after[torch.float32, i].items():
            differ, _ = relative_rms(name, init[name], w, after[torch.float64, i][name], a.classes)
            arrays["after%d.%s" % (i, name)] = ("F32", w)
            arrays["agree%d.%s" % (i, name)] = ("F32", np.array([differ]))
            if is_compared(name, init):
                worst[i] = max(worst.get(i, (0, "")), (differ, name))
    print("float32 against float64, worst tensor after 1 and %d steps:" % a.steps, worst)
    sizes = {name: getattr(a, name) for name in ("size", "width", "blocks", "classes", "steps")}
    settings = dict(taggan_torch.DEFAULTS, **dict(settings, **dict(sizes, pytorch=torch.__version__)))
    settings = {key: str(value) for key, value in settings.items()}
    safetensors_numpy.write(os.path.join(a.output, "init%s.safetensors" % a.suffix), {n: ("F32", w) for n, w in init.items()},
                            {"made by": "make_step.py"})
    safetensors_numpy.write(os.path.join(a.output, "step%s.safetensors" % a.suffix), arrays, settings)
    return worst


# One at a time beside the defaults; what Adam's first step would hide shows in the gradients.
SWITCHES = ["adv=saturating", "adv=lsgan", "bgan=map", "cond=plane-zero", "cond=plane-zero1", "cond=plane-nonorm", "cls_pool=max",
            "cls_pool=mean", "order=gd", "dd_fake=xr", "dd_fake=both", "map=relu", "map_scale=1.5", "compose=sub-clamp",
            "compose=sub-tanh", "lam_cyc=3,lam_cls=2", "lam_id=0,lam_map=2,lam_tv=3", "bgan=map,map_scale=1.5,lam_map=1"]


def digest(g):
    """Norm, and products with two vectors of about unit entries: differences of gradients show in them at their own size."""
    g = g.numpy().astype(np.float64).ravel()
    i = np.arange(g.size)
    return [np.sqrt((g * g).sum()), (g * np.cos(i)).sum() * 2 ** 0.5, (g * np.cos(2.5 * i + 1)).sum() * 2 ** 0.5]


def make_switches(a):
    sick, healthy = draw_images(a.size, a.seed)
    x, y = (v[None, None].astype(np.float64) / 127.5 - 1 for v in (sick, healthy))
    weights, arrays = draw_weights(a), {}
    for switch in SWITCHES:
        step = taggan_torch.Step(weights, torch.float64, **settings_of(switch.split(",")))
        loss = step.run(x, y, np.ones((1, 1)))
        names = ["%s.%s" % (net, name) for net, params in weights.items() for name in params]
        arrays[switch] = ("F32", np.array([digest(step.grads[name]) for name in names]))
        for name, value in loss.items():
            arrays["%s|%s" % (switch, name)] = ("F32", np.array([value]))
    safetensors_numpy.write(os.path.join(a.output, "switches.safetensors"), arrays, {"pytorch": torch.__version__})


# Preset quick, with a batch of two and its two updates of the critics a step. The factors are those that our program draws
# for seed 1 (src/base/rng.h, stream TGI_STREAM_PENALTY, items 0 to 3): the test compares them first.
QUICK = {"net": "small_unet", "netd": "critic", "adv": "wgangp", "bgan": "map", "lam_id": 10.0, "lam_map": 1.0, "lr": 1e-3,
         "beta1": 0.0, "beta2": 0.9, "critic_steps": 2}
MIXES = [[0.783978164, 0.222554073], [0.164385095, 0.666631103], [0.891121924, 0.515037894], [0.757995427, 0.19686915]]


def make_quick(a):
    pictures = [draw_images(a.size, seed) for seed in (a.seed, a.seed + 1)]
    x, y = (np.stack([v[None] for v in domain]).astype(np.float64) / 127.5 - 1 for domain in zip(*pictures))
    c = np.eye(2)
    weights = draw_weights(a)
    init = {"%s.%s" % (net, name): w for net, params in weights.items() for name, w in params.items()}
    arrays, after = {"x": ("F32", x), "y": ("F32", y), "c": ("F32", c), "mixes": ("F32", np.array(MIXES))}, {}
    for dtype in (torch.float32, torch.float64):
        step = taggan_torch.Step(weights, dtype, **QUICK)
        loss = step.run(x, y, c, MIXES)
        after[dtype] = step.weights()
        if dtype == torch.float64:
            arrays.update({"loss1." + name: ("F32", np.array([value])) for name, value in loss.items()})
            arrays.update({"grad1." + name: ("F32", value.numpy()) for name, value in step.grads.items()})
    for name, w in after[torch.float32].items():
        arrays["after1." + name] = ("F32", w)
        differ = relative_rms(name, init[name], w, after[torch.float64][name], a.classes)[0]
        arrays["agree1." + name] = ("F32", np.array([differ]))
    print("quick", {name: round(value, 5) for name, value in loss.items()})
    print("float32 against float64", max((float(v[0]), n) for n, (_, v) in arrays.items() if n.startswith("agree")))
    safetensors_numpy.write(os.path.join(a.output, "init_quick.safetensors"), {n: ("F32", w) for n, w in init.items()}, {})
    safetensors_numpy.write(os.path.join(a.output, "step_quick.safetensors"), arrays, {"pytorch": torch.__version__})


def settings_of(pairs):
    split = [pair.split("=") for pair in pairs]
    return {key: type(taggan_torch.DEFAULTS[key])(value) for key, value in split}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--width", type=int, default=4)
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--classes", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument("--std", type=float, default=0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    a = parser.parse_args()
    a.suffix = ""
    torch.set_num_threads(1)
    if a.output:
        make(a)
    else:  # the two sets of the tests
        a.output = "tests/parity/step"
        make(a)
        make_switches(a)
        a.width, a.blocks, a.classes, a.suffix = 2, 1, 2, "2"
        make(a)
        a.width, a.suffix, a.seed = 2, "_quick", 9
        make_quick(a)


if __name__ == "__main__":
    main()
