"""Paint one pair with each style loss of the library, and show the pictures side by side.

    python benchmarks/losses_sheet.py --edge-size 192 --num-steps 80 --output benchmarks/results

Content loss and total variation are those of `stylize`. The losses that it knows by name have its weights,
the others those of `docs/losses.md`. Each picture is written when it is painted, and each row of the sheet
when it is full. Pictures that are there already are not painted again.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import torch
from pictures import PAINTINGS, PHOTOGRAPHS, read_pair
from torch import Tensor

from pystyle import (
    Loss,
    MeanLoss,
    MomentLoss,
    MRFLoss,
    MultiLayerGramLoss,
    NearestNeighborLoss,
    optimize_image,
)
from pystyle.encoders import Encoder, vgg19
from pystyle.images import contact_sheet, read_image, resize, write_image
from pystyle.stylization import feature_contrast, stylization_criterion
from pystyle.typing import StyleLossName

COLUMNS = 4
LAYERS = ("image", "relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
TURNS = (0, 90, 180, 270)

ENTRIES: dict[str, StyleLossName | Callable[[], Loss]] = {
    **{name: name for name in get_args(StyleLossName)},
    "mean": lambda: MeanLoss(LAYERS, weight=15.0, relative=True),
    "moments": lambda: MomentLoss(LAYERS, weight=3.0, relative=True),
    "gram of the paper": lambda: MultiLayerGramLoss(LAYERS[1:], weight=5.0, relative=True),
    "mrf, turned": lambda: MRFLoss(["relu3_1", "relu4_1"], weight=2.8, relative=True, rotations=TURNS),
    "nearest, centred": lambda: NearestNeighborLoss(
        ["relu3_1", "relu4_1"], weight=20.0, centered=True, rotations=TURNS
    ),
}
"""The losses by their titles."""


def paint(
    title: str, encoder: Encoder, references: dict[str, Tensor], num_steps: int
) -> tuple[Tensor, dict[str, object]]:
    """The picture and what it took."""
    entry = ENTRIES[title]
    edge_size = min(references["content"].shape[2:])
    criterion = stylization_criterion(
        encoder,
        style_loss=entry if isinstance(entry, str) else entry(),
        contrast=feature_contrast(encoder, references, edge_size=edge_size),
    )
    start = time.process_time()
    result = optimize_image(criterion, references, num_steps=num_steps)
    seconds = (time.process_time() - start) / torch.get_num_threads()
    weighted = sum(column[-1] for name, column in result.history.items() if name.startswith("content."))
    content = weighted / criterion.named_losses["content"].weight
    return result.image, {
        "loss": title,
        "content": round(content, 3),
        "steps": result.steps,
        "stop_reason": result.stop_reason,
        "seconds_per_step": round(seconds / max(num_steps, 1), 3),
    }


def main() -> None:
    """Paint what is missing, print the figures, write the rows and the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photograph", choices=PHOTOGRAPHS, default="astronaut")
    parser.add_argument("--painting", choices=PAINTINGS, default="cypresses")
    parser.add_argument("--edge-size", type=int, default=192)
    parser.add_argument("--num-steps", type=int, default=80)
    parser.add_argument("--height", type=int, default=256, help="of each picture in the sheet")
    parser.add_argument("--losses", nargs="+", choices=ENTRIES, default=list(ENTRIES))
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    pair = (options.photograph, options.painting)
    content, style = (resize(image, options.edge_size) for image in read_pair(pair))
    encoder = vgg19(padding="replicate", ceil_mode=True)
    name = f"{'-'.join(pair)}-{options.edge_size}-{options.num_steps}"
    pictures = options.output / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    images, titles = [content, style], list(pair)
    for title in options.losses:
        picture = pictures / f"loss-{title.replace(', ', '-').replace(' ', '-')}-{name}.png"
        if not picture.exists():
            references = {"content": content, "style": style}
            image, figures = paint(title, encoder, references, options.num_steps)
            write_image(image, picture)
            figures |= {"pair": "-".join(pair), "edge_size": options.edge_size}
            with (options.output / "losses_sheet.jsonl").open("a") as stream:
                stream.write(json.dumps(figures) + "\n")
            print(figures, flush=True)
        images.append(read_image(picture))
        titles.append(title)
        if len(images) % COLUMNS == 0 or title == options.losses[-1]:
            start = (len(images) - 1) // COLUMNS * COLUMNS
            row = contact_sheet(images[start:], height=options.height, titles=titles[start:])
            write_image(row, options.output / f"losses-{name}-row{start // COLUMNS + 1}.png")
    sheet = contact_sheet(images, columns=COLUMNS, height=options.height, titles=titles)
    write_image(sheet, options.output / f"losses-{name}.png")


if __name__ == "__main__":
    main()
