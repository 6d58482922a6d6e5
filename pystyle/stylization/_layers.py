"""The layers of encoders that the recipe looks at."""

import difflib

from pystyle.encoders import Encoder, ModuleEncoder

_STYLE_LAYERS = {
    "relu4_2": ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
    "relu4": ("relu1", "relu2", "relu3", "relu4", "relu5"),
}
"""The style layers by the content layer: those of the VGGs and of AlexNet."""


def content_layer_of(encoder: Encoder, layer: str | None = None) -> str:
    """The layer that is compared with the photograph.

    Args:
        encoder: The encoder.
        layer: Another one than that of the VGGs or of AlexNet, or than the one at three quarters of the depth
            of another network.

    Raises:
        ValueError: If the encoder has no such layer, or is composed of layers of which nothing is known.
    """
    if layer is not None:
        if layer not in encoder.layers:
            close = difflib.get_close_matches(layer, encoder.layers, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(
                f"`content_layer` must be one of {', '.join(encoder.layers)}, got {layer!r}.{hint}"
            )
        return layer
    for known in _STYLE_LAYERS:
        if known in encoder.layers:
            return known
    if isinstance(encoder, ModuleEncoder):
        # Their layers were chosen: one of each resolution, unless somebody chose others.
        return _five(encoder)[3]
    raise ValueError(
        f"`encoder` must have the layers of the VGGs or of AlexNet, got {', '.join(encoder.layers[:6])}, "
        "... Compose a `Criterion` with layers of your encoder and call `optimize_image`, or name "
        "`content_layer`."
    )


def fine_content_layer_of(encoder: Encoder) -> str:
    """The layer that is compared with the photograph where the composition is settled."""
    return five_layers_of(encoder)[2]


def five_layers_of(encoder: Encoder) -> tuple[str, ...]:
    """From shallow to deep those whose styles are compared; one that stands for several is there again."""
    known = [layers for layer, layers in _STYLE_LAYERS.items() if layer in encoder.layers]
    return known[0] if known else _five(encoder)


def _five(encoder: Encoder) -> tuple[str, ...]:
    """The layers at each quarter of the depth."""
    last = len(encoder.layers) - 1
    return tuple(encoder.layers[round(last * quarter / 4)] for quarter in range(5))
