"""golden_nets.py -- the networks of doc/networks.md in PyTorch, written from their tables, and what they
compute: make_golden.py calls register(). Weights are drawn in float32, everything is computed in float64.

A file holds one network: "x", "labels", "w.NAME" for its parameters in order, "b.NAME" for its buffers before the pass, and for
every output o "o", "d_o" (its gradient); then "dx" and "g.NAME"; "a.NAME" buffers after the pass. Running statistics of
instance norms do not exist here: StarGAN's are never used."""
import functools

import numpy as np
import torch
from torch import nn

relu, lrelu = nn.ReLU, functools.partial(nn.LeakyReLU, 0.2)


def label_affine(x, c, beta, gamma=None):
    scale = 1 + c @ gamma if gamma is not None else torch.ones(1, x.shape[1], dtype=x.dtype)
    return x * scale[:, :, None, None] + (c @ beta)[:, :, None, None]


class Net(nn.Module):
    n_classes, labels = 0, None

    def planes(self, x):
        if self.labels is None:
            return x
        c = self.labels[:, :, None, None].expand(-1, -1, *x.shape[2:])
        return torch.cat([x, c], 1)


class Add(nn.Module):
    def __init__(self, name, *layers):
        super().__init__()
        self.add_module(name, nn.Sequential(*layers))
        self.name = name

    def forward(self, x):
        return x + getattr(self, self.name)(x)


class ResNet(Net):
    def __init__(self, n_in, width, n_blocks, n_classes=0, cond="none"):
        super().__init__()
        self.n_classes, self.cond = n_classes, cond
        zero = cond == "plane-zero"
        pad = nn.ZeroPad2d if zero else nn.ReflectionPad2d
        first = nn.ZeroPad2d if zero or cond == "plane-zero1" else nn.ReflectionPad2d
        planes = n_classes if cond.startswith("plane") else 0
        layers = [first(3), nn.Conv2d(n_in + planes, width, 7), self.norm(width, cond != "plane-nonorm"), relu()]
        for c in (width, 2 * width):
            layers += [nn.Conv2d(c, 2 * c, 3, 2, 1), self.norm(2 * c), relu()]
        c = 4 * width
        for _ in range(n_blocks):
            layers += [Add("conv_block", pad(1), nn.Conv2d(c, c, 3), self.norm(c), relu(),
                           pad(1), nn.Conv2d(c, c, 3), self.norm(c))]
        for c in (4 * width, 2 * width):
            layers += [nn.ConvTranspose2d(c, c // 2, 3, 2, 1, 1), self.norm(c // 2), relu()]
        layers += [pad(3), nn.Conv2d(width, 1, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def norm(self, c, has_norm=True):
        if not has_norm:
            return nn.Identity()
        if self.cond == "cin":
            return NormThenLabel(self, c)
        return nn.InstanceNorm2d(c)

    def forward(self, x):
        return {"y": self.model(self.planes(x) if self.cond.startswith("plane") else x)}


class NormThenLabel(nn.Module):
    """cin; reads the labels from its network, which it must not own."""

    def __init__(self, net, c):
        super().__init__()
        self.gamma, self.beta = (nn.Parameter(torch.zeros(net.n_classes, c)) for _ in range(2))
        self.norm, self.net = nn.InstanceNorm2d(c), [net]

    def forward(self, x):
        return label_affine(self.norm(x), self.net[0].labels, self.beta, self.gamma)


class UnetLevel(nn.Module):
    """One level around the next, with the entries of pytorch-CycleGAN's UnetSkipConnectionBlock."""

    def __init__(self, c_in, outer, inner, inside):
        super().__init__()
        self.is_outermost = c_in is not None
        down = nn.Conv2d(c_in if self.is_outermost else outer, inner, 4, 2, 1)
        up = nn.ConvTranspose2d(2 * inner if inside else inner, outer, 4, 2, 1)
        if self.is_outermost:
            layers = [down, inside, relu(), up, nn.Tanh()]
        elif inside:
            layers = [lrelu(), down, nn.InstanceNorm2d(inner), inside, relu(), up, nn.InstanceNorm2d(outer)]
        else:
            layers = [lrelu(), down, relu(), up, nn.InstanceNorm2d(outer)]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x) if self.is_outermost else torch.cat([x, self.model(x)], 1)


class Unet(Net):
    def __init__(self, n_in, width, n_downs, n_classes):
        super().__init__()
        self.n_classes = n_classes
        channels = [width * min(2**i, 8) for i in range(n_downs)]
        level = None
        for i in reversed(range(1, n_downs)):
            level = UnetLevel(None, channels[i - 1], channels[i], level)
        self.model = UnetLevel(n_in + n_classes, 1, width, level)

    def forward(self, x):
        return {"y": self.model(self.planes(x))}


class SmallUnet(Net):
    def __init__(self, width, n_classes, cond="bias", norm=False, head="shuffle"):
        super().__init__()
        self.n_classes, self.cond, self.norm, w = n_classes, cond, norm, width
        planes = n_classes if cond.startswith("plane") else 0
        self.channels = [w, 2 * w, 4 * w, 4 * w]
        c_in = 1 + planes
        for i, c in enumerate(self.channels):
            convs = [self.conv(c_in, c, 4, 2, 1, i in (0, 3))]
            convs += [self.conv(c, c, 3, 1, 1, False) for _ in range(1 if i < 2 else 2)]
            self.add_module("down%d" % (i + 1), nn.Sequential(*convs))
            c_in = c
        for i in (2, 1, 0):
            c = self.channels[i]
            self.add_module("up%d" % (i + 1), nn.Sequential(nn.Conv2d(c_in, c, 1), self.conv(c, c, 3, 1, 1, False)))
            c_in = c
        if head == "shuffle":
            self.head, self.last = nn.Sequential(nn.Conv2d(w, 4, 3, 1, 1)), nn.PixelShuffle(2)
        else:
            self.head, self.last = nn.Sequential(nn.Conv2d(w, w // 2, 3, 1, 1), nn.Conv2d(w // 2, 1, 3, 1, 1)), None

    def conv(self, c_in, c, r, stride, pad, has_label):
        conv = nn.Conv2d(c_in, c, r, stride, pad)
        tables = []
        if self.cond == "cin" and (has_label or self.norm):
            tables = ["gamma", "beta"]
        elif self.cond == "bias" and has_label:
            tables = ["beta"]
        for name in tables:
            conv.register_parameter(name, nn.Parameter(torch.zeros(self.n_classes, c)))
        return conv

    def block(self, conv, x):
        x = conv(x)
        if self.norm:
            x = nn.functional.instance_norm(x)
        if hasattr(conv, "beta"):
            x = label_affine(x, self.labels, conv.beta, getattr(conv, "gamma", None))
        return nn.functional.leaky_relu(x, 0.1)

    def forward(self, x):
        x, skips = self.planes(x) if self.cond.startswith("plane") else x, []
        for i in range(4):
            for conv in getattr(self, "down%d" % (i + 1)):
                x = self.block(conv, x)
            skips.append(x)
        for i in (2, 1, 0):
            one, three = getattr(self, "up%d" % (i + 1))
            # Enlarged first, as the table says; ours convolves first, which is the same.
            x = self.block(three, one(nn.functional.interpolate(x, scale_factor=2, mode="nearest")) + skips[i])
        if self.last:
            return {"y": torch.tanh(self.last(self.head(x)))}
        x = nn.functional.leaky_relu(self.head[0](nn.functional.interpolate(x, scale_factor=2, mode="nearest")), 0.1)
        return {"y": torch.tanh(self.head[1](x))}


class PatchGan(Net):
    def __init__(self, width, n_levels=3, n_cls=0, norm=True, pool="lme"):
        super().__init__()
        self.pool, c = pool, width
        layers = [nn.Conv2d(1, c, 4, 2, 1), lrelu()]
        for i in range(1, n_levels + 1):
            out = width * min(2**i, 8)
            layers += [nn.Conv2d(c, out, 4, 2 if i < n_levels else 1, 1),
                       nn.InstanceNorm2d(out) if norm else nn.Identity(), lrelu()]
            c = out
        self.model = nn.Sequential(*layers, nn.Conv2d(c, 1, 4, 1, 1))
        if n_cls:
            self.cls = nn.Conv2d(c, n_cls, 4, 1, 1)

    def forward(self, x):
        features = self.model[:-1](x)
        out = {"score": self.model[-1](features)}
        if hasattr(self, "cls"):
            p = self.cls(features)
            out["cls"] = {"lme": torch.logsumexp(p, (2, 3), True) - np.log(p.shape[2] * p.shape[3]),
                          "max": p.amax((2, 3), True), "mean": p.mean((2, 3), True)}[self.pool]
        return out


class Critic(Net):
    def __init__(self, width, n_cls=0):
        super().__init__()
        c = 1
        for i in range(4):
            self.add_module("down%d" % (i + 1), nn.Conv2d(c, width << i, 4, 2, 1))
            c = width << i
        self.conv, self.score = nn.Conv2d(c, c, 3, 1, 1), nn.Conv2d(c, 1, 3, 1, 1)
        if n_cls:
            self.cls = nn.Linear(c, n_cls)

    def forward(self, x):
        for conv in (self.down1, self.down2, self.down3, self.down4, self.conv):
            x = nn.functional.leaky_relu(conv(x), 0.2)
        out = {"score": self.score(x).mean((1, 2, 3)).reshape(-1, 1, 1, 1)}
        if hasattr(self, "cls"):
            out["cls"] = self.cls(x.mean((2, 3)))[:, :, None, None]
        return out


class StarGanG(Net):
    def __init__(self, width, n_blocks, n_classes):
        super().__init__()
        self.n_classes, w = n_classes, width
        norm = functools.partial(nn.InstanceNorm2d, affine=True)
        layers = [nn.Conv2d(1 + n_classes, w, 7, 1, 3, bias=False), norm(w), relu()]
        for c in (w, 2 * w):
            layers += [nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), norm(2 * c), relu()]
        c = 4 * w
        for _ in range(n_blocks):
            layers += [Add("main", nn.Conv2d(c, c, 3, 1, 1, bias=False), norm(c), relu(),
                           nn.Conv2d(c, c, 3, 1, 1, bias=False), norm(c))]
        for c in (4 * w, 2 * w):
            layers += [nn.ConvTranspose2d(c, c // 2, 4, 2, 1, bias=False), norm(c // 2), relu()]
        self.main = nn.Sequential(*layers, nn.Conv2d(w, 1, 7, 1, 3, bias=False), nn.Tanh())

    def forward(self, x):
        return {"y": self.main(self.planes(x))}


class StarGanD(Net):
    def __init__(self, width, size, n_cls):
        super().__init__()
        layers, c = [], 1
        for i in range(6):
            layers += [nn.Conv2d(c, width << i, 4, 2, 1), nn.LeakyReLU(0.01)]
            c = width << i
        self.main = nn.Sequential(*layers)
        self.conv1, self.conv2 = nn.Conv2d(c, 1, 3, 1, 1, bias=False), nn.Conv2d(c, n_cls, size // 64, bias=False)

    def forward(self, x):
        features = self.main(x)
        return {"score": self.conv1(features), "cls": self.conv2(features)}


def conv_bn_relu(c_in, c):
    return nn.Sequential(nn.Conv2d(c_in, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c, 1e-3, 0.01), relu())


class VaganG(Net):
    def __init__(self, width):
        super().__init__()
        w, c = width, 1
        for i in range(4):
            self.add_module("down%d" % i, nn.Sequential(conv_bn_relu(c, w << i), conv_bn_relu(w << i, w << i)))
            c = w << i
        for i, n in ((2, 2), (1, 2), (0, 1)):
            up = nn.Sequential(nn.ConvTranspose2d(c, w, 4, 2, 1, bias=False), nn.BatchNorm2d(w, 1e-3, 0.01), relu())
            c = w << i
            self.add_module("up%d" % i, nn.Sequential(up, conv_bn_relu(w + c, c), *[conv_bn_relu(c, c) for _ in range(n - 1)]))
        self.last = nn.Conv2d(w, 1, 3, 1, 1)

    def forward(self, x):
        pool, skips = nn.MaxPool2d(2), []
        for i in range(4):
            x = getattr(self, "down%d" % i)(pool(x) if i else x)
            skips.append(x)
        for i in (2, 1, 0):
            up = getattr(self, "up%d" % i)
            x = up[1:](torch.cat([up[0](x), skips[i]], 1))
        return {"y": self.last(x)}


class VaganD(Net):
    def __init__(self, width):
        super().__init__()
        c = 1
        for i, n in enumerate((1, 1, 2, 2, 3)):
            convs = [nn.Conv2d(c if k == 0 else width << i, width << i, 3, 1, 1) for k in range(n)]
            self.add_module("conv%d" % i, nn.Sequential(*convs))
            c = width << i
        self.last = nn.Conv2d(c, 1, 1)

    def forward(self, x):
        for i in range(5):
            x = nn.functional.max_pool2d(x, 2) if i else x
            for conv in getattr(self, "conv%d" % i):
                x = torch.relu(conv(x))
        return {"score": self.last(x).mean((1, 2, 3)).reshape(-1, 1, 1, 1)}


class Classifier(Net):
    def __init__(self, width, n_cls):
        super().__init__()
        c, w = 1, width
        for name, out in (("conv1_1", w), ("conv2_1", 2 * w), ("conv3_1", 4 * w), ("conv3_2", 4 * w), ("conv4_1", 8 * w),
                          ("conv4_2", 8 * w), ("conv5_1", 16 * w), ("conv5_2", 16 * w), ("feature_maps", 16 * w)):
            self.add_module(name, conv_bn_relu(c, out))
            c = out
        self.weight_layer = nn.Linear(c, n_cls, bias=False)

    def forward(self, x):
        pool = nn.MaxPool2d(2)
        x = self.conv2_1(pool(self.conv1_1(x)))
        x = self.conv4_2(self.conv4_1(self.conv3_2(self.conv3_1(pool(x)))))
        x = self.feature_maps(self.conv5_2(self.conv5_1(x)))
        return {"features": x, "cls": self.weight_layer(x.mean((2, 3)))[:, :, None, None]}


def draw(random, *shape):
    return torch.from_numpy(random.standard_normal(shape).astype(np.float32).astype(np.float64))


def four(tensor):
    """Vectors as ours: biases and scales [1,C,1,1], tables and linear weights [K,C,1,1]."""
    return tensor.reshape({1: (1, -1, 1, 1), 2: (*tensor.shape, 1, 1), 4: tensor.shape}[tensor.dim()])


def prepare(net, random):
    """Double precision, seeded weights that keep signals near one, biases and tables that do something."""
    net.double()
    for name, p in net.named_parameters():
        with torch.no_grad():
            if p.dim() == 4 or name in ("cls.weight", "weight_layer.weight"):
                value = draw(random, *p.shape) * (1.4 / np.sqrt(p[0].numel()))
            else:
                value = 0.3 * draw(random, *p.shape) + (1.0 if p.dim() == 1 and name.endswith("weight") else 0.0)
            p.copy_(value.float().double())
    for name, b in net.named_buffers():
        if b.dim():
            b.copy_((draw(random, *b.shape).abs() + 0.5).float().double())


def record(g, net, size, n=2, seed=1, is_training=True):
    random = np.random.RandomState(seed)
    prepare(net, random)
    net.train(is_training)
    buffers = [name for name, b in net.named_buffers() if b.dim()]
    x = draw(random, n, 1, size, size).requires_grad_(True)
    g.put("x", x)
    if net.n_classes:
        c = (random.rand(n, net.n_classes) < 0.5).astype(np.float64)
        c[0, 0] = 1
        net.labels = torch.from_numpy(c)
        g.put("labels", four(net.labels))
    params = dict(net.named_parameters())
    for name, p in params.items():
        g.put("w." + name, four(p))
    for name in buffers:
        g.put("b." + name, four(dict(net.named_buffers())[name]))
    loss = 0
    for name, y in net(x).items():
        dy = draw(random, *y.shape)
        g.put(name, y)
        g.put("d_" + name, dy)
        loss = loss + (y * dy).sum()
    gradients = torch.autograd.grad(loss, [x, *params.values()])
    g.put("dx", gradients[0])
    for name, gradient in zip(params, gradients[1:]):
        g.put("g." + name, four(gradient))
    for name in buffers:
        g.put("a." + name, four(dict(net.named_buffers())[name]))


def penalty(g, net, size, n=3, seed=2):
    """10 mean (|dD/dx| - 1)^2 and its gradients by double backward."""
    random = np.random.RandomState(seed)
    prepare(net, random)
    x = draw(random, n, 1, size, size).requires_grad_(True)
    g.put("x", x)
    params = {name: p for name, p in net.named_parameters() if not name.startswith("cls.")}
    for name, p in net.named_parameters():
        g.put("w." + name, four(p))
    score = net(x)["score"]
    (dx,) = torch.autograd.grad(score.sum(), x, create_graph=True)
    slope = dx.flatten(1).norm(dim=1)
    loss = 10 * ((slope - 1) ** 2).mean()
    g.put("slope", slope.reshape(-1, 1, 1, 1))
    g.put("loss", loss.reshape(1))
    gradients = torch.autograd.grad(loss, list(params.values()), allow_unused=True)
    for name, gradient in zip(params, gradients):
        g.put("g." + name, four(torch.zeros_like(params[name]) if gradient is None else gradient))


def register(golden):
    cases = {
        "net_resnet": lambda g: record(g, ResNet(1, 4, 2, 2, "plane-nonorm"), 16),
        "net_resnet_reflect": lambda g: record(g, ResNet(1, 3, 1, 1, "plane-reflect"), 16),
        "net_resnet_zero": lambda g: record(g, ResNet(1, 3, 1, 2, "plane-zero"), 16),
        "net_resnet_zero1": lambda g: record(g, ResNet(1, 3, 1, 2, "plane-zero1"), 16),
        "net_resnet_cin": lambda g: record(g, ResNet(1, 3, 1, 3, "cin"), 16),
        "net_unet": lambda g: record(g, Unet(1, 2, 5, 1), 32),
        "net_small_unet": lambda g: record(g, SmallUnet(4, 3), 32),
        "net_small_unet_up": lambda g: record(g, SmallUnet(2, 2, "plane-zero", True, "upsample"), 32),
        "net_small_unet_cin": lambda g: record(g, SmallUnet(2, 2, "cin", True), 32),
        "net_patchgan": lambda g: record(g, PatchGan(4, n_cls=2), 32),
        "net_patchgan_plain": lambda g: record(g, PatchGan(3, n_levels=2, n_cls=2, norm=False, pool="max"), 16),
        "net_critic": lambda g: record(g, Critic(4, 4), 32),
        "net_stargan_g": lambda g: record(g, StarGanG(4, 2, 2), 16),
        "net_stargan_d": lambda g: record(g, StarGanD(1, 128, 2), 128, n=1),
        "net_vagan_g": lambda g: record(g, VaganG(4), 16),
        "net_vagan_d": lambda g: record(g, VaganD(2), 32),
        "net_classifier": lambda g: record(g, Classifier(2, 3), 16),
        "net_classifier_eval": lambda g: record(g, Classifier(1, 2), 16, is_training=False),
        "penalty_critic": lambda g: penalty(g, Critic(4, 2), 32),
        "penalty_vagan": lambda g: penalty(g, VaganD(2), 32),
    }
    for name, maker in cases.items():
        golden(name)(maker)
