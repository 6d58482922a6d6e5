"""What `fuzz.py` tries: the kinds of files, and how each is read and refused."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import fuzz_formats
import fuzz_inputs
import fuzz_mutations
import torch

from pystyle.checkpoints import CheckpointError, CheckpointFolder
from pystyle.encoders import WeightsError
from pystyle.encoders._weights import load_weights_file
from pystyle.images import ImageReadError, read_flow, read_image, read_mask

_MAX_PIXELS = 2**20


@dataclass(frozen=True)
class Kind:
    """Files of one kind.

    Attributes:
        files: Valid ones.
        suffix: Of their names.
        mutations: Those that know the format.
        read: Reads a file and raises an AssertionError if what it gave is no value.
        error: What it raises otherwise.
    """

    files: list[bytes]
    suffix: str
    mutations: tuple[fuzz_mutations.Mutation, ...]
    read: Callable[[Path], None]
    error: type[Exception]

    def file(self, name: str, seed: int) -> bytes:
        """The damaged file of this name."""
        chance = random.Random(f"{seed} {name}")
        return fuzz_mutations.damaged(chance.choice(self.files), chance, self.mutations)


def kinds() -> dict[str, Kind]:
    """All kinds by their names."""
    formats = {
        "PNG": (fuzz_formats.png,),
        "JPEG": (fuzz_formats.jpeg,),
        "WebP": (fuzz_formats.riff,),
        "TIFF": (fuzz_formats.tiff,),
        "PNM": (fuzz_formats.pnm,),
    }
    found = {
        name: Kind(files, "", formats.get(name, ()), _read_image, ImageReadError)
        for name, files in fuzz_inputs.images().items()
    }
    found["mask"] = Kind(fuzz_inputs.masks(), "", (), _read_mask, ImageReadError)
    found["flow"] = Kind(fuzz_inputs.flows(), ".flo", (), _read_flow, ImageReadError)
    signed = (fuzz_mutations.signed,)
    found["checkpoint"] = Kind(
        fuzz_inputs.checkpoints(), ".safetensors", signed, _read_checkpoint, CheckpointError
    )
    known = {"pth": (fuzz_mutations.zipped,), "safetensors": (fuzz_mutations.header,)}
    for suffix, files in fuzz_inputs.weights().items():
        found[suffix] = Kind(files, f".{suffix}", known.get(suffix, ()), _read_weights, WeightsError)
    return found


def _read_image(path: Path) -> None:
    image = read_image(path, max_pixels=_MAX_PIXELS)
    assert image.dtype == torch.float32
    assert image.ndim == 4
    assert image.shape[:2] == (1, 3)
    assert 0 <= float(image.min()) <= float(image.max()) <= 1


def _read_mask(path: Path) -> None:
    mask = read_mask(path, max_pixels=_MAX_PIXELS)
    assert mask.shape[:2] == (1, 1)
    assert 0 <= float(mask.min()) <= float(mask.max()) <= 1


def _read_flow(path: Path) -> None:
    flow = read_flow(path)
    assert flow.dtype == torch.float32
    assert flow.shape[:2] == (1, 2)


def _read_checkpoint(path: Path) -> None:
    found = CheckpointFolder(path.parent).newest()
    assert found is not None
    assert isinstance(found[1], dict)


def _read_weights(path: Path) -> None:
    for name, tensor in load_weights_file(path).items():
        assert isinstance(name, str)
        # Walks through the memory of the tensor, which a wrong stride would leave.
        assert math.isnan(float(tensor.double().sum().real)) in (True, False)
