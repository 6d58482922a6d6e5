import torch
from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.criterion._kind import check_criterion
from pystyle.evaluation._allocations import Allocations
from pystyle.evaluation._eager import EagerEvaluation
from pystyle.evaluation._evaluation import Evaluation
from pystyle.evaluation._stored_targets import without_store
from pystyle.losses._sampling import rewinding

_EAGER = EagerEvaluation()

_SCRATCH = 24 * 2**20
"""What convolutions and the allocator take beside the tensors, in bytes; measured at 512 and 1024 pixels."""


def evaluation_memory(criterion: Criterion, size: tuple[int, int], evaluation: Evaluation = _EAGER) -> int:
    """The memory that evaluating an image takes at most, beside the criterion itself.

    References of the same size are represented, and terms and gradient are computed, for three
    small images of noise, while the tensors that live at a time are added up. What an image takes
    grows with its area and, in strips, with its width.

    Args:
        criterion: Encoder and losses.
        size: Height and width of the image in pixels.
        evaluation: How it is evaluated.

    Returns:
        The number of bytes. Measured peaks were within 20 % of it at 512 and 1024 pixels.

    Raises:
        TypeError: If the criterion is something else.

    Example:
        >>> from pystyle import Criterion, GramLoss
        >>> from pystyle.encoders import vgg11
        >>> criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu2_1")})
        >>> small, large = (evaluation_memory(criterion, (side, side)) for side in (512, 1024))
        >>> 3 < large / small < 4.1
        True
    """
    check_criterion(criterion)
    evaluation = without_store(evaluation)
    # A region takes what the whole image does.
    everywhere = {name: loss.within(None) for name, loss in criterion.named_losses.items()}
    criterion = Criterion(
        criterion.encoder,
        everywhere,
        normalize_gradients=criterion.normalize_gradients,
        wrap=criterion.wrap,
    )
    smallest = criterion.encoder.minimum_size(criterion.layers)
    deepest = max((criterion.encoder.stride(layer) for layer in criterion.layers), default=1)
    rows = getattr(evaluation, "rows", 0)
    # Whole strips of every part of the encoder, of which there are two and then three.
    least = max(smallest, 64, rows * deepest), max(smallest, 48 if rows else 96), 192
    # Sides that wrap have a whole number of positions at all layers.
    multiple = criterion.encoder.multiple(criterion.layers) if criterion.wrap else 1
    taller, wider, high = (-(-side // multiple) * multiple for side in least)
    height, width = max(2 * taller, high), wider
    base = _peak(criterion, (height, width), evaluation)
    by_area = (_peak(criterion, (height + taller, width), evaluation) - base) / (taller * width)
    by_width = (_peak(criterion, (height, width + wider), evaluation) - base) / wider - by_area * height
    constant = base - by_area * height * width - by_width * width
    return round(constant + by_area * size[0] * size[1] + by_width * size[1]) + _SCRATCH


def gibibytes(number: int) -> str:
    """A number of bytes in words."""
    return f"{number / 2**30:.1f} GiB"


def _peak(criterion: Criterion, size: tuple[int, int], evaluation: Evaluation) -> int:
    image = _noise(criterion, size)
    references = dict.fromkeys(criterion.references, image)
    # A run that is measured first makes the random choices that it would have made.
    rewind = rewinding([each for loss in criterion.named_losses.values() for each in loss.generators()])
    try:
        with Allocations() as allocations:
            evaluation.bind(criterion, references)(image)
    finally:
        rewind()
    return int(allocations.peak)


def _noise(criterion: Criterion, size: tuple[int, int]) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, *size, generator=generator, dtype=torch.float32, device="cpu")
    return image.to(_device(criterion), criterion.encoder.image_dtype or image.dtype)


def _device(criterion: Criterion) -> torch.device:
    return next((parameter.device for parameter in criterion.encoder.parameters()), torch.device("cpu"))
