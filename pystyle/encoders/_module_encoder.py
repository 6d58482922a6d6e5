import difflib
import math
from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from torch.nn.functional import pad

from pystyle._arguments import whole_number
from pystyle.encoders._encoder import Encoder
from pystyle.encoders._geometry import LayerGeometry
from pystyle.encoders._probing import probe_layers
from pystyle.encoders._taps import outputs_of
from pystyle.typing import IMAGE


class ModuleEncoder(Encoder):
    """An encoder of any module: its layers are the outputs of named submodules.

    A pass ends with the deepest wanted layer. Outputs may be maps with the channels first or last, or
    sequences of tokens with or without a class token; all become (batch, channels, height, width).
    Which of them it is, strides, receptive fields and smallest sizes are found out at construction, by
    running a copy without data.

    Args:
        module: Takes an image and calls the submodules. It is frozen and put in evaluation mode.
        layers: The names of submodules, as ``module.named_modules()`` has them, or a mapping from
            names of your choice to them.
        preprocessing: What is done to the image first, for example :class:`Normalize`. It must act on
            each pixel alone.
        size_multiple: The sides of images are rounded up to multiples of this, by repeating the pixels
            at the lower and right border, for a module that takes no others.
        image_size: The side of the only square that the module takes, if it takes no others.
        geometry: The geometry of layers for which it cannot be derived or is known better.

    Raises:
        ValueError: If the module does not run, or a layer is missing, is called several times or
            gives no map of features.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]
        - features: (batch, channels, height / stride, width / stride) for each layer

    Example:
        >>> import torch
        >>> from torch import nn
        >>> module = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(inplace=True), nn.Conv2d(8, 4, 3))
        >>> encoder = ModuleEncoder(module, {"conv1": "0", "relu1": "1"})
        >>> encoder(torch.rand(1, 3, 9, 13), ["conv1"])["conv1"].shape
        torch.Size([1, 8, 4, 6])
        >>> encoder.geometry("relu1")
        LayerGeometry(stride=2, receptive_field=3, minimum_size=3, offset=None)

    Note:
        What cannot be shown to depend on a neighbourhood alone, such as attention or
        squeeze-and-excitation, has `WHOLE_IMAGE` as its receptive field: an image that is encoded in
        parts would have other features there.

        Tokens must be the positions row by row. A pass is no graph for ``torch.compile``: in a
        compiled function the encoder runs as it is.
    """

    def __init__(
        self,
        module: nn.Module,
        layers: Mapping[str, str] | Sequence[str],
        *,
        preprocessing: nn.Module | None = None,
        size_multiple: int = 1,
        image_size: int | None = None,
        geometry: Mapping[str, LayerGeometry] | None = None,
    ) -> None:
        super().__init__()
        paths = _named_paths(module, layers)
        size_multiple = whole_number(size_multiple, "`size_multiple`", least=1)
        if image_size is not None:
            image_size = whole_number(image_size, "`image_size`", least=1)
        self.preprocessing = nn.Identity() if preprocessing is None else preprocessing
        self.module = module
        self.size_multiple = size_multiple
        self.image_size = image_size
        self.requires_grad_(False)
        self.eval()
        probed = probe_layers(
            module, list(dict.fromkeys(paths.values())), image_size=image_size, size_multiple=size_multiple
        )
        self._paths = {name: path for path in probed for name, other in paths.items() if other == path}
        self._layouts = {path: layer.layout for path, layer in probed.items()}
        self._geometry = {name: probed[path].geometry for name, path in self._paths.items()}
        declared = dict(geometry or {})
        self.check_layers(list(declared))
        self._geometry.update(declared)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers, in the order in which the module computes them."""
        return tuple(self._paths)

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """The features of the wanted layers; what comes after the deepest is not computed."""
        self.check_layers(layers)
        self._check_size(image)
        x = self._prepared(image)
        wanted = {self._paths[layer] for layer in layers}
        outputs = outputs_of(self.module, x, wanted)
        missing = sorted(wanted - set(outputs))
        if missing:
            raise RuntimeError(
                f"The module did not call {', '.join(map(repr, missing))} for this image, though it did "
                "when the encoder was built. Use layers that every image passes."
            )
        size = (x.shape[2], x.shape[3])
        maps = {path: self._layouts[path].as_map(output, size) for path, output in outputs.items()}
        return {layer: maps[self._paths[layer]] for layer in layers}

    def geometry(self, layer: str) -> LayerGeometry:
        """What was found out when the encoder was built, or declared."""
        self.check_layers([layer])
        return self._geometry[layer]

    def multiple(self, layers: Sequence[str]) -> int:
        """That of the strides and of `size_multiple`: an image that is rounded up would wrap elsewhere."""
        return math.lcm(super().multiple(layers), self.size_multiple)

    def _check_size(self, image: Tensor) -> None:
        side = self.image_size
        if side is not None and tuple(image.shape[2:]) != (side, side):
            raise ValueError(
                f"`image` must be {side} x {side} pixels, the only size that this encoder takes, got "
                f"{image.shape[2]} x {image.shape[3]}. Resize it, or use another encoder."
            )

    def _prepared(self, image: Tensor) -> Tensor:
        x: Tensor = self.preprocessing(image)
        below, right = (-side % self.size_multiple for side in x.shape[2:])
        if below or right:
            return pad(x, (0, right, 0, below), mode="replicate")
        # The module may begin with something that works in place.
        return x.clone() if x is image else x


def _named_paths(module: nn.Module, layers: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    if isinstance(layers, str):
        raise TypeError(f"`layers` must be a mapping or a sequence of names, got the string {layers!r}.")
    paths = dict(layers) if isinstance(layers, Mapping) else {path: path for path in layers}
    if not paths:
        raise ValueError("`layers` must name at least one submodule, got none.")
    known = [path for path, _ in module.named_modules(remove_duplicate=False)]
    for name, path in paths.items():
        if not name or name == IMAGE:
            raise ValueError(f"The names of `layers` must not be empty or {IMAGE!r}, got {name!r}.")
        if path not in known:
            similar = difflib.get_close_matches(path, known, n=1)
            hint = f" Did you mean {similar[0]!r}?" if similar else ""
            raise ValueError(
                f"`layers` must name submodules of {type(module).__name__}, such as "
                f"{', '.join(known[1:9])}; got {path!r}.{hint}"
            )
    return paths
