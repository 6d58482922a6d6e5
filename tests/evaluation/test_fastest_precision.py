"""Half precision where the device multiplies in it."""

import pytest
import torch

from pystyle import stylize
from pystyle.checkpoints import CheckpointFolder
from pystyle.encoders import vgg11
from pystyle.evaluation import fastest_precision

PHOTO, PAINTING = (torch.rand(1, 3, 24, 26, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))


def a_processor_with(monkeypatch, *names):
    known = {"avx2": True, "avx512_bf16": False, "amx_bf16": False}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {**known, **dict.fromkeys(names, True)})


def a_gpu(monkeypatch, *, bfloat16, capability=(9, 0), hip=None):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: bfloat16)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr(torch.version, "hip", hip)


@pytest.mark.parametrize("name", ["avx512_bf16", "amx_bf16", "bf16", "sve_bf16"])
def test_a_processor_with_products_in_bfloat16_computes_in_it(monkeypatch, name):
    a_processor_with(monkeypatch, name)
    assert fastest_precision("cpu") == fastest_precision(torch.device("cpu")) == "bfloat16"


@pytest.mark.parametrize("names", [(), ("avx512_f", "avx512_vnni"), ("neon", "fp16_arith")])
def test_another_one_computes_in_float32(monkeypatch, names):
    a_processor_with(monkeypatch, *names)
    assert fastest_precision("cpu") == "float32"


@pytest.mark.parametrize(
    ("gpu", "precision"),
    [
        ({"bfloat16": True}, "bfloat16"),
        ({"bfloat16": False, "capability": (7, 5)}, "float16"),
        ({"bfloat16": False, "capability": (6, 1)}, "float32"),
        ({"bfloat16": False, "hip": "6.2"}, "float32"),
    ],
)
def test_of_a_gpu_its_tensor_cores_are_asked(monkeypatch, gpu, precision):
    a_gpu(monkeypatch, **gpu)
    assert fastest_precision("cuda") == precision


@pytest.mark.parametrize("device", ["mps", "meta"])
def test_what_nobody_measured_stays_in_float32(device):
    assert fastest_precision(device) == "float32"


def paint(**arguments):
    every = {"edge_size": 24, "num_steps": 2, "device": "cpu", "seed": 0, **arguments}
    return stylize(PHOTO, PAINTING, encoder=vgg11(weights=None), **every)


@pytest.mark.parametrize(("names", "precision"), [((), "float32"), (("amx_bf16",), "bfloat16")])
def test_stylize_chooses_and_says_so(monkeypatch, names, precision):
    a_processor_with(monkeypatch, *names)
    chosen, asked = paint(), paint(precision=precision)
    assert chosen.precision == asked.precision == precision
    assert torch.equal(chosen.image, asked.image)
    assert paint(precision="float32").precision == "float32"


def test_an_encoder_in_float64_stays_in_it(monkeypatch):
    a_processor_with(monkeypatch, "amx_bf16")
    photo, painting = PHOTO.double(), PAINTING.double()
    result = stylize(
        photo, painting, encoder=vgg11(weights=None).double(), edge_size=24, num_steps=1, device="cpu"
    )
    assert result.precision == "float32"
    assert result.image.dtype == torch.float64


def test_a_run_goes_on_in_the_precision_that_it_began_with(monkeypatch, tmp_path):
    a_processor_with(monkeypatch, "amx_bf16")
    paint(checkpoint=tmp_path)
    assert CheckpointFolder(tmp_path).arguments()["evaluation.precision"] == "'bfloat16'"
    a_processor_with(monkeypatch)
    result = paint(checkpoint=tmp_path, num_steps=3, resume=True)
    assert result.precision == "bfloat16"
    a_processor_with(monkeypatch, "amx_bf16")
    assert torch.equal(result.image, paint(num_steps=3).image)


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match=r"`precision` must be one of .*'bfloat16'.*, got 'half'"):
        paint(precision="half")
