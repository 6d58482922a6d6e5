"""Too little memory: an error that says how much a run takes, and no step lost."""

import gc
import json
import os
import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch

from pystyle import ContentLoss, Criterion, GramLoss, Pyramid, optimize_image, stylize
from pystyle.checkpoints import CheckpointFolder, Checkpoints
from pystyle.encoders import Encoder, LayerGeometry, vgg11
from pystyle.evaluation._allocations import Allocations
from pystyle.images import write_image
from pystyle.papers import gatys_2016
from pystyle.runner import initial_image
from pystyle.stylization import feature_contrast

MESSAGE = r"A run at 12 x 10 pixels takes about 0\.0 GiB, more than was free\. Take a smaller image, `Strip"
ERRORS = {
    "accelerator": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "CPU": RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1"),
    "convolution": RuntimeError("could not create a primitive"),
    "C++": RuntimeError("std::bad_alloc"),
}


class Runs(Encoder):
    """The image as it is; at one of its calls for one that is optimised the memory runs out."""

    layers = ("pixels",)

    def __init__(self, call, error=None):
        super().__init__()
        self._call, self._error, self._calls, self._seen = call, error, 0, []

    def geometry(self, layer):
        del layer
        return LayerGeometry(stride=1, receptive_field=1, minimum_size=1)

    def forward(self, image, layers):
        if image.requires_grad and image.shape[2] <= 12:
            self._calls += 1
            self._seen.append(weakref.ref(image))
            if self._calls == self._call:
                raise self._error
        return dict.fromkeys(layers, image * 1.0)


def image(seed, height=12, width=10):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


PHOTO = image(7, 32, 40)
VGG = vgg11(weights=None)
GRAM = Criterion(VGG, {"style": GramLoss("relu1_1")})
REFERENCES = {"content": image(0), "style": image(1)}


def criterion(encoder):
    losses = {"content": ContentLoss("pixels"), "style": GramLoss("pixels", weight=3.0)}
    return Criterion(encoder, losses)


@pytest.mark.parametrize("error", ERRORS.values(), ids=list(ERRORS))
@pytest.mark.parametrize("call", [1, 2, 6])
def test_a_run_out_of_memory_is_explained_and_goes_on_with_the_same_bytes(call, error, tmp_path):
    def run(encoder, **arguments):
        return optimize_image(criterion(encoder), REFERENCES, num_steps=8, init="grey", **arguments)

    with pytest.raises(MemoryError, match=MESSAGE) as caught:
        run(Runs(call, error), checkpoint=tmp_path)
    assert caught.value.__cause__ is error
    assert "history_size=5" in str(caught.value)
    assert CheckpointFolder(tmp_path).steps()[-1] == call - 1
    resumed = run(Runs(0), checkpoint=tmp_path, resume=True)
    assert torch.equal(resumed.image, run(Runs(0)).image)


def test_a_pyramid_out_of_memory_keeps_the_levels_before(tmp_path):
    def run(encoder, **arguments):
        return Pyramid([6, 10], num_steps=4).optimize(criterion(encoder), REFERENCES, **arguments)

    with pytest.raises(MemoryError, match=MESSAGE):
        run(Runs(7, ERRORS["CPU"]), checkpoint=Checkpoints(tmp_path, steps=100))
    assert CheckpointFolder(tmp_path).steps()[-1] == 6
    assert torch.equal(run(Runs(0), checkpoint=tmp_path, resume=True).image, run(Runs(0)).image)


def test_an_error_that_is_kept_keeps_no_tensors_of_the_run():
    encoder = Runs(4, ERRORS["CPU"])
    with pytest.raises(MemoryError) as caught:
        optimize_image(criterion(encoder), REFERENCES, num_steps=8)
    gc.collect()
    assert len(encoder._seen) == 4
    assert [reference() for reference in encoder._seen] == [None] * 4
    assert caught.value.__cause__ is not None


def test_where_even_the_estimate_takes_too_much_the_error_says_what_to_do(monkeypatch):
    def fail(*_, **__):
        raise ERRORS["CPU"]

    monkeypatch.setattr("pystyle.runner._memory.estimate_memory", fail)
    message = r"A run at 12 x 10 pixels takes more memory than was free\. Take a smaller image"
    with pytest.raises(MemoryError, match=message):
        optimize_image(criterion(Runs(2, ERRORS["CPU"])), REFERENCES, num_steps=4)


PROGRAM = """
import json, resource, sys
import torch
from pystyle import ContentLoss, Criterion, GramLoss, optimize_image
from pystyle.encoders import vgg11
from pystyle.runner import estimate_memory

torch.set_num_threads(1)
criterion = Criterion(vgg11(weights=None), {"content": ContentLoss("relu1_1"), "style": GramLoss("relu1_1")})

def run(side):
    image = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    return optimize_image(criterion, {"content": image, "style": image.flip(1)}, num_steps=2)

run(32)
# What the message needs imports a part of torch, which would take half of what is left below.
estimate_memory(criterion, (32, 32))
with open("/proc/self/status") as lines:
    used = next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmSize"))
resource.setrlimit(resource.RLIMIT_AS, (used + 700 * 2**20, resource.RLIM_INFINITY))
report = {}
try:
    run(900)
except MemoryError as error:
    report["message"], report["cause"], kept = str(error), str(error.__cause__), error
# The error is still there, and the memory is not.
report["smaller"] = run(100).stop_reason
print(json.dumps(report))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
def test_a_process_whose_memory_is_limited_says_what_the_run_takes_and_runs_a_smaller_one():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert "can't allocate memory" in report["cause"] or "primitive" in report["cause"]
    start, _, rest = report["message"].partition(" GiB, more than was free. ")
    assert start.startswith("A run at 900 x 900 pixels takes about ")
    assert 0.7 < float(start.split()[-1]) < 4.0
    assert rest.startswith("Take a smaller image")
    assert report["smaller"] == "finished"


LARGE = 10**6


@pytest.mark.parametrize(
    "call",
    [
        lambda image: stylize(image, PHOTO, encoder=VGG),
        lambda image: stylize(PHOTO, image, encoder=VGG),
        lambda image: optimize_image(GRAM, {"content": PHOTO, "style": image}),
        lambda image: Pyramid([512], 1).optimize(GRAM, {"content": PHOTO, "style": image}),
        lambda image: Pyramid([512], 1).optimize(GRAM, {"content": PHOTO, "style": PHOTO}, init=image),
        lambda image: feature_contrast(VGG, {"content": image, "style": PHOTO}),
        lambda image: gatys_2016.style_transfer(image, PHOTO, encoder=VGG),
        lambda image: initial_image("recoloured", {"content": image, "style": PHOTO}),
    ],
)
def test_the_shape_is_looked_at_before_memory_is_taken(call):
    # Resized to a short edge of 512, its 3 columns would become 512 and its rows 87,381.
    with pytest.raises(ValueError, match=r"got \(1, 512, 512, 3\)\. Channels come second"):
        call(torch.rand(1, 512, 512, 3))


@pytest.mark.slow
def test_a_line_of_pixels_is_compared_at_the_area_that_others_have():
    line = torch.rand(1, 3, 1, 1000, generator=torch.Generator().manual_seed(3))
    with Allocations() as allocations:
        contrast = feature_contrast(VGG, {"content": line, "style": PHOTO})
    assert 1 / 16 <= contrast <= 16
    assert allocations.peak < 4e8


@pytest.mark.slow
@pytest.mark.long
def test_a_line_of_pixels_at_512_says_how_large_it_would_be():
    line = torch.rand(1, 3, 1, 1000)
    with pytest.raises(MemoryError, match="A run at 512 x 512000 pixels takes about"):
        stylize(line, PHOTO, encoder=VGG, memory_budget="4GB")


@pytest.mark.parametrize(
    "error", [*ERRORS.values(), MemoryError(), np.zeros], ids=[*ERRORS, "Python", "numpy"]
)
@pytest.mark.parametrize("place", ["recolouring", "resizing", "start", "writing"])
def test_memory_that_runs_out_beside_the_steps_is_explained(monkeypatch, tmp_path, place, error):
    def fail(*_arguments, **_options):
        if callable(error):
            error(LARGE * LARGE * LARGE)
        raise error

    torn = {
        "recolouring": ("pystyle.runner._inits.match_colors", "recoloured"),
        "resizing": ("pystyle._wrapping._interpolate.interpolate", "content"),
        "start": ("pystyle.runner._inits.resize", "style"),
        "writing": ("pystyle.images._write.pil_image", "content"),
    }[place]
    monkeypatch.setattr(torn[0], fail)

    def run():
        result = Pyramid([24], 1).optimize(GRAM, {"content": PHOTO, "style": PHOTO}, init=torn[1])
        write_image(result.image, tmp_path / "picture.png")

    with pytest.raises(MemoryError, match=r"takes .*more memory than was free|more memory than was free"):
        run()
