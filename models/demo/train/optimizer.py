"""Muon for the matrices inside the towers, AdamW for everything else, on flat vectors; and an average of the weights.

Muon (Jordan 2024): the momentum's nearest orthogonal matrix is the step. Scaled by 0.2 sqrt(longer side) it is as
large as AdamW's step, so that both share one learning rate up to a factor.
"""
import math

import torch

MOMENTUM, DECAY, ROUNDS = .95, .05, 5
A, B, C = 3.4445, -4.775, 2.0315          # of the quintic that pulls singular values towards one


def orthogonal(x):
    """[K, r, c] with r <= c, each to about U V'."""
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    x = x.bfloat16()
    for _ in range(ROUNDS):
        s = x @ x.transpose(1, 2)
        x = A * x + torch.baddbmm(s, s, s, beta=B, alpha=C) @ x
    return x.float()


def matrices(name, p):
    """How Muon sees a parameter: (count, rows, columns) of the matrices in it, or None for AdamW."""
    if name.endswith('qkv.weight'):
        return 3, p.shape[0] // 3, p.shape[1]
    if name.endswith(('post.weight', 'up.weight', 'down.weight')):
        return 1, *p.shape
    if name.endswith(('pooler.wk', 'pooler.wv', 'pooler.post_w')):
        return 1, p.shape[0], p[0].numel()
    return None


class Optimizer:
    """Parameters, gradients and state as flat vectors; Muon's part comes first."""

    def __init__(self, module, muon=2.):
        named = sorted(module.named_parameters(), key=lambda x: matrices(*x) is None)
        n = sum(p.numel() for _, p in named)
        self.value, self.grad = torch.empty(n), torch.zeros(n)
        self.m, self.v, self.ema = torch.zeros(n), torch.zeros(n), torch.empty(n)
        self.lr, self.wd, self.muon, self.groups = torch.ones(n), torch.zeros(n), muon, {}
        self.names, at = [], 0
        for name, p in named:
            part = slice(at, at + p.numel())
            self.value[part] = p.data.flatten()
            p.data, p.grad = self.value[part].view_as(p), self.grad[part].view_as(p)
            self.names.append((name, part))
            self.classify(name, p, part)
            at += p.numel()
        self.ema.copy_(self.value)
        self.moved = slice(self.split, n)

    def classify(self, name, p, part):
        shape = matrices(name, p)
        if shape:
            self.split = part.stop
            count, rows, columns = shape
            self.groups.setdefault((min(rows, columns), max(rows, columns)), []).append((part, count, rows > columns, (rows, columns)))
        elif name.startswith('lvt.patch'):
            self.lr[part] = .1
        elif p.dim() > 1 and 'pos' not in name and 'heads' not in name:
            self.wd[part] = DECAY

    def muon_step(self, lr):
        self.m[:self.split].mul_(MOMENTUM).add_(self.grad[:self.split])
        ahead = self.grad[:self.split] + MOMENTUM * self.m[:self.split]
        for (_, longer), members in self.groups.items():
            turned = []
            for part, count, tall, shape in members:
                x = ahead[part].view(count, *shape)
                turned.append(x.transpose(1, 2) if tall else x)
            done, at = orthogonal(torch.cat(turned)), 0
            for part, count, tall, shape in members:
                x = done[at:at + count]
                self.value[part].mul_(1 - lr * DECAY).sub_((x.transpose(1, 2) if tall else x).reshape(-1), alpha=lr * .2 * math.sqrt(longer))
                at += count

    def adam_step(self, lr, count):
        s = self.moved
        grad, m, v = self.grad[s], self.m[s], self.v[s]
        m.lerp_(grad, .1)
        v.mul_(.98).addcmul_(grad, grad, value=.02)
        update = (m / (1 - .9 ** count)).div_((v / (1 - .98 ** count)).sqrt_().add_(1e-8))
        self.value[s].sub_(update.addcmul_(self.wd[s], self.value[s]).mul_(self.lr[s]), alpha=lr)

    def step(self, lr, count, decay=.998):
        norm = float(self.grad.norm())
        if not math.isfinite(norm):
            return norm
        self.grad.mul_(min(1., 1. / (norm + 1e-6)))
        self.muon_step(lr * self.muon)
        self.adam_step(lr, count)
        self.ema.lerp_(self.value, 1 - min(decay, (1 + count) / (10 + count)))
        return norm

    def state(self):
        """By name, so that a model with other heads can take over what it knows."""
        return {k: {name: getattr(self, k)[part].clone() for name, part in self.names} for k in ('value', 'm', 'v', 'ema')}

    def load(self, state):
        for k, tensors in state.items():
            for name, part in self.names:
                if name in tensors and tensors[name].numel() == part.stop - part.start:
                    getattr(self, k)[part] = tensors[name].flatten()
