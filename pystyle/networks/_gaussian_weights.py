from torch import nn

_DEVIATION = 0.02


def gaussian_weights(network: nn.Module) -> None:
    """Begin as the networks of pix2pix and CycleGAN do: small normal weights, and no biases.

    The scales of batch normalisations are as near to 1.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
            mean = 1.0 if isinstance(layer, nn.BatchNorm2d) else 0.0
            nn.init.normal_(layer.weight, mean, _DEVIATION)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
