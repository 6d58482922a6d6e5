from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor

from pystyle._arguments import check_mapping
from pystyle.encoders._encoder import Encoder
from pystyle.encoders._geometry import LayerGeometry
from pystyle.functional import hypercolumns
from pystyle.typing import IMAGE


class HypercolumnEncoder(Encoder):
    """An encoder with groups of its layers as further layers: their features one above the other.

    At each position of a group stand the features of all its layers, from what an edge looks like to
    what it belongs to. The layers of the encoder itself stay, and one pass serves them and the groups.

    Args:
        encoder: The encoder.
        groups: The layers of each group by its name. All are brought to the size of the first: finer
            ones by averaging, coarser ones by bilinear interpolation. ``"image"`` is the image itself.
        normalization: What the features of each layer are divided by: nothing, or the number of its
            channels.

    Raises:
        ValueError: If there are no groups, one has no layers, a layer twice or one that the encoder
            lacks, or a name is empty, contains a dot or is taken.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]
        - features of a group: (batch, channels of all its layers, height, width of the first)

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg19
        >>> encoder = HypercolumnEncoder(vgg19(weights=None), {"columns": ["relu2_1", "relu1_1", "relu3_1"]})
        >>> encoder(torch.rand(1, 3, 32, 32), ["columns"])["columns"].shape
        torch.Size([1, 448, 16, 16])
        >>> encoder.stride("columns")
        2

    Note:
        Losses that look at some positions, such as :class:`~pystyle.RelaxedEMDLoss`, have a criterion join
        the layers at these only; see :attr:`Loss.takes_maps <pystyle.Loss>`.

        Kolkin et al. bring all layers of the first four blocks of the VGG-16 to a quarter of the size of
        the image, which is that of the third block, with ``normalization="channels"``. They do not
        average where they shrink. Zhang et al. join the layers of a block as they are.

    References:
        Hariharan et al. *Hypercolumns for object segmentation and fine-grained localization*. CVPR 2015.
        Kolkin et al. *Neural neighbor style transfer*. 2022.
    """

    def __init__(
        self,
        encoder: Encoder,
        groups: Mapping[str, Sequence[str]],
        *,
        normalization: Literal["none", "channels"] = "none",
    ) -> None:
        super().__init__()
        check_mapping(groups, "`groups`", '{"columns": ["relu1_1", "relu2_1"]}')
        if not groups:
            raise ValueError("`groups` must have at least one group, got none.")
        if normalization not in ("none", "channels"):
            raise ValueError(f"`normalization` must be 'none' or 'channels', got {normalization!r}.")
        self.encoder = encoder
        self.groups = {name: tuple(layers) for name, layers in groups.items()}
        self.normalization = normalization
        for name, layers in groups.items():
            self._check_group(name, layers)
        self.eval()

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers of the encoder and then the groups."""
        return (*self.encoder.layers, *self.groups)

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """The features of the wanted layers and groups; one pass of the encoder."""
        self.check_layers(layers)
        members = dict.fromkeys(member for layer in layers for member in self.groups.get(layer, (layer,)))
        needed = [member for member in members if member != IMAGE]
        features = {**(self.encoder(image, needed) if needed else {}), IMAGE: image}
        columns = {group: self._column(features, group) for group in self.groups if group in layers}
        return {layer: columns[layer] if layer in columns else features[layer] for layer in layers}

    def geometry(self, layer: str) -> LayerGeometry:
        """The geometry of the layer, or of a group: the stride of its first layer, what all of them see."""
        self.check_layers([layer])
        if layer not in self.groups:
            return self.encoder.geometry(layer)
        members = [self._member_geometry(member) for member in self.groups[layer]]
        strides = {member.stride for member in members}
        # Between grids whose sizes are no multiples of each other, positions drift by less than a stride,
        # and the windows that average or interpolate reach over another one.
        blur = 2 * max(strides) if len(strides) > 1 else 0
        return LayerGeometry(
            stride=members[0].stride,
            receptive_field=max(member.receptive_field for member in members) + blur,
            minimum_size=max(member.minimum_size for member in members),
        )

    def multiple(self, layers: Sequence[str]) -> int:
        """That of all members of the groups, of which some are coarser than the first."""
        self.check_layers(layers)
        members = {member for layer in layers for member in self.groups.get(layer, (layer,))}
        return self.encoder.multiple([member for member in members if member != IMAGE])

    def members(self, layer: str) -> tuple[str, ...]:
        """The layers of a group as it was given; itself where their features are divided by something."""
        return self.groups.get(layer, (layer,)) if self.normalization == "none" else (layer,)

    def _member_geometry(self, layer: str) -> LayerGeometry:
        return LayerGeometry(1, 1, 1) if layer == IMAGE else self.encoder.geometry(layer)

    def _column(self, features: Mapping[str, Tensor], group: str) -> Tensor:
        maps = [features[layer] for layer in self.groups[group]]
        if self.normalization == "channels":
            maps = [part / part.shape[1] for part in maps]
        return hypercolumns(maps)

    def _check_group(self, name: str, layers: Sequence[str]) -> None:
        if not name or "." in name or name == IMAGE or name in self.encoder.layers:
            raise ValueError(
                f"The names of `groups` must not be empty, contain a dot or be those of layers, got {name!r}."
            )
        if isinstance(layers, str):
            raise TypeError(
                f"`groups` must hold lists of layers, got the string {layers!r}. Use [{layers!r}]."
            )
        if not len(layers) or len(set(layers)) < len(layers):
            raise ValueError(
                f"`groups` must name different layers, at least one, got {list(layers)} for {name!r}."
            )
        self.encoder.check_layers([layer for layer in layers if layer != IMAGE])
