from pystyle.encoders import Encoder, HypercolumnEncoder
from pystyle.papers._variants import Variant, check_variant

# The first one gives the size, a quarter of that of the image.
LAYERS = (
    "relu3_1", "relu3_2", "relu3_3", "relu4_1", "relu4_2", "relu4_3",
    "relu1_1", "relu1_2", "relu2_1", "relu2_2",
)  # fmt: skip
FIFTH_BLOCK = ("relu5_1", "relu5_2", "relu5_3")
COLUMNS = "hypercolumns"
ROTATIONS = (0.0, 90.0, 180.0, 270.0)


def layers_of(variant: Variant) -> tuple[str, ...]:
    """The layers that are matched."""
    check_variant(variant)
    return LAYERS if variant == "code" else LAYERS + FIFTH_BLOCK


def columns(encoder: Encoder, *, variant: Variant) -> HypercolumnEncoder:
    """The encoder with the layer of hypercolumns."""
    return HypercolumnEncoder(encoder, {COLUMNS: layers_of(variant)}, normalization="channels")
