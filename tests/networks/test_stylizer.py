"""A network is bound to a style and paints; what is promised of it, and what is refused."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from pystyle import MaskedImage
from pystyle.checkpoints import decode, encode
from pystyle.functional import mean_std, raw_moments
from pystyle.networks import (
    AnyStyleNetwork,
    Stylizer,
    TransformNetwork,
    instance_normalization,
    pretrained,
    pretrained_names,
)
from pystyle.papers import huang_2017
from pystyle.testing import check_stylizer

PHOTO, PAINTING = torch.rand(2, 1, 3, 40, 45, generator=torch.Generator().manual_seed(0))


class Recolor(Stylizer):
    """The means and deviations of the colours: a network of which all can be computed by hand."""

    stride = 1
    smallest = 2

    def __init__(self, gain=1.0):
        super().__init__()
        self.gain = gain
        self.factor = torch.nn.Parameter(torch.tensor(gain))

    def represent_style(self, style):
        return mean_std(raw_moments(style))

    def forward(self, content, code):
        mean, std = code.unbind(1)
        return instance_normalization(content, std, mean) * self.factor


def seeded(network):
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return network


NETWORKS = {
    "one style": lambda: TransformNetwork(width=2),
    "three styles": lambda: TransformNetwork(width=2, styles=["a", "b", "c"]),
    "any style": lambda: AnyStyleNetwork(width=2),
    "any style, light": lambda: AnyStyleNetwork(width=2, features="light"),
    "wider": lambda: AnyStyleNetwork(width=5),
    "of a user": Recolor,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_keeps_its_promises(name):
    torch.manual_seed(0)
    check_stylizer(seeded(NETWORKS[name]()))


class Batched(Recolor):
    def represent_style(self, style):
        code = super().represent_style(style)
        return code.mean(0, keepdim=True).expand_as(code)


class Idle(Recolor):
    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(3))


class Cropped(Recolor):
    def forward(self, content, code):
        return super().forward(content, code)[:, :, 1:]


@pytest.mark.parametrize(
    ("network", "promise"),
    [
        (Batched(), "codes of a batch are those of its images"),
        (Idle(), "every parameter gets a gradient; unused got none"),
        (Cropped(), "has the size of its content"),
    ],
)
def test_a_promise_that_is_broken_is_named(network, promise):
    with pytest.raises(AssertionError, match=promise):
        check_stylizer(network)


def test_the_painter_gives_the_colours_of_the_style():
    picture = Recolor()(PHOTO, Recolor().represent_style(PAINTING))
    assert torch.allclose(picture.mean((2, 3)), PAINTING.mean((2, 3)), atol=1e-5)
    painted = Recolor().bind(PAINTING)(PHOTO)
    assert torch.allclose(painted, picture.clamp(0, 1), atol=1e-6)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("network", "style"), [(TransformNetwork(width=2), "style"), (AnyStyleNetwork(width=2), PAINTING)]
)
def test_a_strength_mixes_the_picture_with_the_content(network, style, precision):
    paint = seeded(network).bind(style, precision=precision)
    quarter = paint(PHOTO, strength=0.25)
    assert torch.allclose(quarter, 0.75 * PHOTO + 0.25 * paint(PHOTO), atol=1e-5)
    assert torch.equal(paint(PHOTO, strength=0), PHOTO)


def test_a_blend_has_the_mean_of_the_codes():
    network = Recolor()
    paint = network.bind([(PHOTO, 1), (PAINTING, 3)])
    mean = network.represent_style(PHOTO) / 4 + 3 * network.represent_style(PAINTING) / 4
    assert torch.allclose(paint.codes[None], mean)


def test_each_region_is_painted_in_its_own_style():
    left = torch.zeros(1, 1, 40, 45)
    left[..., :20] = 1
    network = Recolor()
    content = MaskedImage(PHOTO, {"left": left, "right": 1 - left})
    picture = network.bind({"left": PAINTING, "right": PHOTO})(content)
    assert torch.equal(picture[..., :20], network.bind(PAINTING)(PHOTO)[..., :20])
    assert torch.equal(picture[..., 20:], network.bind(PHOTO)(PHOTO)[..., 20:])
    alone = network.bind({"left": PAINTING})(content)
    assert torch.equal(alone[..., 20:], PHOTO[..., 20:])


def test_the_type_of_the_content_is_kept():
    paint = AnyStyleNetwork(width=2).bind(PAINTING.double())
    assert paint(PHOTO.double()).dtype == torch.float64
    assert paint(PHOTO.half()).dtype == torch.float16


@pytest.mark.parametrize(
    ("style", "error", "text"),
    [
        (PAINTING * 255, ValueError, r"`style` must be in \[0, 1\]"),
        (
            PAINTING[:, :, :9],
            ValueError,
            "`style` must have sides of at least 16 pixels for a AnyStyleNetwork, got 9 x",
        ),
        (
            PAINTING[0],
            TypeError,
            r"`style` must be a tensor of the shape \(batch, 3, height, width\), got \(3, 40, 45\)",
        ),
        ("waves", ValueError, "must be an image, because a AnyStyleNetwork learns no names, got 'waves'"),
        ([(PAINTING, -1.0)], ValueError, "A weight of `style` must"),
        ([(PAINTING, 0.0)], ValueError, "must have a sum above 0"),
        ([], ValueError, "must have a sum above 0"),
        (3, TypeError, "`style` must be an image, the name of a style"),
    ],
)
def test_a_style_that_means_nothing_is_refused(style, error, text):
    with pytest.raises(error, match=text):
        AnyStyleNetwork(width=2).bind(style)


@pytest.mark.parametrize(
    ("content", "options", "error", "text"),
    [
        (PHOTO * 2 - 1, {}, ValueError, r"`content` must be in \[0, 1\]"),
        (PHOTO[:, :, :8], {}, ValueError, "`content` must have sides of at least 16 pixels"),
        ((PHOTO * 255).byte(), {}, TypeError, "`content`"),
        ("photo.jpg", {}, TypeError, "`content` must be a tensor"),
        (PHOTO, {"strength": 1.5}, ValueError, "`strength` must be"),
        (PHOTO.expand(3, -1, -1, -1), {}, ValueError, "as many images as there are styles, 2, got 3"),
    ],
)
def test_a_content_that_means_nothing_is_refused(content, options, error, text):
    paint = AnyStyleNetwork(width=2).bind(torch.cat([PAINTING, PHOTO]))
    with pytest.raises(error, match=text):
        paint(content, **options)


def test_regions_need_masks():
    paint = Recolor().bind({"sky": PAINTING})
    with pytest.raises(ValueError, match="must be a MaskedImage with masks of the regions 'sky'"):
        paint(PHOTO)
    with pytest.raises(ValueError, match="must have a mask for each of the regions 'sky', got none of 'sky'"):
        paint(MaskedImage(PHOTO, {"sea": torch.ones(1, 1, 40, 45)}))


def test_names_that_were_not_learned_are_refused():
    network = TransformNetwork(width=2, styles=["waves", "wheat"])
    with pytest.raises(ValueError, match=r"must be one of the names \('waves', 'wheat'\), got 'irises'"):
        network.bind("irises")
    with pytest.raises(ValueError, match="a TransformNetwork paints what it has learned"):
        network.bind(PAINTING)


class TestPretrained:
    def test_a_network_that_comes_with_the_library_has_a_name(self, tmp_path, monkeypatch):
        monkeypatch.setattr("pystyle.networks._pretrained._FOLDER", tmp_path)
        seeded(AnyStyleNetwork(width=2)).save(tmp_path / "any-style.safetensors", half=True)
        assert pretrained_names() == ("any-style",)
        network = pretrained("any-style")
        assert torch.equal(network.bind(PAINTING)(PHOTO), pretrained("any-style").bind(PAINTING)(PHOTO))

    def test_other_names_are_refused_with_what_there_is(self, tmp_path, monkeypatch):
        monkeypatch.setattr("pystyle.networks._pretrained._FOLDER", tmp_path)
        with pytest.raises(
            ValueError, match="comes with this version, of which there is none yet, got 'masters'"
        ):
            pretrained("masters")
        AnyStyleNetwork(width=2).save(tmp_path / "any-style.safetensors")
        with pytest.raises(ValueError, match=r"one of \('any-style',\), got 'masters'"):
            pretrained("masters")


class TestFiles:
    def test_any_class_of_the_library_is_loaded_by_the_base_class(self, tmp_path):
        network = seeded(TransformNetwork(width=2, styles=["a", "b"]))
        network.save(tmp_path / "n.safetensors", card={"licence": "CC0-1.0"})
        loaded = Stylizer.load(tmp_path / "n.safetensors")
        assert type(loaded) is TransformNetwork
        assert (loaded.styles, loaded.width, loaded.card) == (("a", "b"), 2, {"licence": "CC0-1.0"})
        assert not loaded.training

    def test_half_the_bytes_paint_nearly_the_same(self, tmp_path):
        torch.manual_seed(0)
        network = AnyStyleNetwork(width=12)
        network.save(tmp_path / "full.safetensors")
        network.save(tmp_path / "half.safetensors", half=True)
        sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("full", "half")]
        assert sizes[1] < 0.55 * sizes[0]
        pictures = [
            Stylizer.load(tmp_path / f"{name}.safetensors").bind(PAINTING)(PHOTO) for name in ("full", "half")
        ]
        assert (pictures[0] - pictures[1]).abs().max() < 0.01

    def test_a_class_of_a_user_is_loaded_by_itself_and_refused_elsewhere(self, tmp_path):
        Recolor(gain=0.5).save(tmp_path / "n.safetensors")
        assert Recolor.load(tmp_path / "n.safetensors").gain == 0.5
        with pytest.raises(ValueError, match=r"with a Recolor.*load it with `Recolor.load\(path\)`"):
            Stylizer.load(tmp_path / "n.safetensors")
        with pytest.raises(ValueError, match=r"of the class AnyStyleNetwork, got .* with a Recolor"):
            AnyStyleNetwork.load(tmp_path / "n.safetensors")

    def test_a_network_of_a_paper_is_loaded_by_the_base_class(self, tmp_path):
        huang_2017.network(layer="relu1_1", weights=None).save(tmp_path / "n.safetensors")
        loaded = Stylizer.load(tmp_path / "n.safetensors")
        assert type(loaded) is huang_2017.AdaINNetwork
        assert loaded.layer == "relu1_1"

    def test_a_file_chooses_nothing_to_import_but_pystyle(self, tmp_path):
        AnyStyleNetwork(width=2).save(tmp_path / "n.safetensors")
        state = decode((tmp_path / "n.safetensors").read_bytes())
        forged = {**state, "module": "this", "class": "Network"}
        (tmp_path / "n.safetensors").write_bytes(b"".join(encode(forged)))
        with pytest.raises(ValueError, match=r"a network of a class of pystyle, got .* with a Network"):
            Stylizer.load(tmp_path / "n.safetensors")
        assert "this" not in sys.modules

    def test_it_is_a_file_of_safetensors(self, tmp_path):
        safetensors = pytest.importorskip("safetensors.torch")
        AnyStyleNetwork(width=2).save(tmp_path / "n.safetensors")
        assert len(safetensors.load_file(tmp_path / "n.safetensors")) == len(
            AnyStyleNetwork(width=2).state_dict()
        )

    def test_other_files_are_refused(self, tmp_path):
        (tmp_path / "n.safetensors").write_bytes(b"no network")
        with pytest.raises(ValueError, match=r"a network that `save` has written, got '.*n.safetensors'"):
            Stylizer.load(tmp_path / "n.safetensors")
        torch.save(AnyStyleNetwork(width=2).state_dict(), tmp_path / "weights.pt")
        with pytest.raises(ValueError, match=r"Weights alone go into .*: `network.load_state_dict"):
            Stylizer.load(tmp_path / "weights.pt")
        AnyStyleNetwork(width=2).save(tmp_path / "n.safetensors")
        data = bytearray((tmp_path / "n.safetensors").read_bytes())
        data[-1] ^= 1
        (tmp_path / "n.safetensors").write_bytes(data)
        with pytest.raises(ValueError, match="SHA-256"):
            Stylizer.load(tmp_path / "n.safetensors")

    @pytest.mark.parametrize(
        "change",
        [
            {"configuration": {"width": 2, "depth": 3}},
            {"configuration": {"width": "many"}},
            {"configuration": [2]},
            {"weights": {"encoder.0.0.weight": "no tensor"}},
            {"weights": {}},
            {"card": 5},
            {"class": 7},
            {"module": 7},
            {"module": "pystyle.encoders", "class": "vgg19"},
            {"module": "pystyle.nowhere", "class": "Network"},
            {"module": "this", "class": "Network"},
        ],
    )
    def test_a_forged_file_is_refused_by_its_name(self, change, tmp_path):
        AnyStyleNetwork(width=2).save(tmp_path / "n.safetensors")
        state = decode((tmp_path / "n.safetensors").read_bytes())
        (tmp_path / "n.safetensors").write_bytes(b"".join(encode({**state, **change})))
        with pytest.raises(ValueError, match=r"must be a file with a network.*n\.safetensors'"):
            Stylizer.load(tmp_path / "n.safetensors")

    def test_weights_of_another_width_are_refused(self, tmp_path):
        network = AnyStyleNetwork(width=2)
        network.width = 3
        network.save(tmp_path / "n.safetensors")
        with pytest.raises(ValueError, match="makes no network of this version: Error"):
            Stylizer.load(tmp_path / "n.safetensors")


def test_threads_paint_in_evaluation_mode_and_with_the_last_the_mode_comes_back():
    first_in, second_in, first_out = (threading.Event() for _ in range(3))

    class Modes(Recolor):
        """White where it paints in training mode, else black."""

        def forward(self, content, code):  # noqa: ARG002
            is_first = float(content.max()) == 0
            mine, others = (first_in, second_in) if is_first else (second_in, first_out)
            mine.set()
            assert others.wait(10)
            return torch.full_like(content, float(self.training))

    network = Modes().train()
    paint = network.bind(PAINTING)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(paint, torch.zeros(1, 3, 4, 4))
        assert first_in.wait(10)
        second = threads.submit(paint, torch.ones(1, 3, 4, 4))
        assert float(first.result().max()) == 0
        first_out.set()
        assert float(second.result().max()) == 0
    assert all(part.training for part in network.modules())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["three styles", "any style, light"])
def test_networks_in_half_precision_paint_nearly_the_same(name, dtype):
    network = seeded(NETWORKS[name]())
    style = network.styles[0] if network.styles else PAINTING
    expected = network.bind(style)(PHOTO)
    found = network.to(dtype).bind(style)(PHOTO)
    assert found.dtype == torch.float32
    assert float((found - expected).abs().mean()) < 0.02


@pytest.mark.parametrize("name", ["three styles", "any style, light"])
def test_a_network_that_is_loaded_in_inference_mode_paints_and_learns_outside_of_it(name, tmp_path):
    NETWORKS[name]().save(tmp_path / "net.safetensors")
    with torch.inference_mode():
        network = Stylizer.load(tmp_path / "net.safetensors")
    paint = network.bind(network.styles[0] if network.styles else PAINTING)
    assert paint(PHOTO).shape == PHOTO.shape
    network(PHOTO[..., :40], paint.codes[None]).sum().backward()
