#!/usr/bin/env python3
"""taggan_torch.py -- TagGAN's training step a second time, in PyTorch: what ours is compared with.

Written from the equations alone (networks: CycleGAN's ResNet generator and PatchGAN; order and losses: Algorithm 1), sharing
nothing with the C sources. Parameters are dictionaries with PyTorch's names; the networks are functions of them.
Needs torch; written with PyTorch 1.13.
"""
import torch
import torch.nn.functional as F

DEFAULTS = {
    "adv": "bce", "bgan": "image", "cond": "plane-reflect", "cls_pool": "lme", "cls": "multi", "order": "dg", "dd_fake": "xf",
    "map": "tanh", "compose": "sub", "map_scale": 1.0, "lam_cyc": 10.0, "lam_cls": 1.0, "lam_id": 5.0, "lam_map": 0.0,
    "lam_tv": 0.0, "lr": 2e-4, "beta1": 0.5, "beta2": 0.999, "net": "resnet", "netd": "patchgan", "lam_gp": 10.0,
    "critic_steps": 1,
}


def generator(p, image, c, n_blocks, cond, last="tanh"):
    """image [m,1,H,W], c [m,C] -> [m,1,H,W]. last: tanh, relu, or none."""
    m, _, h, w = image.shape
    planes = c.reshape(m, -1, 1, 1).expand(m, c.shape[1], h, w)
    zero_all, zero_first = cond == "plane-zero", cond in ("plane-zero", "plane-zero1")

    def conv(x, name, pad, zero, **more):
        if pad and not zero:
            x, pad = F.pad(x, (pad,) * 4, mode="reflect"), 0
        return F.conv2d(x, p[name + ".weight"], p[name + ".bias"], padding=pad, **more)

    y = conv(torch.cat((image, planes), 1), "model.1", 3, zero_first)
    y = F.relu(y if cond == "plane-nonorm" else F.instance_norm(y))
    for name in ("model.4", "model.7"):
        y = F.relu(F.instance_norm(conv(y, name, 1, True, stride=2)))
    for i in range(10, 10 + n_blocks):
        name = "model.%d.conv_block" % i
        r = F.relu(F.instance_norm(conv(y, name + ".1", 1, zero_all)))
        y = y + F.instance_norm(conv(r, name + ".5", 1, zero_all))
    for i in (10 + n_blocks, 13 + n_blocks):
        name = "model.%d" % i
        y = F.conv_transpose2d(y, p[name + ".weight"], p[name + ".bias"], stride=2, padding=1, output_padding=1)
        y = F.relu(F.instance_norm(y))
    y = conv(y, "model.%d" % (17 + n_blocks), 3, zero_all)
    return {"tanh": torch.tanh, "relu": F.relu, "none": lambda x: x}[last](y)


def generator_shapes(width, n_blocks, n_classes):
    w, b = width, n_blocks
    shapes = {"model.1": (w, 1 + n_classes, 7, 7), "model.4": (2 * w, w, 3, 3), "model.7": (4 * w, 2 * w, 3, 3)}
    for i in range(10, 10 + b):
        shapes["model.%d.conv_block.1" % i] = shapes["model.%d.conv_block.5" % i] = (4 * w, 4 * w, 3, 3)
    shapes["model.%d" % (10 + b)] = (4 * w, 2 * w, 3, 3)  # transposed: input channels first
    shapes["model.%d" % (13 + b)] = (2 * w, w, 3, 3)
    shapes["model.%d" % (17 + b)] = (1, w, 7, 7)
    transposed = {"model.%d" % (10 + b), "model.%d" % (13 + b)}
    return shapes, transposed


def discriminator(p, x):
    """x [m,1,H,W] -> logits [m,1,H/8-2,W/8-2], patch logits of the labels [m,C,...] or None."""
    x = F.leaky_relu(F.conv2d(x, p["model.0.weight"], p["model.0.bias"], stride=2, padding=1), 0.2)
    for name, stride in (("model.2", 2), ("model.5", 2), ("model.8", 1)):
        x = F.conv2d(x, p[name + ".weight"], p[name + ".bias"], stride=stride, padding=1)
        x = F.leaky_relu(F.instance_norm(x), 0.2)
    cls = F.conv2d(x, p["cls.weight"], p["cls.bias"], padding=1) if "cls.weight" in p else None
    return F.conv2d(x, p["model.11.weight"], p["model.11.bias"], padding=1), cls


def discriminator_shapes(width, n_cls):
    w = width
    shapes = {"model.0": (w, 1, 4, 4), "model.2": (2 * w, w, 4, 4), "model.5": (4 * w, 2 * w, 4, 4),
              "model.8": (8 * w, 4 * w, 4, 4), "model.11": (1, 8 * w, 4, 4)}
    if n_cls:
        shapes["cls"] = (n_cls, 8 * w, 4, 4)
    return shapes


def small_unet(p, image, c, last="tanh"):
    """doc/networks.md 8: four halvings, the label as a shift behind the first convolution and the bottleneck's."""
    lrelu = lambda x: F.leaky_relu(x, 0.1)
    conv = lambda x, name, **more: F.conv2d(x, p[name + ".weight"], p[name + ".bias"], **more)
    shift = lambda name: (c @ p[name + ".beta"]).reshape(c.shape[0], -1, 1, 1)
    x, kept = image, {}
    for level in (1, 2, 3, 4):
        name = "down%d" % level
        x = conv(x, name + ".0", stride=2, padding=1)
        x = lrelu(x + shift(name + ".0") if level in (1, 4) else x)
        for i in ((1,) if level < 3 else (1, 2)):
            x = lrelu(conv(x, "%s.%d" % (name, i), padding=1))
        kept[level] = x
    for level in (3, 2, 1):
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = conv(x, "up%d.0" % level) + kept[level]
        x = lrelu(conv(x, "up%d.1" % level, padding=1))
    x = lrelu(conv(F.interpolate(x, scale_factor=2, mode="nearest"), "head.0", padding=1))
    x = conv(x, "head.1", padding=1)
    return torch.tanh(x) if last == "tanh" else x


def small_unet_shapes(w, n_classes):
    n = {1: w, 2: 2 * w, 3: 4 * w, 4: 4 * w}
    shapes, before = {}, 1
    for level in (1, 2, 3, 4):
        shapes["down%d.0" % level] = (n[level], before, 4, 4)
        for i in ((1,) if level < 3 else (1, 2)):
            shapes["down%d.%d" % (level, i)] = (n[level], n[level], 3, 3)
        before = n[level]
    for level in (3, 2, 1):
        shapes["up%d.0" % level] = (n[level], n[level + 1], 1, 1)
        shapes["up%d.1" % level] = (n[level], n[level], 3, 3)
    shapes["head.0"], shapes["head.1"] = (w // 2, w, 3, 3), (1, w // 2, 3, 3)
    return shapes, {"down1.0.beta": (n_classes, w), "down4.0.beta": (n_classes, 4 * w)}


def critic(p, x):
    """-> scores [m,1,1,1], label logits [m,C] or None."""
    lrelu = lambda x: F.leaky_relu(x, 0.2)
    conv = lambda x, name, **more: F.conv2d(x, p[name + ".weight"], p[name + ".bias"], padding=1, **more)
    for i in (1, 2, 3, 4):
        x = lrelu(conv(x, "down%d" % i, stride=2))
    x = lrelu(conv(x, "conv"))
    cls = F.linear(x.mean((2, 3)), p["cls.weight"].flatten(1), p["cls.bias"]) if "cls.weight" in p else None
    return conv(x, "score").mean((1, 2, 3)), cls


def critic_shapes(w, n_cls):
    shapes = {"down1": (w, 1, 4, 4), "down2": (2 * w, w, 4, 4), "down3": (4 * w, 2 * w, 4, 4), "down4": (8 * w, 4 * w, 4, 4),
              "conv": (8 * w, 8 * w, 3, 3), "score": (1, 8 * w, 3, 3)}
    if n_cls:
        shapes["cls"] = (n_cls, 8 * w, 1, 1)
    return shapes


def pooled(p, how):
    """Patch logits [m,C,h,w] -> [m,C]; a critic's are pooled."""
    if p.dim() == 2:
        return p
    flat = p.flatten(2)
    if how == "lme":
        return torch.logsumexp(flat, 2) - torch.log(torch.tensor(float(flat.shape[2]), dtype=p.dtype))
    return flat.max(2)[0] if how == "max" else flat.mean(2)


def adversarial(z, is_real, kind, for_generator=False):
    if kind == "bce" or (kind == "saturating" and not for_generator):
        return F.softplus(-z).mean() if is_real else F.softplus(z).mean()
    if kind == "saturating":
        return -F.softplus(z).mean()
    if kind == "lsgan":
        return ((z - (1.0 if is_real else 0.0)) ** 2).mean()
    if kind == "wgangp":
        return -z.mean() if is_real else z.mean()
    raise ValueError(kind)


def label_loss(l, c):
    return (F.softplus(l) - c * l).sum(1).mean()


class Step:
    """Weights {"G": {...}, "F": ..., "DN": ..., "DD": ...} (numpy) and settings; run() does one iteration of Algorithm 1."""

    def __init__(self, weights, dtype=torch.float32, **settings):
        self.s = dict(DEFAULTS, **settings)
        self.dtype = dtype
        self.nets = {net: {name: torch.tensor(w, dtype=dtype, requires_grad=True) for name, w in params.items()}
                     for net, params in weights.items()}
        self.n_blocks = len([n for n in weights["G"] if n.endswith("conv_block.1.weight")])
        adam = lambda *nets: torch.optim.Adam([w for net in nets for w in self.nets[net].values()], lr=self.s["lr"],
                                              betas=(self.s["beta1"], self.s["beta2"]), eps=1e-8)
        self.opt = {"DN": adam("DN"), "DD": adam("DD"), "GF": adam("G", "F")}
        self.grads = {}

    def gen(self, net, image, c, last):
        if self.s["net"] == "small_unet":
            return small_unet(self.nets[net], image, c, last)
        return generator(self.nets[net], image, c, self.n_blocks, self.s["cond"], last)

    def map_of(self, image, c):
        """(healthy estimate, map)"""
        s = self.s
        if s["compose"] == "sub-tanh":
            healthy = torch.tanh(image - s["map_scale"] * self.gen("G", image, c, "none"))
            return healthy, image - healthy
        m = s["map_scale"] * self.gen("G", image, c, s["map"])
        healthy = image - m
        return (torch.clamp(healthy, -1, 1) if s["compose"] == "sub-clamp" else healthy), m

    def disease(self, image, c):
        out = self.gen("F", image, c, "tanh")
        return image + self.s["map_scale"] * out if self.s["bgan"] == "map" else out

    def update(self, opt, loss):
        nets = {"DN": ["DN"], "DD": ["DD"], "GF": ["G", "F"]}[opt]
        names = [(net, name) for net in nets for name in self.nets[net]]
        grads = torch.autograd.grad(loss, [self.nets[net][name] for net, name in names])
        for (net, name), g in zip(names, grads):
            self.nets[net][name].grad = g
            self.grads["%s.%s" % (net, name)] = g.clone()
        self.opt[opt].step()

    def penalty(self, judge, real, fake, mix):
        """mean (|g| - 1)^2, g the gradient of the score at mix * real + (1 - mix) * fake; a factor a sample, by double backward."""
        between = (mix * real + (1 - mix) * fake).detach().requires_grad_(True)
        g = torch.autograd.grad(judge(between).sum(), between, create_graph=True)[0]
        return ((g.flatten(1).norm(dim=1) - 1) ** 2).mean()

    def run(self, x, y, c, mixes=None):
        """One iteration on x [m,1,H,W] diseased, y healthy, c [m,C]; returns its losses, unweighted terms by name.
        mixes [2 * critic_steps, m]: the factors of the gradient penalty, for DN, for DD, and so on."""
        s, loss = self.s, {}
        judge = critic if s["netd"] == "critic" else discriminator
        half = 1.0 if s["adv"] == "wgangp" else 0.5
        dn = lambda image: judge(self.nets["DN"], image)[0]
        dd = lambda image: judge(self.nets["DD"], image)
        x, y, c = (torch.as_tensor(t, dtype=self.dtype) for t in (x, y, c))
        none = torch.zeros_like(c)

        xh, M = self.map_of(x, c)
        xf = self.disease(y, c)
        xr = self.disease(xh, c)
        yr, My = self.map_of(xf, c)
        mid = self.map_of(y, c)[1]
        self.seen = {"M": M, "xh": xh, "xf": xf, "xr": xr, "My": My, "yr": yr, "Mid": mid}

        fakes = {"xf": [xf], "xr": [xr], "both": [xf, xr]}[s["dd_fake"]]  # both: each counts half

        def critics(k):
            mix = [torch.as_tensor(t, dtype=self.dtype).reshape(-1, 1, 1, 1) for t in (mixes or [])[2 * k:2 * k + 2]]
            loss["d_normal"] = half * (adversarial(dn(y), True, s["adv"]) + adversarial(dn(xh.detach()), False, s["adv"]))
            if mix:
                loss["penalty_normal"] = self.penalty(dn, y, xh, mix[0])
            self.update("DN", loss["d_normal"] + (s["lam_gp"] * loss["penalty_normal"] if mix else 0))
            real, real_cls = dd(x)
            _, y_cls = dd(y)
            fake = sum(adversarial(dd(image.detach())[0], False, s["adv"]) for image in fakes) / len(fakes)
            loss["d_disease"] = half * (adversarial(real, True, s["adv"]) + fake)
            loss["d_cls"] = 0.5 * (label_loss(pooled(real_cls, s["cls_pool"]), c) +
                                   label_loss(pooled(y_cls, s["cls_pool"]), none))
            if mix:
                loss["penalty_disease"] = self.penalty(lambda image: dd(image)[0], x, xf, mix[1])
            self.update("DD", loss["d_disease"] + s["lam_cls"] * loss["d_cls"] +
                        (s["lam_gp"] * loss["penalty_disease"] if mix else 0))

        def generators():
            fool = lambda z: adversarial(z, s["adv"] != "saturating", s["adv"], True)
            xh_cls, xf_cls = dd(xh)[1], dd(xf)[1]
            loss["g_normal"] = fool(dn(xh))
            loss["g_disease"] = fool(dd(xf)[0])  # whatever dd_fake says: L_G has DD(xf)
            loss["cycle_x"] = (xr - x).abs().mean()
            loss["cycle_y"] = (yr - y).abs().mean()
            loss["g_cls"] = 0.5 * (label_loss(pooled(xh_cls, s["cls_pool"]), none) +
                                   label_loss(pooled(xf_cls, s["cls_pool"]), c))
            loss["identity"] = mid.abs().mean()
            loss["map"] = M.abs().mean()
            loss["tv"] = (M[:, :, 1:] - M[:, :, :-1]).abs().mean() + (M[..., 1:] - M[..., :-1]).abs().mean()
            total = loss["g_normal"] + loss["g_disease"] + s["lam_cyc"] * (loss["cycle_x"] + loss["cycle_y"])
            total = total + s["lam_cls"] * loss["g_cls"]
            if s["bgan"] == "map":  # doc/networks.md 8: sparsity of both maps
                total = total + s["lam_map"] * (xf - y).abs().mean()
            for weight, term in (("lam_id", "identity"), ("lam_map", "map"), ("lam_tv", "tv")):
                if s[weight] > 0:
                    total = total + s[weight] * loss[term]
            loss["g"] = total
            self.update("GF", total)

        if s["order"] == "gd":
            generators()
        for k in range(s["critic_steps"]):  # on the same images: these were made before any update
            critics(k)
        if s["order"] == "dg":
            generators()
        return {name: float(value.detach()) for name, value in loss.items()}

    def weights(self):
        return {"%s.%s" % (net, name): w.detach().numpy().copy() for net, params in self.nets.items() for name, w in params.items()}
