"""Writes the thumbnails of the gallery from the pictures that are stored in the notebooks.

``python notebooks/thumbnails.py`` writes ``docs/_static/gallery/<notebook>.jpg`` for each notebook. A new
notebook needs a line in ``PICTURES`` and a row in ``docs/gallery.md``.
"""

import base64
import io
import json
from pathlib import Path

from PIL import Image, ImageChops

ROOT = Path(__file__).parents[1]
WIDTH = 240

PICTURES = {
    "01_first_stylisation": 1,
    "02_compose_your_own_loss": 1,
    "03_control": 2,
    "04_gatys_2015": 1,
    "05_gatys_2016": 1,
    "06_li_wand_2016": 1,
    "07_li_2017": 1,
    "08_risser_2017": 1,
    "09_mechrez_2018": 1,
    "10_kolkin_2019": 1,
    "11_heitz_2021": 1,
    "12_crowson_2022": 1,
    "13_galerne_2024": 2,
    "14_gatys_2017": 1,
    "15_kolkin_2022": 1,
    "16_luan_2017": 1,
    "17_ruder_2016": 2,
}
"""Which of its pictures stands for a notebook, counted from 0."""


def stored_pictures(path: Path) -> list[Image.Image]:
    """The pictures in the outputs of a notebook, in their order."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    encoded = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    return [Image.open(io.BytesIO(base64.b64decode("".join(text)))).convert("RGB") for text in encoded]


def without_margins(picture: Image.Image) -> Image.Image:
    """The picture without the white around it."""
    white = Image.new("RGB", picture.size, "white")
    return picture.crop(ImageChops.difference(picture, white).getbbox())


def main() -> None:
    """Write all thumbnails whose notebooks have stored pictures."""
    folder = ROOT / "docs" / "_static" / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    for name, index in PICTURES.items():
        pictures = stored_pictures(ROOT / "notebooks" / f"{name}.ipynb")
        if len(pictures) <= index:
            print(f"{name}: only {len(pictures)} stored pictures, none written.")
            continue
        picture = without_margins(pictures[index])
        height = round(picture.height * WIDTH / picture.width)
        small = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
        small.save(folder / f"{name}.jpg", quality=85, optimize=True)


if __name__ == "__main__":
    main()
