"""A training step of the same network in PyTorch, on one core: every unit at every event, leak 0.001,
tau and s learned; forward, backward and Adam. Prints CPU milliseconds of each step as JSON.

Usage: pytorch_training_step.py UNITS EVENTS SEQUENCES CLASSES ROUNDS
"""

import json
import math
import sys
import time

import torch

units, events, sequences, classes, rounds = map(int, sys.argv[1:6])
leak, open_ratio, warm_up_rounds = 0.001, 0.05, 3
torch.set_num_threads(1)
torch.manual_seed(1)

times = torch.cumsum(2 * torch.rand(events, sequences, 1), 0)
inputs = 2 * torch.rand(events, sequences, 1) - 1
labels = torch.arange(sequences) % classes


def parameter(values):
    return torch.nn.Parameter(values)


weights = parameter(0.1 * torch.randn(1 + units, 4 * units))
bias = parameter(torch.zeros(4 * units))
ci, cf, co = (parameter(0.1 * torch.randn(units)) for _ in range(3))
log_period = parameter(torch.linspace(math.log(33), math.log(55), units))
shift = parameter(torch.linspace(0, 1, units))
readout = torch.nn.Linear(units, classes)
parameters = [weights, bias, ci, cf, co, log_period, shift, *readout.parameters()]
optimizer = torch.optim.Adam(parameters, lr=1e-4)


def loss_of():
    cycles = times / log_period.exp() - shift
    phase = cycles - cycles.detach().floor()
    ramp = torch.relu(1 - (phase * (2 / open_ratio) - 1).abs())
    openness = ramp + leak * phase * (phase > open_ratio)
    driven = inputs * weights[0] + bias
    recurrent = weights[1:]
    h = torch.zeros(sequences, units)
    c = torch.zeros(sequences, units)
    for j in range(events):
        k = openness[j]
        zi, zf, zg, zo = torch.addmm(driven[j], h, recurrent).chunk(4, 1)
        i = torch.sigmoid(zi + ci * c)
        f = torch.sigmoid(zf + cf * c)
        new_c = f * c + i * torch.tanh(zg)
        o = torch.sigmoid(zo + co * new_c)
        h = k * (o * torch.tanh(new_c)) + (1 - k) * h
        c = k * new_c + (1 - k) * c
    return torch.nn.functional.cross_entropy(readout(h), labels)


milliseconds = []
for _ in range(warm_up_rounds + rounds):
    start = time.process_time()
    optimizer.zero_grad()
    loss_of().backward()
    optimizer.step()
    milliseconds.append(1000 * (time.process_time() - start))
print(json.dumps(milliseconds[warm_up_rounds:]))
