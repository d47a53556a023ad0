#!/usr/bin/env python3
"""Writes the golden files of tests/parity/golden: what PyTorch computes from seeded inputs. Run it in the top source folder.

    make_golden.py [NAME...]     NAME is a file without its ending ("ops_a"); none means all

Needs torch and numpy; written with PyTorch 1.13. Each @golden("NAME") function gets a Golden and puts arrays into it; several
functions may share one file. A test reads the arrays back by name, so every name starts with its case: "tanh.x", "tanh.y".
"""
import os
import sys

import numpy as np
import torch

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import golden_nets
import safetensors_numpy

OUT = os.path.join("tests", "parity", "golden")
makers = {}


def golden(name):
    def add(function):
        makers.setdefault(name, []).append(function)
        return function
    return add


class Golden:
    """The arrays of one file. Seeds depend on the names alone: a new case does not change the others."""

    def __init__(self):
        self.arrays = {}

    def put(self, name, value):
        value = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
        assert name not in self.arrays, name
        self.arrays[name] = ("F32", value.astype(np.float32))

    def normal(self, name, *shape):
        """A seeded input, kept under that name; asks for its gradient."""
        seed = sum((i + 1) * ord(c) for i, c in enumerate(name))
        value = torch.from_numpy(np.random.RandomState(seed).standard_normal(shape).astype(np.float32))
        self.put(name, value)
        return value.requires_grad_(True)

    def case(self, case, y, **inputs):
        """Keeps y as CASE.y, runs it backwards from a seeded CASE.dy, keeps the gradient of each input as CASE.dNAME."""
        self.put(case + ".y", y)
        dy = self.normal(case + ".dy", *y.shape).detach()
        gradients = torch.autograd.grad(y, list(inputs.values()), dy)
        for name, gradient in zip(inputs, gradients):
            self.put("%s.d%s" % (case, name), gradient)


def main():
    torch.set_num_threads(1)
    os.makedirs(OUT, exist_ok=True)
    for name in sys.argv[1:] or sorted(makers):
        g = Golden()
        for function in makers[name]:
            function(g)
        safetensors_numpy.write(os.path.join(OUT, name + ".safetensors"), g.arrays, {"pytorch": torch.__version__})


# ---- one block a file, above this line the machinery; main() is called at the end ----


@golden("ops_a")
def activations(g):
    for name, f in (("relu", torch.relu), ("leaky_relu", lambda x: torch.nn.functional.leaky_relu(x, 0.2)),
                    ("tanh", torch.tanh), ("sigmoid", torch.sigmoid), ("clamp", lambda x: torch.clamp(x, -0.5, 0.75))):
        x = g.normal(name + ".x", 2, 3, 5, 7)
        g.case(name, f(x), x=x)


@golden("ops_a")
def arrangements(g):
    a, b = g.normal("concat.a", 2, 3, 4, 5), g.normal("concat.b", 2, 2, 4, 5)
    g.case("concat", torch.cat([a, b], 1), a=a, b=b)
    x = g.normal("upsample.x", 2, 3, 4, 5)
    g.case("upsample", torch.nn.Upsample(scale_factor=2, mode="nearest")(x), x=x)
    x = g.normal("shuffle.x", 2, 18, 4, 5)
    g.case("shuffle", torch.nn.PixelShuffle(3)(x), x=x)


@golden("ops_a")
def labels(g):
    labels = np.array([[0, 1, 0], [1, 0.5, 0]], np.float32)
    g.put("labels", labels)
    c = torch.from_numpy(labels)
    x = g.normal("planes.x", 2, 4, 5, 3)
    g.case("planes", torch.cat([x, c[:, :, None, None].expand(2, 3, 5, 3)], 1), x=x)
    x, gamma, beta = g.normal("affine.x", 2, 4, 5, 3), g.normal("affine.gamma", 3, 4), g.normal("affine.beta", 3, 4)
    y = x * (1 + c @ gamma)[:, :, None, None] + (c @ beta)[:, :, None, None]
    g.case("affine", y, x=x, gamma=gamma, beta=beta)


@golden("ops_a")
def pooling(g):
    for name, pool in (("max_2_2", torch.nn.MaxPool2d(2, 2)), ("max_3_2", torch.nn.MaxPool2d(3, 2)),
                       ("mean_2_2", torch.nn.AvgPool2d(2, 2)), ("mean_3_1", torch.nn.AvgPool2d(3, 1))):
        x = g.normal(name + ".x", 2, 3, 8, 9)
        g.case(name, pool(x), x=x)
    x = g.normal("plane_lme.x", 2, 3, 8, 9)
    g.case("plane_lme", torch.logsumexp(x, (2, 3), True) - np.log(72.0), x=x)
    x = g.normal("plane_max.x", 2, 3, 8, 9)
    g.case("plane_max", torch.nn.functional.adaptive_max_pool2d(x, 1), x=x)
    x = g.normal("plane_mean.x", 2, 3, 8, 9)
    g.case("plane_mean", x.mean((2, 3), True), x=x)


def loss_case(g, case, loss, **inputs):
    """Keeps a loss as CASE.loss and its gradients, with a weight of 1."""
    g.put(case + ".loss", loss.reshape(1))
    for name, gradient in zip(inputs, torch.autograd.grad(loss, list(inputs.values()))):
        g.put("%s.d%s" % (case, name), gradient)


@golden("ops_conv")
def convolutions(g):
    functional = torch.nn.functional
    for case, x, w, stride, pad, mode in (("zero", (2, 3, 7, 6), (5, 3, 3, 3), 1, 1, "constant"),
                                          ("reflect", (1, 2, 8, 9), (3, 2, 7, 7), 1, 3, "reflect"),
                                          ("stride2", (2, 2, 9, 8), (4, 2, 4, 4), 2, 1, "constant"),
                                          ("wide", (1, 20, 6, 6), (33, 20, 3, 3), 2, 1, "constant")):
        x, w, b = g.normal(case + ".x", *x), g.normal(case + ".w", *w), g.normal(case + ".b", w[0])
        padded = functional.pad(x, (pad,) * 4, mode)
        g.case(case, functional.conv2d(padded, w, b, stride), x=x, w=w, b=b)
    for case, output_pad in (("transposed", 1), ("transposed_even", 0)):
        size = 3 if output_pad else 4
        x, w, b = g.normal(case + ".x", 2, 3, 5, 4), g.normal(case + ".w", 3, 4, size, size), g.normal(case + ".b", 4)
        g.case(case, functional.conv_transpose2d(x, w, b, 2, 1, output_pad), x=x, w=w, b=b)
    x, w, b = g.normal("linear.x", 3, 7), g.normal("linear.w", 5, 7), g.normal("linear.b", 5)
    g.case("linear", functional.linear(x, w, b), x=x, w=w, b=b)


@golden("ops_b")
def normalisations(g):
    f = torch.nn.functional
    shape = (3, 4, 9, 7)
    x = g.normal("instance.x", *shape)
    g.case("instance", f.instance_norm(x), x=x)
    x, gamma, beta = g.normal("instance_affine.x", *shape), g.normal("gamma", 1, 4, 1, 1), g.normal("beta", 1, 4, 1, 1)
    g.case("instance_affine", f.instance_norm(x, weight=gamma.reshape(-1), bias=beta.reshape(-1)), x=x, gamma=gamma, beta=beta)
    mean = g.normal("batch.mean_before", 1, 4, 1, 1).detach().reshape(-1)
    var = 1 + mean * mean
    g.put("batch.var_before", var.reshape(1, 4, 1, 1))
    x = g.normal("batch_eval.x", *shape)
    g.put("batch_eval.y", f.batch_norm(x, mean, var, gamma.reshape(-1), beta.reshape(-1), training=False))
    x = g.normal("batch.x", *shape)
    y = f.batch_norm(x, mean, var, gamma.reshape(-1), beta.reshape(-1), training=True, momentum=0.1)
    g.case("batch", y, x=x, gamma=gamma, beta=beta)
    g.put("batch.mean", mean.reshape(1, 4, 1, 1))
    g.put("batch.var", var.reshape(1, 4, 1, 1))


@golden("ops_b")
def spectral(g):
    torch.manual_seed(5)
    conv = torch.nn.utils.spectral_norm(torch.nn.Conv2d(3, 6, 4))
    for name, value in (("w", conv.weight_orig), ("u_before", conv.weight_u.reshape(1, 6, 1, 1)),
                        ("v_before", conv.weight_v.reshape(1, 48, 1, 1))):
        g.put("spectral." + name, value)
    conv(torch.zeros(1, 3, 4, 4))  # the hook makes one power iteration and sets conv.weight
    g.put("spectral.u", conv.weight_u.reshape(1, 6, 1, 1))
    g.put("spectral.v", conv.weight_v.reshape(1, 48, 1, 1))
    g.case("spectral", conv.weight, w=conv.weight_orig)


@golden("ops_b")
def losses(g):
    f = torch.nn.functional
    z = g.normal("z", 2, 1, 5, 6)
    one, zero = torch.ones_like(z), torch.zeros_like(z)
    loss_case(g, "real", f.binary_cross_entropy_with_logits(z, one), z=z)
    loss_case(g, "fake", f.binary_cross_entropy_with_logits(z, zero), z=z)
    loss_case(g, "ls_real", f.mse_loss(z, one), z=z)
    loss_case(g, "ls_fake", f.mse_loss(z, zero), z=z)
    a, b = g.normal("a", 2, 3, 5, 6), g.normal("b", 2, 3, 5, 6)
    loss_case(g, "l1", f.l1_loss(a, b), a=a, b=b)
    loss_case(g, "mse", f.mse_loss(a, b), a=a, b=b)
    labels = torch.tensor([[1.0, 0, 1, 0, 0], [0, 0, 0, 0, 0], [0, 1, 0, 0, 1]])
    g.put("labels", labels)
    l = g.normal("l", 3, 5)
    loss_case(g, "label", f.binary_cross_entropy_with_logits(l, labels, reduction="sum") / 3, l=l)
    classes = torch.tensor([4, 0, 2])
    g.put("one_hot", f.one_hot(classes, 5))
    loss_case(g, "softmax", f.cross_entropy(l, classes), l=l)


@golden("ops_b")
def optimisers(g):
    gradients = [g.normal("g%d" % i, 70).detach() for i in range(3)]
    start = g.normal("p", 70).detach()
    for name, make in (("adam", lambda p: torch.optim.Adam(p, lr=2e-2, betas=(0.5, 0.999))),
                       ("rmsprop", lambda p: torch.optim.RMSprop(p, lr=5e-3)), ("sgd", lambda p: torch.optim.SGD(p, lr=0.1))):
        p = torch.nn.Parameter(start.clone())
        optimizer = make([p])
        for gradient in gradients:
            p.grad = gradient.clone()
            optimizer.step()
        g.put(name + ".p", p)
    for name, limit in (("clip_half", 0.5), ("clip_never", 1e6)):
        p = torch.nn.Parameter(start.clone())
        p.grad = gradients[0].clone()
        g.put(name + ".norm", torch.nn.utils.clip_grad_norm_([p], limit).reshape(1))
        g.put(name + ".g", p.grad)


golden_nets.register(golden)

if __name__ == "__main__":
    main()
