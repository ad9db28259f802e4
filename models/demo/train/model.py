"""The LvT architecture in PyTorch, small. Written for training on a CPU; export.py writes it in the official layout."""
import dataclasses
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


@dataclasses.dataclass
class Config:
    width: int = 192
    heads: int = 3
    mlp: int = 512
    spatial: int = 4
    temporal: int = 2
    auxiliary: int = 1
    text: int = 3
    frames: int = 8
    grid: int = 7
    patch: int = 18
    vocabulary: int = 2500
    cap: float = 0.        # 50 in the released models; training may leave it out until its last part


def sines(positions, width, low=1., high=20.):
    """Sine positions with periods from high down to low places."""
    k = torch.arange(width // 2) / max(width // 2 - 1, 1)
    omega = 2 * math.pi / (high * (low * 2 / high) ** k)
    angle = positions[:, None].float() * omega
    return torch.cat([angle.sin(), angle.cos()], -1)


def norm(layer, x):
    return F.layer_norm(x, x.shape[-1:], 1 + layer.scale, layer.bias, 1e-6)


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return norm(self, x)


class Block(nn.Module):
    def __init__(self, cfg, mlp, relu=False):
        super().__init__()
        d = cfg.width
        self.heads, self.cap, self.relu = cfg.heads, cfg.cap, relu
        self.ln1, self.ln2 = Norm(d), Norm(d)
        self.qkv, self.post = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, mlp), nn.Linear(mlp, d)
        for linear in (self.qkv, self.post, self.up, self.down):
            nn.init.normal_(linear.weight, std=linear.in_features ** -.5 * (.5 if linear in (self.post, self.down) else 1))
            nn.init.zeros_(linear.bias)

    def attend(self, x, mask):
        b, n, d = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        logits = (q @ k.transpose(-1, -2)) * (d // self.heads) ** -.5
        if self.cap:
            logits = self.cap * torch.tanh(logits / self.cap)
        if mask is not None:
            logits = logits + mask
        return self.post((torch.softmax(logits, -1, dtype=logits.dtype) @ v).transpose(1, 2).reshape(b, n, d))

    def forward(self, x, mask=None):
        x = x + (self.post(self.qkv(self.ln1(x))[..., 2 * x.shape[-1]:]) if x.shape[1] == 1 else self.attend(self.ln1(x), mask))
        h = self.up(self.ln2(x))
        return x + self.down(F.relu(h) if self.relu else F.gelu(h))


class Pooler(nn.Module):
    """One constant query: it is folded into the keys, and values are formed after pooling."""

    def __init__(self, cfg):
        super().__init__()
        d, self.heads = cfg.width, cfg.heads
        self.dim = 4 * d // self.heads
        self.query = nn.Parameter(torch.randn(1, d) * d ** -.5)
        make = lambda *s: nn.Parameter(torch.randn(*s) * d ** -.5)
        self.wq, self.wk, self.wv = make(d, self.heads, self.dim), make(d, self.heads, self.dim), make(d, self.heads, self.dim)
        self.bq, self.bk, self.bv = (nn.Parameter(torch.zeros(self.heads, self.dim)) for _ in range(3))
        self.per_dim = nn.Parameter(torch.zeros(self.dim))
        self.post_w = nn.Parameter(torch.randn(d, self.heads, self.dim) * (4 * d) ** -.5)
        self.post_b = nn.Parameter(torch.zeros(d))
        self.ln = Norm(d)

    def forward(self, x):
        q = torch.einsum('d,dnh->nh', self.query[0], self.wq) + self.bq
        q = q * F.softplus(self.per_dim) * (1.442695041 / self.dim ** .5)
        key = torch.einsum('dnh,nh->dn', self.wk, q)
        logits = x @ key + (self.bk * q).sum(-1)
        pooled = torch.softmax(logits.float(), 1).transpose(1, 2).to(x.dtype) @ x        # [B, N, D]
        value = torch.einsum('bnd,dnh->bnh', pooled, self.wv) + self.bv
        return self.ln(torch.einsum('bnh,dnh->bd', value, self.post_w) + self.post_b)


def unit(x):
    x = x.float()
    return x / torch.sqrt((x * x).sum(-1, keepdim=True) + 1e-12)


class LvT(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg, d = cfg, cfg.width
        self.patch = nn.Linear(cfg.patch ** 2 * 3, d)
        nn.init.normal_(self.patch.weight, std=.01)
        nn.init.zeros_(self.patch.bias)
        rows, cols = torch.meshgrid(torch.arange(cfg.grid), torch.arange(cfg.grid), indexing='ij')
        places = torch.cat([sines(rows.flatten(), d // 2), sines(cols.flatten(), d // 2)], -1)
        self.spatial_pos = nn.Parameter(.5 * places)
        self.temporal_pos = nn.Parameter(.5 * sines(torch.arange(cfg.frames), d))
        self.spatial = nn.ModuleList(Block(cfg, cfg.mlp) for _ in range(cfg.spatial))
        self.temporal = nn.ModuleList(Block(cfg, cfg.mlp) for _ in range(cfg.temporal))
        self.auxiliary = nn.ModuleList(Block(cfg, cfg.mlp) for _ in range(cfg.auxiliary))
        self.spatial_ln, self.temporal_ln = Norm(d), Norm(d)
        self.pooler = Pooler(cfg)
        self.token = nn.Parameter(torch.randn(cfg.vocabulary, d) * d ** -.5)
        self.cls = nn.Parameter(torch.randn(1, 1, d) * d ** -.5)
        self.text = nn.ModuleList(Block(cfg, 4 * d, relu=True) for _ in range(cfg.text))
        self.text_ln = Norm(d)

    def set_cap(self, cap):
        for m in self.modules():
            if isinstance(m, Block):
                m.cap = cap

    def patches(self, frames):
        """uint8 [B, T, S, S, 3] or patches [B, T, N, P*P*3] -> [B*T, N, P*P*3], scaled as training likes it (undone at export)."""
        b, t, p = *frames.shape[:2], self.cfg.patch
        if frames.dim() == 5:
            g = frames.shape[2] // p
            frames = frames.view(b, t, g, p, g, p, 3).permute(0, 1, 2, 4, 3, 5, 6).reshape(b, t, g * g, -1)
        x = frames.view(b * t, *frames.shape[2:])
        return x.to(torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32).sub_(128).div_(64)

    def video(self, frames, times=None, kept=None):
        """times: which rows of the temporal positions the frames take; kept [B, K]: which patches these are. All by default."""
        b, t = frames.shape[:2]
        x, pos = self.patches(frames), self.spatial_pos
        if kept is not None:
            pos = pos[kept.repeat_interleave(t, 0)]
        x = self.patch(x).float()
        self.patch_rms = float(x.detach().pow(2).mean().sqrt())
        x = x + pos
        for block in self.spatial:
            x = block(x)
        x = self.spatial_ln(x)
        self.seen = x                                # for the training's heads on single patches
        n, d = x.shape[1:]
        x = x.view(b, t, n, d).transpose(1, 2)
        x = (x + (self.temporal_pos if times is None else self.temporal_pos[times])).reshape(b * n, t, d)
        for block in self.temporal:
            x = block(x)
        x = self.temporal_ln(x).view(b, n, t, d).transpose(1, 2).reshape(b, t * n, d)
        for block in self.auxiliary:
            x = block(x)
        self.understood = x
        return unit(self.pooler(x))

    def words(self, ids):
        """int64 [B, L] padded with 0 at the end."""
        b, n = ids.shape
        d = self.cfg.width
        x = self.token[ids] * d ** .5 + sinusoid(n, d)
        x = torch.cat([x, self.cls.expand(b, 1, d) * d ** .5], 1)
        hidden = torch.cat([ids == 0, ids.new_zeros(b, 1, dtype=torch.bool)], 1)
        mask = torch.ones(n + 1, n + 1, dtype=torch.bool).triu(1)[None] | hidden[:, None]
        mask = torch.zeros(b, 1, n + 1, n + 1).masked_fill_(mask[:, None], -1e4)
        for block in self.text:
            x = block(x, mask.to(torch.bfloat16) if torch.is_autocast_enabled('cpu') else mask)
        return unit(self.text_ln(x[:, -1]))

    def sentences(self, ids):
        """words() of a numpy [B, L], in two parts by length: less padding."""
        order = np.argsort((ids != 0).sum(1), kind='stable')
        done = []
        for rows in np.array_split(order, 2):
            longest = int((ids[rows] != 0).sum(1).max())
            done.append(self.words(torch.from_numpy(ids[rows, :-(-longest // 4) * 4])))
        return torch.cat(done)[torch.from_numpy(np.argsort(order))]


def sinusoid(n, d):
    k = d // 2
    inverse = torch.exp(torch.arange(k) * -(math.log(10000.) / max(k - 1, 1)))
    angle = torch.arange(n)[:, None] * inverse
    return torch.cat([angle.sin(), angle.cos()], -1)
