"""The networks of the library and of its papers: numbers, products, seconds, and how well they paint.

    python benchmarks/network_table.py --output benchmarks/results

Numbers are those that are trained. Products are multiplications and additions for a pixel of a content, its
style bound; a convolution that a network sees through counts like any other. Seconds are those of a picture
of 512 x 512 pixels, medians by turns in one process, with random weights, which do not matter for them.
LPIPS, style and noise are means of the held-out pairs that `networks.py` judged at 256 pixels; nothing stands
there if the network has not been trained.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import torch
from network_speed import seconds
from records import Line, append, machine, read, table
from torch.utils.flop_counter import FlopCounterMode

from pystyle import papers
from pystyle.networks import AnyStyleNetwork, Painter, Stylizer, TransformNetwork

_EDGE = 512
_QUALITY = ("lpips", "style", "noise")
_NAMES = [str(number) for number in range(16)]

NETWORKS: dict[str, Callable[[], Stylizer]] = {
    "any-style": lambda: AnyStyleNetwork(width=32),
    "any-style-light": lambda: AnyStyleNetwork(width=16, features="light"),
    "masters": lambda: TransformNetwork(styles=_NAMES, width=16),
    "johnson_2016": papers.johnson_2016.network,
    "ulyanov_2016": lambda: papers.ulyanov_2016.network(mode="style"),
    "ulyanov_2017": papers.ulyanov_2017.network,
    "dumoulin_2017, 16 styles": lambda: papers.dumoulin_2017.network(styles=_NAMES),
    "dumoulin_2017, width 16": lambda: papers.dumoulin_2017.network(styles=_NAMES, width=16),
    "huang_2017": papers.huang_2017.network,
    "huang_2017, relu3_1": lambda: papers.huang_2017.network(layer="relu3_1"),
    "li_fang_2017": papers.li_fang_2017.network,
    "li_fang_2017, relu3_1": lambda: papers.li_fang_2017.network(levels=(3, 2, 1)),
    "ghiasi_2017": lambda: papers.ghiasi_2017.network(weights=None),
    "park_lee_2019": papers.park_lee_2019.network,
    "park_lee_2019, relu3_1": lambda: papers.park_lee_2019.network(layers=("relu3_1", "relu3_4")),
    "yoo_2019": papers.yoo_2019.network,
    "liu_2021": papers.liu_2021.network,
    "deng_2022": papers.deng_2022.network,
    "wang_2023": papers.wang_2023.network,
}


def bound(network: Stylizer) -> Painter:
    """The network with a style, of 256 pixels if it is an image."""
    style = network.styles[0] if network.styles else torch.rand(1, 3, 256, 256)
    return network.eval().requires_grad_(False).bind(style)


def kilo_products(paint: Painter) -> float:
    """Thousands of products for a pixel of a content."""
    with FlopCounterMode(display=False) as counter:
        paint(torch.rand(1, 3, _EDGE, _EDGE))
    return counter.get_total_flops() / 2 / _EDGE**2 / 1000


def quality(name: str, lines: list[Line]) -> list[str]:
    """The means of a network over the pairs, the latest line of each; dashes if it was not judged."""
    latest = {line["pair"]: line for line in lines if line["method"] == name and line["edge_size"] == 256}
    return [f"{mean(line[key] for line in latest.values()):.3f}" if latest else "" for key in _QUALITY]


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    networks = {name: NETWORKS[name]() for name in options.networks}
    numbers = {
        name: sum(one.numel() for one in network.parameters() if one.requires_grad)
        for name, network in networks.items()
    }
    painters = {name: bound(network) for name, network in networks.items()}
    taken = seconds(painters, torch.rand(1, 3, _EDGE, _EDGE), options.rounds)
    judged, rows = read(options.output / "networks.jsonl"), []
    for name in networks:
        line = {
            "network": name,
            "parameters": numbers[name],
            "kilo_products": round(kilo_products(painters[name]), 1),
            "seconds": round(taken[name], 3),
        }
        append(options.output / "network_table.jsonl", {**line, "machine": machine(torch.device("cpu"))})
        rows.append([*line.values(), *quality(name, judged)])
    print(table(("network", "numbers", "products / 1000", "seconds", *_QUALITY), rows))


if __name__ == "__main__":
    main()
