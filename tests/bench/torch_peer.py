#!/usr/bin/env python3
"""torch_peer.py -- PyTorch's side of against-pytorch: takes the lines that bench_step.c takes, and

    layout nchw|nhwc       contiguous or channels_last: which of two pieces of work is made and run from then on -> ready
    check KEY=VALUE...     one step of these settings at a small size equals taggan_torch.Step's, which the golden files of
                           our tests come from -> ready

A step here does what ours does and nothing else: fresh fakes for the critics' early updates, no gradient for frozen networks,
no head that no loss reads, gradients set to none, the fused Adam. Eager; no compile. Needs torch and numpy.
    torch_peer.py [cpu|cuda]    on a graphics card: strict float32, cuDNN's own search for algorithms
"""
import os
import sys
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "parity"))
import taggan_torch
from taggan_torch import adversarial, label_loss, pooled

DEVICE = torch.device(sys.argv[1] if len(sys.argv) > 1 else "cpu")
LAYOUTS = {"nchw": torch.contiguous_format, "nhwc": torch.channels_last}
# What a line may set beside Step's own settings; the rest must be what PyTorch's side does anyway.
SIZES = {"size": 256, "width": 64, "dwidth": 64, "blocks": 9, "batch": 1, "classes": 1, "ema": 0.0}
IGNORED = {"preset", "pool", "clip", "head", "norm", "optimizer", "cls", "kernel_family", "conv_algorithm"}


def settings_of(words):
    step, sizes = {}, dict(SIZES)
    for word in words:
        key, value = word.split("=", 1)
        if key in SIZES:
            sizes[key] = type(SIZES[key])(value)
        elif key in taggan_torch.DEFAULTS:
            step[key] = type(taggan_torch.DEFAULTS[key])(value)
        elif key not in IGNORED:
            raise ValueError("unknown setting " + key)
        elif key in ("pool", "clip") and float(value) != 0:
            raise ValueError(key + " is not there in the peer: set it to 0")
    return step, sizes


def draw_weights(step, sizes):
    """Random weights of all four networks, N(0, 0.02) as both sides begin."""
    shapes = {}
    for name in ("G", "F"):
        if step.get("net") == "small_unet":
            kernels, tables = taggan_torch.small_unet_shapes(sizes["width"], sizes["classes"])
            transposed = ()
        else:
            kernels, transposed = taggan_torch.generator_shapes(sizes["width"], sizes["blocks"], sizes["classes"])
            tables = {}
        shapes[name] = (kernels, transposed, tables)
    judge = taggan_torch.critic_shapes if step.get("netd") == "critic" else taggan_torch.discriminator_shapes
    shapes["DN"] = (judge(sizes["dwidth"], 0), (), {})
    shapes["DD"] = (judge(sizes["dwidth"], sizes["classes"]), (), {})
    weights, rng = {}, torch.Generator().manual_seed(1)
    for net, (kernels, transposed, tables) in shapes.items():
        params = {name: torch.randn(shape, generator=rng) * 0.02 for name, shape in tables.items()}
        for name, shape in kernels.items():
            params[name + ".weight"] = torch.randn(shape, generator=rng) * 0.02
            params[name + ".bias"] = torch.zeros(shape[1] if name in transposed else shape[0])
        weights[net] = {name: value.numpy() for name, value in params.items()}
    return weights


class Step(taggan_torch.Step):
    """The same iteration as the base class's run(), written for speed."""

    def __init__(self, weights, layout, ema=0.0, dtype=torch.float32, device=DEVICE, **settings):
        super().__init__(weights, dtype, **settings)
        self.layout = layout
        for params in self.nets.values():
            for p in params.values():
                p.data = p.data.to(device)
                if p.dim() == 4:
                    p.data = p.data.contiguous(memory_format=layout)
        adam = lambda *nets: torch.optim.Adam([p for net in nets for p in self.nets[net].values()], lr=self.s["lr"],
                                              betas=(self.s["beta1"], self.s["beta2"]), eps=1e-8, fused=True)
        self.opt = {"DN": adam("DN"), "DD": adam("DD"), "GF": adam("G", "F")}
        self.judge = taggan_torch.critic if self.s["netd"] == "critic" else taggan_torch.discriminator
        self.headless = {name: p for name, p in self.nets["DD"].items() if not name.startswith("cls")}
        self.half = 1.0 if self.s["adv"] == "wgangp" else 0.5
        self.ema = ema
        self.average = [p.detach().clone() for p in self.nets["G"].values()] if ema else []

    def dn(self, image):
        return self.judge(self.nets["DN"], image)[0]

    def dd(self, image):
        return self.judge(self.nets["DD"], image)

    def dd_score(self, image):
        return self.judge(self.headless, image)[0]

    def learn(self, opt, loss):
        self.opt[opt].zero_grad(set_to_none=True)
        loss.backward()
        self.opt[opt].step()

    def judges(self, x, y, xh, xf, c, mixes):
        s, adv = self.s, self.s["adv"]
        loss = self.half * (adversarial(self.dn(y), True, adv) + adversarial(self.dn(xh), False, adv))
        if adv == "wgangp":
            loss = loss + s["lam_gp"] * self.penalty(self.dn, y, xh, mixes[0])
        self.learn("DN", loss)
        real, real_cls = self.dd(x)
        y_cls = self.dd(y)[1]
        loss = self.half * (adversarial(real, True, adv) + adversarial(self.dd_score(xf), False, adv))
        loss = loss + s["lam_cls"] * 0.5 * (label_loss(pooled(real_cls, s["cls_pool"]), c) +
                                            label_loss(pooled(y_cls, s["cls_pool"]), torch.zeros_like(c)))
        if adv == "wgangp":
            loss = loss + s["lam_gp"] * self.penalty(self.dd_score, x, xf, mixes[1])
        self.learn("DD", loss)

    def freeze(self, is_frozen):
        for net in ("DN", "DD"):
            for p in self.nets[net].values():
                p.requires_grad_(not is_frozen)

    def step(self, x, y, c, mixes=None):
        s, adv = self.s, self.s["adv"]
        draw = lambda: torch.rand(2, x.shape[0], 1, 1, 1, dtype=x.dtype, device=x.device)
        for _ in range(s["critic_steps"] - 1):
            with torch.no_grad():
                xh, xf = self.map_of(x, c)[0], self.disease(y, c)
            self.judges(x, y, xh, xf, c, draw())
        xh, m = self.map_of(x, c)
        xf = self.disease(y, c)
        xr = self.disease(xh, c)
        yr = self.map_of(xf, c)[0]
        mid = self.map_of(y, c)[1] if s["lam_id"] > 0 else None
        self.judges(x, y, xh.detach(), xf.detach(), c, draw() if mixes is None else mixes)
        self.freeze(True)
        fool = lambda z: adversarial(z, True, adv, True)
        fake, xf_cls = self.dd(xf)
        xh_cls = self.dd(xh)[1]
        total = fool(self.dn(xh)) + fool(fake)
        total = total + s["lam_cyc"] * ((xr - x).abs().mean() + (yr - y).abs().mean())
        total = total + s["lam_cls"] * 0.5 * (label_loss(pooled(xh_cls, s["cls_pool"]), torch.zeros_like(c)) +
                                              label_loss(pooled(xf_cls, s["cls_pool"]), c))
        if s["bgan"] == "map" and s["lam_map"] > 0:
            total = total + s["lam_map"] * (xf - y).abs().mean()
        if s["lam_id"] > 0:
            total = total + s["lam_id"] * mid.abs().mean()
        if s["lam_map"] > 0:
            total = total + s["lam_map"] * m.abs().mean()
        self.learn("GF", total)
        self.freeze(False)
        if self.ema:
            torch._foreach_lerp_(self.average, [p.detach() for p in self.nets["G"].values()], 1 - self.ema)


def images(sizes, dtype=torch.float32, layout=torch.contiguous_format, device=DEVICE):
    rng = torch.Generator().manual_seed(2)
    shape = (sizes["batch"], 1, sizes["size"], sizes["size"])
    x, y = (torch.randn(shape, generator=rng).to(device, dtype).contiguous(memory_format=layout) for _ in range(2))
    c = torch.zeros(sizes["batch"], sizes["classes"], dtype=dtype)
    for i in range(sizes["batch"]):
        c[i, i % sizes["classes"]] = 1
    return x, y, c.to(device)


def check(words):
    """Gradients of all networks in double precision, after one step that both classes can do."""
    settings, sizes = settings_of(words)
    settings["critic_steps"] = 1
    sizes.update(size=32, width=4, dwidth=4, blocks=min(sizes["blocks"], 1), batch=2)
    weights = draw_weights(settings, sizes)
    x, y, c = images(sizes, torch.float64, device="cpu")
    mixes = torch.tensor([[0.3, 0.8], [0.6, 0.1]], dtype=torch.float64)
    plain = taggan_torch.Step(weights, torch.float64, **settings)
    plain.run(x, y, c, mixes.tolist() if settings.get("adv") == "wgangp" else None)
    fast = Step(weights, torch.contiguous_format, dtype=torch.float64, device="cpu", **settings)
    fast.step(x, y, c, mixes.reshape(2, 2, 1, 1, 1))
    for net, params in fast.nets.items():
        for name, p in params.items():
            want = plain.grads["%s.%s" % (net, name)]
            if not torch.allclose(p.grad, want, rtol=1e-6, atol=1e-9):
                raise ValueError("the gradient of %s.%s is not taggan_torch's" % (net, name))


def make_step(words, layout):
    settings, sizes = settings_of(words)
    step = Step(draw_weights(settings, sizes), layout, sizes["ema"], **settings)
    x, y, c = images(sizes, layout=layout)
    return lambda: step.step(x, y, c)


def make_map(words, layout):
    settings, sizes = settings_of(words)
    step = Step(draw_weights(settings, sizes), layout, **settings)
    x, _, c = images(sizes, layout=layout)

    def run():
        with torch.inference_mode():
            step.map_of(x, c)
    return run


def make_conv(words, layout):
    which = words[0]
    n, c, h, w, k, r, stride, pad = (int(word) for word in words[1:9])
    is_transposed = words[9:] == ["transposed"]
    extra = stride - 1 if is_transposed and r % 2 else 0
    drawn = lambda *shape: torch.randn(*shape, device=DEVICE).contiguous(memory_format=layout)
    x, weights = drawn(n, c, h, w), drawn(*((c, k, r, r) if is_transposed else (k, c, r, r)))

    def forward():
        with torch.inference_mode():
            if is_transposed:
                return F.conv_transpose2d(x, weights, None, stride, pad, extra)
            return F.conv2d(x, weights, None, stride, pad)

    dy = torch.randn_like(forward()).contiguous(memory_format=layout)
    mask = [which == "data", which == "weights", False]

    def backward():
        torch.ops.aten.convolution_backward(dy, x, weights, None, [stride] * 2, [pad] * 2, [1, 1], is_transposed,
                                            [extra] * 2, 1, mask)
    return forward if which == "forward" else backward


def make_norm(words, layout):
    which = words[0]
    n, c, h, w = (int(word) for word in words[1:5])
    x = torch.randn(n, c, h, w, device=DEVICE).contiguous(memory_format=layout)
    both = lambda x: F.pad(F.relu(F.instance_norm(x)), (1, 1, 1, 1), mode="reflect")
    x.requires_grad_(True)  # as in training: what the backward pass needs is kept
    if which == "forward":
        return lambda: both(x)
    y = both(x)
    dy = torch.randn(n, c, h + 2, w + 2, device=DEVICE).contiguous(memory_format=layout)
    return lambda: torch.autograd.grad(y, x, dy, retain_graph=True)


def kib_of(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name))


def finish():
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def run(work, n, n_calls):
    times = []
    for _ in range(n):
        finish()
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(n_calls):
            work()
        finish()
        times.append("%.6f/%.6f" % ((time.perf_counter() - wall) * 1e3 / n_calls, (time.process_time() - cpu) * 1e3 / n_calls))
    return " ".join(times)


def main():
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = "tf32" in sys.argv[2:]
    torch.backends.cudnn.benchmark = True
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    makers = {"step": make_step, "map": make_map, "conv": make_conv, "norm": make_norm}
    first_kib, works, layout = kib_of("VmRSS"), {}, "nchw"
    print("ready PyTorch", torch.__version__, flush=True)
    for line in sys.stdin:
        words = line.split()
        reply = "ready"
        try:
            if words[0] == "layout":
                layout = words[1]
            elif words[0] == "check":
                check(words[1:])
            elif words[0] == "run":
                reply = run(works[layout], int(words[1]), int(words[2]))
            elif words[0] == "memory":
                tensors = torch.cuda.max_memory_allocated() // 1024 if DEVICE.type == "cuda" else 0
                reply = "%d %d %d" % (kib_of("VmHWM"), first_kib, tensors)
            elif words[0] == "free":
                works = {}
            else:
                works[layout] = makers[words[0]](words[1:], LAYOUTS[layout])
        except Exception as error:  # whatever it is, the other side must hear of it
            reply = "error %s: %s" % (type(error).__name__, str(error).replace("\n", " "))
        print(reply, flush=True)


if __name__ == "__main__":
    main()
