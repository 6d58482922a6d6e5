"""The public constructors of the VGG and AlexNet encoders."""

from pystyle.encoders._architectures import Padding
from pystyle.encoders._modules import Pooling
from pystyle.encoders._sequential import SequentialEncoder
from pystyle.encoders._vgg import Preprocessing, Weights, build_encoder


def vgg19(
    weights: Weights = "caffe",
    *,
    pooling: Pooling = "max",
    ceil_mode: bool = False,
    padding: Padding = "zeros",
    preprocessing: Preprocessing | None = None,
    seed: int = 0,
) -> SequentialEncoder:
    """The convolutional part of VGG-19, the network of nearly all style transfer.

    Layers: ``conv1_1 relu1_1 conv1_2 relu1_2 pool1 conv2_1 ... relu5_4 pool5``.

    Args:
        weights: ``"caffe"`` for the weights of the paper, which are installed with pystyle;
            ``"caffe_normalized"`` for the same with a mean activation of 1 in every filter;
            ``"torchvision"`` for those of torchvision, downloaded once; the path of a ``.pth`` or
            ``.safetensors`` file with the key names of torchvision or Caffe; None for random ones.
        pooling: ``"max"``, ``"average"`` or ``"l2"``. The latter two are multiplied by factors that
            keep activations about as large as after max pooling, so that layer weights stay valid.
        ceil_mode: Let the last pooling windows reach over the border where the size does not divide.
            Otherwise, as in training, up to 15 rows and columns at the border go unseen by the deep
            layers, and the style does there what it likes.
        padding: How convolutions continue the image beyond its border: ``"zeros"`` as in training,
            ``"replicate"`` or ``"reflect"``.
        preprocessing: Which normalisation the weights expect: that of ``"torchvision"`` or of
            ``"caffe"`` (BGR, 0 to 255, mean subtracted). It is taken from the key names if not given.
        seed: Of the random weights.

    Returns:
        A frozen encoder that takes RGB in [0, 1].

    Raises:
        ValueError: If an argument has an unknown value.
        WeightsError: If the weights are missing, damaged, or of another network.

    Example:
        >>> encoder = vgg19(weights=None)
        >>> encoder.stride("relu4_1"), encoder.receptive_field("relu4_1"), encoder.minimum_size(["relu5_1"])
        (8, 68, 16)

    References:
        Simonyan, Zisserman. *Very deep convolutional networks for large-scale image recognition*.
        ICLR 2015. The normalisation: Gatys, Ecker, Bethge. CVPR 2016, section 2.
    """
    return build_encoder(
        "vgg19",
        weights,
        pooling=pooling,
        ceil_mode=ceil_mode,
        padding=padding,
        preprocessing=preprocessing,
        seed=seed,
    )


def vgg11(
    weights: Weights = "torchvision",
    *,
    pooling: Pooling = "max",
    ceil_mode: bool = False,
    padding: Padding = "zeros",
    preprocessing: Preprocessing | None = None,
    seed: int = 0,
) -> SequentialEncoder:
    """The convolutional part of VGG-11.

    Layers: ``conv1_1 relu1_1 ... pool5``. The arguments are those of :func:`vgg19`, but for the
    Caffe weights, which exist for VGG-19 alone.

    Example:
        >>> vgg11(weights=None).stride("relu3_1")
        4
    """
    return build_encoder(
        "vgg11",
        weights,
        pooling=pooling,
        ceil_mode=ceil_mode,
        padding=padding,
        preprocessing=preprocessing,
        seed=seed,
    )


def vgg13(
    weights: Weights = "torchvision",
    *,
    pooling: Pooling = "max",
    ceil_mode: bool = False,
    padding: Padding = "zeros",
    preprocessing: Preprocessing | None = None,
    seed: int = 0,
) -> SequentialEncoder:
    """The convolutional part of VGG-13.

    Layers: ``conv1_1 relu1_1 ... pool5``. The arguments are those of :func:`vgg19`, but for the
    Caffe weights, which exist for VGG-19 alone.

    Example:
        >>> vgg13(weights=None).stride("relu3_1")
        4
    """
    return build_encoder(
        "vgg13",
        weights,
        pooling=pooling,
        ceil_mode=ceil_mode,
        padding=padding,
        preprocessing=preprocessing,
        seed=seed,
    )


def vgg16(
    weights: Weights = "torchvision",
    *,
    pooling: Pooling = "max",
    ceil_mode: bool = False,
    padding: Padding = "zeros",
    preprocessing: Preprocessing | None = None,
    seed: int = 0,
) -> SequentialEncoder:
    """The convolutional part of VGG-16.

    Layers: ``conv1_1 relu1_1 ... pool5``. The arguments are those of :func:`vgg19`, but for the
    Caffe weights, which exist for VGG-19 alone.

    Example:
        >>> vgg16(weights=None).stride("relu3_1")
        4
    """
    return build_encoder(
        "vgg16",
        weights,
        pooling=pooling,
        ceil_mode=ceil_mode,
        padding=padding,
        preprocessing=preprocessing,
        seed=seed,
    )


def vgg11_bn(
    weights: Weights = "torchvision",
    *,
    pooling: Pooling = "max",
    ceil_mode: bool = False,
    padding: Padding = "zeros",
    preprocessing: Preprocessing | None = None,
    seed: int = 0,
) -> SequentialEncoder:
    """The convolutional part of VGG-11 with batch normalisation.

    Layers: ``conv1_1 bn1_1 relu1_1 ... pool5``. The arguments are those of :func:`vgg19`, but for the
    Caffe weights, which exist for VGG-19 alone.

    Example:
        >>> vgg11_bn(weights=None).stride("relu3_1")
        4
    """
    return build_encoder(
        "vgg11",
        weights,
        batch_norm=True,
        pooling=pooling,
        ceil_mode=ceil_mode,
        padding=padding,
        preprocessing=preprocessing,
        seed=seed,
    )


def vgg13_bn(
    weights: Weights = "torchvision",
    *,
    pooling: Pooling = "max",
    ceil_mode: bool = False,
    padding: Padding = "zeros",
    preprocessing: Preprocessing | None = None,
    seed: int = 0,
) -> SequentialEncoder:
    """The convolutional part of VGG-13 with batch normalisation.

    Layers: ``conv1_1 bn1_1 relu1_1 ... pool5``. The arguments are those of :func:`vgg19`, but for the
    Caffe weights, which exist for VGG-19 alone.

    Example:
        >>> vgg13_bn(weights=None).stride("relu3_1")
        4
    """
    return build_encoder(
        "vgg13",
        weights,
        batch_norm=True,
        pooling=pooling,
        ceil_mode=ceil_mode,
        padding=padding,
        preprocessing=preprocessing,
        seed=seed,
    )


def vgg16_bn(
    weights: Weights = "torchvision",
    *,
    pooling: Pooling = "max",
    ceil_mode: bool = False,
    padding: Padding = "zeros",
    preprocessing: Preprocessing | None = None,
    seed: int = 0,
) -> SequentialEncoder:
    """The convolutional part of VGG-16 with batch normalisation.

    Layers: ``conv1_1 bn1_1 relu1_1 ... pool5``. The arguments are those of :func:`vgg19`, but for the
    Caffe weights, which exist for VGG-19 alone.

    Example:
        >>> vgg16_bn(weights=None).stride("relu3_1")
        4
    """
    return build_encoder(
        "vgg16",
        weights,
        batch_norm=True,
        pooling=pooling,
        ceil_mode=ceil_mode,
        padding=padding,
        preprocessing=preprocessing,
        seed=seed,
    )


def vgg19_bn(
    weights: Weights = "torchvision",
    *,
    pooling: Pooling = "max",
    ceil_mode: bool = False,
    padding: Padding = "zeros",
    preprocessing: Preprocessing | None = None,
    seed: int = 0,
) -> SequentialEncoder:
    """The convolutional part of VGG-19 with batch normalisation.

    Layers: ``conv1_1 bn1_1 relu1_1 ... pool5``. The arguments are those of :func:`vgg19`, but for the
    Caffe weights, which exist for VGG-19 alone.

    Example:
        >>> vgg19_bn(weights=None).stride("relu3_1")
        4
    """
    return build_encoder(
        "vgg19",
        weights,
        batch_norm=True,
        pooling=pooling,
        ceil_mode=ceil_mode,
        padding=padding,
        preprocessing=preprocessing,
        seed=seed,
    )


def alexnet(
    weights: Weights = "torchvision",
    *,
    pooling: Pooling = "max",
    ceil_mode: bool = False,
    padding: Padding = "zeros",
    preprocessing: Preprocessing | None = None,
    seed: int = 0,
) -> SequentialEncoder:
    """The convolutional part of AlexNet, the smallest of these networks.

    Layers: ``conv1 relu1 pool1 conv2 relu2 pool2 conv3 relu3 conv4 relu4 conv5 relu5 pool5``.
    The arguments are those of :func:`vgg19`, but for the Caffe weights, which exist for VGG-19 alone.

    Example:
        >>> alexnet(weights=None).stride("relu5")
        16
    """
    return build_encoder(
        "alexnet",
        weights,
        pooling=pooling,
        ceil_mode=ceil_mode,
        padding=padding,
        preprocessing=preprocessing,
        seed=seed,
    )
