"""Makes the pictures that are stored in the notebooks small, and the thumbnails of the gallery from them.

Run ``python notebooks/pictures.py`` after a notebook was executed. Stored pictures become JPEG where that is
smaller, as good as :data:`LIMIT` allows, and ``docs/_static/gallery/<notebook>.jpg`` is written for each
notebook. A new one needs a line in ``PICTURES`` and a card in ``docs/gallery.md``.
"""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops

ROOT = Path(__file__).parents[1]
WIDTH = 480

LIMIT = 300_000
"""Bytes of a notebook; ``tests/test_notebooks.py`` holds them to it."""

QUALITIES = (90, 85, 80, 75, 70, 60, 50)

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
    "18_train_a_network": 3,
    "19_any_style": 2,
    "20_huang_2017": 1,
    "21_johnson_2016": 1,
    "22_dumoulin_2017": 1,
    "23_li_fang_2017": 2,
    "24_park_lee_2019": 1,
    "25_park_2020": 3,
    "26_sound": 1,
    "27_words": 2,
    "28_surfaces": 2,
    "29_tileable": 1,
}
"""Which of its pictures stands for a notebook, counted from 0."""


def picture_outputs(notebook: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The data of each output that is a picture: its encodings by their media types."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if {"image/png", "image/jpeg"} & set(output.get("data", {})):
                yield output["data"]


def stored_pictures(notebook: dict[str, Any]) -> list[Image.Image]:
    """The pictures in the outputs of a notebook, in their order."""
    pictures = []
    for data in picture_outputs(notebook):
        text = data.get("image/png") or data["image/jpeg"]
        pictures.append(Image.open(io.BytesIO(base64.b64decode("".join(text)))).convert("RGB"))
    return pictures


def compressed(path: Path) -> str:
    """The text of a notebook whose pictures are as good as the limit allows.

    Pictures that are JPEG already are left as they are: each encoding would lose something.
    """
    text = path.read_text(encoding="utf-8")
    for quality in QUALITIES:
        notebook = json.loads(text)
        outputs = list(picture_outputs(notebook))
        for data, picture in zip(outputs, stored_pictures(notebook), strict=True):
            encoded = io.BytesIO()
            picture.save(encoded, "JPEG", quality=quality, optimize=True)
            jpeg = base64.b64encode(encoded.getvalue()).decode()
            if "image/png" in data and len(jpeg) < len("".join(data["image/png"])):
                del data["image/png"]
                data["image/jpeg"] = jpeg
        smaller = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        if len(smaller.encode()) <= LIMIT:
            return smaller
    raise ValueError(f"{path.name} is larger than {LIMIT} bytes with the worst of pictures. Store fewer.")


def without_margins(picture: Image.Image) -> Image.Image:
    """The picture without the white around it, of which JPEG makes nearly white."""
    white = Image.new("RGB", picture.size, "white")
    ink = ImageChops.difference(picture, white).convert("L").point(lambda value: 255 * (value > 16))
    return picture.crop(ink.getbbox())


def write_thumbnail(name: str, picture: Image.Image) -> None:
    """Write the picture that stands for a notebook in the gallery."""
    picture = without_margins(picture)
    height = round(picture.height * WIDTH / picture.width)
    folder = ROOT / "docs" / "_static" / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    small = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
    small.save(folder / f"{name}.jpg", quality=85, optimize=True)


def main() -> None:
    """Compress all notebooks, and write the thumbnails of those whose pictures were not JPEG yet."""
    for name, index in PICTURES.items():
        path = ROOT / "notebooks" / f"{name}.ipynb"
        notebook = json.loads(path.read_text(encoding="utf-8"))
        pictures = stored_pictures(notebook)
        if len(pictures) <= index:
            print(f"{name}: only {len(pictures)} stored pictures; nothing was written.")
            continue
        if any("image/png" in data for data in picture_outputs(notebook)):
            write_thumbnail(name, pictures[index])
            path.write_text(compressed(path), encoding="utf-8")


if __name__ == "__main__":
    main()
