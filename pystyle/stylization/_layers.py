"""The layers of the encoders that the recipe knows."""

from pystyle.encoders import Encoder

STYLE_LAYERS = {
    "relu4_2": ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
    "relu4": ("relu1", "relu2", "relu3", "relu4", "relu5"),
}
"""The style layers by the content layer: those of the VGGs and of AlexNet."""


def content_layer_of(encoder: Encoder) -> str:
    """The layer that is compared with the photograph.

    Raises:
        ValueError: If the encoder has neither the layers of the VGGs nor those of AlexNet.
    """
    for layer in STYLE_LAYERS:
        if layer in encoder.layers:
            return layer
    raise ValueError(
        f"`encoder` must have the layers of the VGGs or of AlexNet, got {', '.join(encoder.layers[:6])}, "
        "... Compose a `Criterion` with layers of your encoder and call `optimize_image`."
    )
