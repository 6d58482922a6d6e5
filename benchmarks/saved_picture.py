"""Stylise six pairs with each optimizer, compare the saved picture with the iterate, make contact sheets.

    python benchmarks/saved_picture.py --edge-sizes 256 512 --output benchmarks/results

For each run it prints the loss of the picture that the run gave back, that of the 8-bit picture
which is saved, and the energy of its finest band relative to the noisier one of its sources. Each
line is written as soon as it is there, and what is there already is not run again.
"""

import argparse
import json
import time
from functools import partial
from pathlib import Path

import torch
from pictures import PAIRS, read_pair

from pystyle import Encoder, stylize
from pystyle.encoders import vgg19
from pystyle.images import contact_sheet, quantise, read_image, resize, write_image
from pystyle.metrics import finest_band_energy
from pystyle.stylization import stylization_criteria, stylization_pyramid

OPTIMIZERS = {
    "lbfgs": {},
    "adam": {"optimizer": partial(torch.optim.Adam, lr=0.02, betas=(0.9, 0.99)), "averaging": 0.97},
}
"""Arguments of `stylize`; none for its default."""


def run(
    pair: tuple[str, str], edge_size: int, optimizer: str, encoder: Encoder, pictures: Path
) -> dict[str, object]:
    """The figures of one run; its picture is written."""
    content, style = read_pair(pair)
    start = time.process_time()
    result = stylize(content, style, edge_size=edge_size, encoder=encoder, **OPTIMIZERS[optimizer])
    seconds = (time.process_time() - start) / torch.get_num_threads()
    write_image(result.image, pictures / f"{optimizer}-{pair[0]}-{pair[1]}-{edge_size}.png")
    references = {"content": content, "style": style}
    small = {name: resize(image, edge_size) for name, image in references.items()}
    criteria = stylization_criteria(encoder, references, stylization_pyramid(edge_size))
    objective = criteria[-1].bind(small)
    with torch.no_grad():
        loss = float(objective(result.image).total)
        saved = float(objective(quantise(result.image)).total)
    noise = float(finest_band_energy(quantise(result.image)))
    noisier = max(float(finest_band_energy(image)) for image in small.values())
    return {
        "pair": "-".join(pair),
        "edge_size": edge_size,
        "optimizer": optimizer,
        "loss": loss,
        "saved": saved,
        "change": saved / loss - 1,
        "noise": noise / noisier,
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Run what is missing, print the table, write a sheet per size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--edge-sizes", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--pairs", type=int, default=len(PAIRS))
    parser.add_argument("--optimizers", nargs="+", choices=OPTIMIZERS, default=list(OPTIMIZERS))
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    pictures = arguments.output / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    log = arguments.output / "saved_picture.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    done = {(line["pair"], line["edge_size"], line["optimizer"]): line for line in lines}
    encoder = vgg19(padding="replicate", ceil_mode=True)
    print("| pair | edge | optimizer | loss | 8-bit picture | change | noise | seconds |")
    print("|---" * 8 + "|")
    for edge_size in arguments.edge_sizes:
        images, titles = [], []
        for pair in PAIRS[: arguments.pairs]:
            images += read_pair(pair)
            titles += list(pair)
            for optimizer in arguments.optimizers:
                key = "-".join(pair), edge_size, optimizer
                if key not in done:
                    done[key] = run(pair, edge_size, optimizer, encoder, pictures)
                    with log.open("a") as stream:
                        stream.write(json.dumps(done[key]) + "\n")
                line = done[key]
                print(
                    f"| {line['pair']} | {edge_size} | {optimizer} | {line['loss']:.4f} "
                    f"| {line['saved']:.4f} | {line['change']:+.2%} "
                    f"| {line['noise']:.2f} | {line['seconds']:.0f} |",
                    flush=True,
                )
                images.append(read_image(pictures / f"{optimizer}-{pair[0]}-{pair[1]}-{edge_size}.png"))
                titles.append(optimizer)
        columns = 2 + len(arguments.optimizers)
        sheet = contact_sheet(images, columns=columns, height=edge_size, titles=titles)
        write_image(sheet, arguments.output / f"saved_picture-{edge_size}.png")


if __name__ == "__main__":
    main()
