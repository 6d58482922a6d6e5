"""ONNX Runtime paints with exported networks what they paint: at any size, a style inside or not."""

import json
import os

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from pystyle.networks import (
    AnyStyleNetwork,
    Convolution,
    ResNetGenerator,
    Stylizer,
    TransformNetwork,
    pretrained,
)
from pystyle.networks._row_convolution import RowConvolution, by_rows
from pystyle.papers import (
    chen_2018,
    deng_2022,
    dumoulin_2017,
    ghiasi_2017,
    huang_2017,
    isola_2017,
    johnson_2016,
    li_fang_2017,
    liu_2021,
    park_2020,
    park_lee_2019,
    sanakoyeu_2018,
    ulyanov_2016,
    ulyanov_2017,
    wang_2023,
    yoo_2019,
)

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")

SIZES = [(101, 57), (67, 90), (250, 333), (83, 83), (129, 71)]
WHITENING = "decomposes matrices"
NOISE = "depends on the sizes"


def image(height, width, count=1, seed=0):
    """What varies as photographs do: coarse shapes and fine ones."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 5, 6, generator=generator)
    fine = torch.rand(count, 3, height // 2, width // 2, generator=generator)
    shapes = [interpolate(part, (height, width), mode="bilinear") for part in (coarse, fine)]
    return 0.8 * shapes[0] + 0.2 * shapes[1]


def run(path, **inputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = {name: np.asarray(value) for name, value in inputs.items()}
    return [torch.from_numpy(found) for found in session.run(None, given)]


def metadata(path):
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def largest(found, wanted):
    assert found.shape == wanted.shape
    return float((found - wanted).abs().max())


def masters(width=2):
    torch.manual_seed(0)
    network = TransformNetwork(width=width, styles=["waves", "wheat"])
    torch.nn.init.normal_(network.codes)
    return network.eval()


def light():
    torch.manual_seed(0)
    return AnyStyleNetwork(width=2, features="light").eval()


@pytest.mark.slow
def test_a_network_of_several_styles_takes_shares_of_them(tmp_path):
    network, path = masters(), tmp_path / "net.onnx"
    assert network.export(path) == (path,)
    for height, width in SIZES:
        content = image(height, width, count=2)
        found = run(path, content=content, shares=np.float32([[0.25, 0.75]]))[0]
        assert largest(found, network.bind([("waves", 1.0), ("wheat", 3.0)])(content)) < 1e-4
        found = run(path, content=content, shares=np.float32([[0, 1]]))[0]
        assert largest(found, network.bind("wheat")(content)) < 1e-4


@pytest.mark.slow
def test_a_style_that_is_given_is_fixed(tmp_path):
    network, path = masters(), tmp_path / "net.onnx"
    network.card = {"name": "two seas", "licence": "BSD-3-Clause", "figures": {"lpips": 0.5}}
    network.export(path, style="wheat")
    for height, width in SIZES:
        content = image(height, width)
        assert largest(run(path, content=content)[0], network.bind("wheat")(content)) < 1e-4
    model = onnx.load(path)
    onnx.checker.check_model(model)
    assert [value.name for value in model.graph.input] == ["content"]
    axes = model.graph.input[0].type.tensor_type.shape.dim
    assert [axis.dim_param or axis.dim_value for axis in axes] == ["batch", 3, "height", "width"]
    said = metadata(path)
    assert (said["class"], said["name"], said["licence"]) == ("TransformNetwork", "two seas", "BSD-3-Clause")
    assert json.loads(said["card"]) == network.card
    assert (said["value_range"], said["layout"]) == ("[0, 1]", "NCHW, RGB")
    # No path of the machine that made it.
    assert os.path.dirname(torch.__file__).encode() not in path.read_bytes()
    assert os.path.dirname(__file__).encode() not in path.read_bytes()


@pytest.mark.slow
def test_a_network_for_any_style_takes_a_code_that_another_file_makes(tmp_path):
    network, path = light(), tmp_path / "net.onnx"
    written = network.export(path)
    assert written == (path, tmp_path / "net-style.onnx")
    style = image(90, 71, seed=1)
    session = onnxruntime.InferenceSession(str(written[1]))
    names = [output.name for output in session.get_outputs()]
    code = dict(zip(names, session.run(None, {"style": style.numpy()}), strict=True))
    assert len(code) == 6
    assert "code_color_mean" in code
    for height, width in SIZES:
        content = image(height, width, count=2)
        assert largest(run(path, content=content, **code)[0], network.bind(style)(content)) < 1e-4
    assert metadata(written[1])["part"] == "style"


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", ["any-style", "any-style-light"])
def test_a_shipped_network_for_any_style_is_equal_on_photograph_like_images(name, tmp_path):
    network, path = pretrained(name), tmp_path / "net.onnx"
    style = image(120, 101, seed=1)
    network.export(path, style=style)
    paint = network.bind(style)
    for height, width in SIZES:
        content = image(height, width)
        assert largest(run(path, content=content)[0], paint(content)) < 1e-4
    assert ("Simonyan" in metadata(path)["notice"]) == (network.features == "vgg19")
    # What hardly varies is at the mercy of rounding: less than half a level of 8 bits.
    for content in (torch.full((1, 3, 41, 40), 0.3), 0.3 + 0.004 * image(41, 40)):
        assert largest(run(path, content=content)[0], paint(content)) < 0.5 / 255


@pytest.mark.slow
def test_the_shipped_masters_are_equal(tmp_path):
    network, path = pretrained("masters"), tmp_path / "net.onnx"
    network.export(path, style="rocks")
    for height, width in SIZES:
        content = image(height, width)
        assert largest(run(path, content=content)[0], network.bind("rocks")(content)) < 1e-4
    assert metadata(path)["licence"] == "BSD-3-Clause"


@pytest.mark.slow
def test_a_size_can_be_fixed(tmp_path):
    network, path = masters(), tmp_path / "net.onnx"
    network.export(path, style="waves", size=(33, 50))
    content = image(33, 50)
    assert largest(run(path, content=content)[0], network.bind("waves")(content)) < 1e-4
    axes = onnx.load(path).graph.input[0].type.tensor_type.shape.dim
    assert [axis.dim_value for axis in axes] == [1, 3, 33, 50]
    assert metadata(path)["size"] == "33 x 50"


ONE_STYLE = {
    "ResNetGenerator": lambda: ResNetGenerator(width=2, num_blocks=1),
    "ResNetGenerator antialias": lambda: ResNetGenerator(width=2, num_blocks=1, antialias=True),
    "ResNetGenerator zeros": lambda: ResNetGenerator(
        width=2, num_blocks=1, upsampling="transposed", border="zeros"
    ),
    "chen_2018": lambda: chen_2018.network(width=2, num_blocks=1),
    "isola_2017": lambda: isola_2017.network(width=4, num_layers=3),
    "johnson_2016": lambda: johnson_2016.ImageTransformNetwork(width=2),
    "park_2020": lambda: park_2020.network(width=2),
    "sanakoyeu_2018": lambda: sanakoyeu_2018.network(width=2, num_blocks=1),
    "ulyanov_2016": lambda: ulyanov_2016.PyramidNetwork(num_scales=2, channels=2),
    "ulyanov_2017": lambda: ulyanov_2017.ResidualNetwork(width=2, inputs="content"),
    "dumoulin_2017": lambda: dumoulin_2017.network(width=2, styles=["waves"]),
}
ANY_STYLE = {
    "deng_2022": lambda: deng_2022.network(width=64, heads=4, layers=2, inner=24),
    "ghiasi_2017": lambda: ghiasi_2017.network(width=4, weights=None),
    "huang_2017": lambda: huang_2017.network(layer="relu2_1", weights=None),
    "li_fang_2017 reconstruction": lambda: li_fang_2017.Reconstruction(level=1, weights=None),
    "liu_2021": lambda: liu_2021.network(max_keys=200, weights=None),
    "park_lee_2019": lambda: park_lee_2019.network(layers=("relu2_1", "relu2_2"), weights=None),
    "wang_2023": lambda: wang_2023.network(width=4),
}
REFUSED = {
    "li_fang_2017": (lambda: li_fang_2017.network(levels=(1,), weights=None), WHITENING),
    "yoo_2019": (lambda: yoo_2019.network(option="sum", weights=None), WHITENING),
    "ulyanov_2016": (
        lambda: ulyanov_2016.PyramidNetwork(num_scales=2, channels=2, inputs="both"),
        NOISE,
    ),
    "ulyanov_2017": (lambda: ulyanov_2017.ResidualNetwork(width=2, inputs="both"), NOISE),
}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", [*ONE_STYLE, *ANY_STYLE])
def test_every_other_network_paints_the_same(name, tmp_path):
    torch.manual_seed(0)
    network = {**ONE_STYLE, **ANY_STYLE}[name]().eval()
    style = network.styles[0] if network.styles else image(80, 96, seed=1)
    path = tmp_path / "net.onnx"
    network.export(path, style=style)
    for height, width in ((101, 67), (83, 130)):
        content = image(height, width)
        assert largest(run(path, content=content)[0], network.bind(style)(content)) < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_exported_is_refused_with_its_reason(name, tmp_path):
    make, reason = REFUSED[name]
    network = make().eval()
    style = None if network.styles else image(80, 96)
    with pytest.raises(
        RuntimeError, match=rf"{type(network).__name__} cannot be exported to ONNX: .*{reason}"
    ):
        network.export(tmp_path / "net.onnx", style=style)
    assert not list(tmp_path.iterdir())


class Drifting(Stylizer):
    """A network whose pictures depend on what an exporter sees as a constant."""

    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(()))
        self.calls = 0

    def represent_style(self, style):
        return style.mean((2, 3))

    def forward(self, content, code):
        self.calls += 1
        return content * self.factor + 0.01 * self.calls + 0 * code[:, :, None, None]


@pytest.mark.slow
def test_what_onnx_runtime_paints_otherwise_is_not_written(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="Drifting cannot be exported to ONNX: what ONNX Runtime computes"):
        Drifting().export(path, style=image(32, 32))
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"style": "stars"}, ValueError, "`style` must be one of the names"),
        ({"style": "waves", "size": (8, 32)}, ValueError, "`size` must be at least 16"),
        ({"style": "waves", "size": 32}, TypeError, "`size` must be .height, width."),
        ({"style_path": "other.onnx"}, ValueError, "`style_path` is for a network of any style"),
    ],
)
def test_wrong_arguments_are_explained(tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        masters().export(tmp_path / "net.onnx", **arguments)
    assert not list(tmp_path.iterdir())


def test_both_files_must_differ_and_a_code_must_have_one_size(tmp_path):
    with pytest.raises(ValueError, match="`style_path` must be another file"):
        light().export(tmp_path / "net.onnx", style_path=tmp_path / "net.onnx")
    network = park_lee_2019.network(layers=("relu2_1", "relu2_2"), weights=None)
    with pytest.raises(ValueError, match="`style` must be given for a network whose codes have the sizes"):
        network.export(tmp_path / "net.onnx")
    with pytest.raises(ValueError, match="`style` must be one style, got a batch of 2"):
        light().export(tmp_path / "net.onnx", style=image(32, 32, count=2))


def test_a_folder_that_is_missing_is_found_before_the_work(tmp_path):
    with pytest.raises(OSError, match="does not exist"):
        masters().export(tmp_path / "none" / "net.onnx", style="waves")


@pytest.mark.slow
def test_int8_paints_nearly_the_same_and_keeps_the_first_and_the_last_layer(tmp_path):
    network, path = masters(width=4), tmp_path / "net.onnx"
    contents = [image(48, 40, count=2), image(33, 50, seed=2)]
    network.export(path, style="wheat", int8=contents)
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    # Of sixteen; each that is in whole numbers has its inputs, its weights and its output converted.
    assert kinds.count("Conv") == 16
    session = onnxruntime.SessionOptions()
    session.optimized_model_filepath = str(tmp_path / "as-run.onnx")
    onnxruntime.InferenceSession(str(path), session, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "as-run.onnx").graph.node]
    assert kinds.count("QLinearConv") == 14
    assert metadata(path)["int8"] == "3"
    assert metadata(path)["class"] == "TransformNetwork"
    content = image(57, 44, seed=3)
    difference = (run(path, content=content)[0] - network.bind("wheat")(content)).abs()
    assert 0 < difference.mean() < 0.05


def test_int8_needs_contents_and_a_style(tmp_path):
    path = tmp_path / "net.onnx"
    with pytest.raises(ValueError, match="`int8` must be images, at least one"):
        masters().export(path, style="wheat", int8=[])
    with pytest.raises(ValueError, match="`int8` must have sides of at least 16 pixels"):
        masters().export(path, style="wheat", int8=torch.rand(1, 3, 8, 20))
    with pytest.raises(ValueError, match="`style` must be given with `int8`"):
        masters().export(path, int8=image(32, 32))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("border", ["replicate", "reflect", "zeros"])
def test_a_convolution_by_rows_is_the_convolution(border):
    layer = Convolution(5, 3, 9, border=border)
    network = torch.nn.Sequential(layer, Convolution(3, 3), Convolution(3, 8, 9))
    by_rows(network)
    assert [type(part) for part in network] == [RowConvolution, Convolution, Convolution]
    for height, width in ((16, 21), (9, 12)):
        features = torch.rand(2, 5, height, width)
        assert torch.allclose(network[0](features), layer(features), atol=1e-5)
