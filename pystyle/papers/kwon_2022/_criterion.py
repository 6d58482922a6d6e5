from typing import Literal

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.losses import ContentLoss
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.kwon_2022._losses import DifferencesLoss
from pystyle.text import IMAGENET_TEMPLATES, Prompt, RandomCrops, TextDirectionLoss, TextImageEncoder

CONTENT_LAYERS = {"paper": ("conv4_2", "conv5_2"), "code": ("relu4_2", "relu5_2")}
CONTENT_WEIGHT = 150.0
PATCH_WEIGHT = 9000.0
DIRECTION_WEIGHT = 500.0
SMOOTHNESS_WEIGHT = 2e-3
SOURCE = "a Photo"
THRESHOLD = 0.7
CROPS = RandomCrops(count=64, size=128, distortion=0.5)

TEMPLATES = tuple(template for template in IMAGENET_TEMPLATES if template != "a photo of many {}.")
"""The sentences that the authors put texts in: those of Radford et al. for ImageNet, but one."""

TORCHVISION_SCALE = {"conv4_2": 0.006894, "conv5_2": 0.04112, "relu4_2": 0.004964, "relu5_2": 0.04873}
"""Norms of torchvision's VGG-19 features relative to those of the Caffe weights, on the same noise."""


def criterion(
    text: Prompt,
    text_encoder: TextImageEncoder,
    encoder: Encoder | None = None,
    *,
    variant: Variant = "code",
    network: Literal["torchvision", "caffe"] = "torchvision",
    source: Prompt = SOURCE,
    crops: RandomCrops = CROPS,
    threshold: float = THRESHOLD,
    content_weight: float = CONTENT_WEIGHT,
    patch_weight: float = PATCH_WEIGHT,
    direction_weight: float = DIRECTION_WEIGHT,
    smoothness: float = SMOOTHNESS_WEIGHT,
) -> Criterion:
    """The losses, with their published weights unless asked otherwise.

    Args:
        text: What the picture becomes: a text, a painting, or several of both with weights.
        text_encoder: What knows images and texts, such as :func:`pystyle.text.text_encoder` reads it.
        encoder: The network of the content loss; the VGG-19 with the weights of `network` if not given.
        variant: Which side of the table: at which layers the content is compared.
        network: Which weights of the VGG-19 the losses are weighted for. Those of Caffe come with pip.
        source: What the photograph is.
        crops: The parts that are looked at. The time of a step is nearly proportional to their number.
        threshold: Crops whose loss is below it count as 0.
        content_weight: Factor of the content loss (``--lambda_c``).
        patch_weight: Factor of the loss of the crops (``--lambda_patch``).
        direction_weight: Factor of the loss of the whole picture (``--lambda_dir``).
        smoothness: Factor of the lengths of differences (``--lambda_tv``).

    Returns:
        A criterion with the losses ``patches``, ``direction``, ``content`` and ``smoothness``.

    Raises:
        ValueError: If `variant` or `network` is unknown.

    Example:
        >>> import torch
        >>> class Brightness:
        ...     def encode_images(self, images):
        ...         return torch.nn.functional.normalize(images.mean((2, 3))[:, :2], dim=1)
        ...     def encode_texts(self, texts):
        ...         return torch.eye(2)[[int("Photo" in text) for text in texts]]
        >>> list(criterion("fire", Brightness(), vgg19(weights=None)).losses)
        ['patches', 'direction', 'content', 'smoothness']
    """
    check_variant(variant)
    if network not in ("torchvision", "caffe"):
        raise ValueError(f"`network` must be 'torchvision' or 'caffe', got {network!r}.")
    encoder = vgg19(network) if encoder is None else encoder
    layers = CONTENT_LAYERS[variant]
    scales = [TORCHVISION_SCALE[layer] if network == "caffe" else 1.0 for layer in layers]

    def direction(weight: float, crops: RandomCrops | None, threshold: float) -> TextDirectionLoss:
        return TextDirectionLoss(
            text_encoder,
            text,
            source=source,
            weight=weight,
            templates=TEMPLATES,
            crops=crops,
            threshold=threshold,
        )

    return Criterion(
        encoder,
        {
            "patches": direction(patch_weight, crops, threshold),
            "direction": direction(direction_weight, None, 0.0),
            "content": ContentLoss(
                layers, weight=content_weight, layer_weights=[scale**2 for scale in scales]
            ),
            "smoothness": DifferencesLoss(weight=smoothness),
        },
    )
