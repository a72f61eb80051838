"""Learning to simulate: particles joined by springs, whose accelerations an interaction network learns from watching.

    python examples/springs.py [picture.png]

Systems of six particles with their own masses, springs, stiffnesses and rest lengths are simulated by the leapfrog
rule. The network of Battaglia et al. 2016 learns accelerations from positions; it then takes the place of the law of
force in the same rule, on systems that it has never seen. All numbers are without units.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib
import torch
from torch import Tensor

import grapevine as gv
from grapevine.nn.conv.interaction import InteractionConv
from grapevine.ops.segment import segment_reduce

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PARTICLES, STEP, STEPS = 6, 0.02, 250  # in a system, of time, and how many of them
# Of what the network sees of a spring: the way along it (two numbers), its length, its stiffness, its length at rest.
MIDDLE, SPREAD = torch.tensor([0.0, 0.0, 1.2, 5.0, 1.2]), torch.tensor([0.8, 0.8, 0.4, 1.7, 0.4])
Law = Callable[[Tensor], Tensor]  # from positions to accelerations, both [n, 2]


def system(generator: torch.Generator) -> gv.Graph:
    """A ring of particles with two more springs across it, somewhat out of rest."""

    def between(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator)

    ring = torch.arange(PARTICLES)
    skip = torch.randperm(PARTICLES, generator=generator)[:2]
    ends = torch.stack([torch.cat([ring, skip]), torch.cat([ring + 1, skip + 2]) % PARTICLES])
    angle = ring / PARTICLES * 2 * torch.pi
    rest = torch.stack([angle.cos(), angle.sin()], 1) + between(-0.2, 0.2, PARTICLES, 2)
    length = (rest[ends[0]] - rest[ends[1]]).norm(dim=1)
    spring = torch.stack([between(2.0, 8.0, ends.shape[1]), length], 1)
    return gv.Graph(
        torch.cat([ends, ends.flip(0)], 1),
        num_nodes=PARTICLES,
        node={
            "mass": between(0.5, 2.0, PARTICLES, 1),
            "position": rest + between(-0.2, 0.2, PARTICLES, 2),
            "velocity": between(-0.5, 0.5, PARTICLES, 2),
        },
        edge={"spring": torch.cat([spring, spring])},
    )


def apart(graph: gv.Graph, position: Tensor) -> Tensor:
    """[e, 2] how to go from the particle that hears to the one that speaks."""
    return position[graph.adj.src] - position[graph.adj.dst]


def hooke(graph: gv.Graph) -> Law:
    """The truth: a spring pulls by its stiffness times how much longer it is than at rest."""
    stiffness, rest = graph.spring.split(1, dim=1)

    def accelerations(position: Tensor) -> Tensor:
        way = apart(graph, position)
        length = way.norm(dim=1, keepdim=True)
        pull = stiffness * (length - rest) * way / length
        return segment_reduce(graph.adj.pattern, pull, reduce="sum") / graph.mass

    return accelerations


def learnt(network: InteractionConv, graph: gv.Graph) -> Law:
    """What the network says; it sees where neighbours are from here, and so the same wherever the system stands."""

    def accelerations(position: Tensor) -> Tensor:
        way = apart(graph, position)
        features = torch.cat([way, way.norm(dim=1, keepdim=True), graph.spring], 1)
        return network(graph.mass, graph, (features - MIDDLE) / SPREAD)

    return accelerations


def leapfrog(law: Law, graph: gv.Graph) -> Tensor:
    """[time, n, 2] the positions: half a step of velocity, one of position, half a step of velocity."""
    position, velocity = graph.position, graph.velocity
    acceleration, path = law(position), [position]
    for _ in range(STEPS):
        velocity = velocity + 0.5 * STEP * acceleration
        position = position + STEP * velocity
        acceleration = law(position)
        velocity = velocity + 0.5 * STEP * acceleration
        path.append(position)
    return torch.stack(path)


def train(graph: gv.Graph, updates: int = 1500) -> InteractionConv:
    """A network that gives the accelerations at all times of all systems."""
    network = InteractionConv(
        1, 2, 5, relation_channels=(64, 64), effect_channels=32, object_channels=(64,), activation="silu"
    )
    law, truth = learnt(network, graph), hooke(graph)
    with torch.no_grad():
        path = leapfrog(truth, graph)
        wanted = torch.stack([truth(position) for position in path])
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2e-2, total_steps=updates)
    for _ in range(updates):
        time = int(torch.randint(len(path), ()))
        optimizer.zero_grad()
        loss = (law(path[time]) - wanted[time]).square().mean()
        loss.backward()
        optimizer.step()
        schedule.step()
    print(f"accelerations: of size {wanted.square().mean().sqrt():.2f}, off by {loss.sqrt():.3f}")
    return network


def draw(true: Tensor, predicted: Tensor, path: Path) -> None:
    """The ways of the particles of three systems, true and predicted."""
    figure, panels = plt.subplots(1, 3, figsize=(13.5, 4.6), constrained_layout=True)
    for k, panel in enumerate(panels):
        for i in range(k * PARTICLES, (k + 1) * PARTICLES):
            color = f"C{i % PARTICLES}"
            panel.plot(*true[:, i].T, color=color, lw=4, alpha=0.3)
            panel.plot(*predicted[:, i].T, color=color, lw=1.2)
            panel.plot(*true[0, i], "o", color=color)
        panel.set_aspect("equal")
        panel.set_title(f"a system it has not seen, {STEPS} steps")
    panels[0].plot([], [], color="0.5", lw=4, alpha=0.4, label="true")
    panels[0].plot([], [], color="0.3", lw=1.2, label="predicted")
    panels[0].legend()
    figure.savefig(path, dpi=110)


def main(path: Path) -> None:
    """Watch, learn, predict."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    watched, unseen = (gv.Graph.batch([system(generator) for _ in range(count)]) for count in (60, 30))
    network = train(watched)
    with torch.no_grad():
        true, predicted = leapfrog(hooke(unseen), unseen), leapfrog(learnt(network, unseen), unseen)
    times = STEP * torch.arange(STEPS + 1).view(-1, 1, 1)
    straight = unseen.position + times * unseen.velocity
    for steps in (STEPS // 5, STEPS):
        off, baseline = ((there[steps] - true[steps]).norm(dim=1).mean() for there in (predicted, straight))
        print(f"after {steps} steps: off by {off:.3f}, at constant velocity by {baseline:.3f}")
    draw(true, predicted, path)
    print(f"drawn to {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "springs.png"))
