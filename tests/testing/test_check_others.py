"""What is nothing of the kind breaks a promise as well, and a network that is checked stays as it was."""

import numpy as np
import pytest
import torch
from torch import nn

from pystyle import Loss
from pystyle.networks import TransformNetwork
from pystyle.parametrizations import Pixels
from pystyle.testing import (
    check_discriminator,
    check_encoder,
    check_loss,
    check_optimizer,
    check_parametrization,
    check_stylizer,
)


class MeanLoss(Loss):
    """Compares means."""

    reference, spatial = "style", "pooled"

    def represent(self, features):
        return features.mean((2, 3))

    def compare(self, representation, target):
        return (representation - target).square().mean()


class Number(MeanLoss):
    def compare(self, representation, target):
        return super().compare(representation, target).item()


class NoNumber(MeanLoss):
    def compare(self, representation, target):
        super().compare(representation, target)


class OneArgument(MeanLoss):
    def compare(self, representation):
        return representation.mean()


class Array(MeanLoss):
    def represent(self, features):
        return super().represent(features).detach().numpy().astype(np.float64)


class Named(MeanLoss):
    def represent(self, features):
        return {"mean": super().represent(features)}


class NoClosure(torch.optim.SGD):
    def step(self):
        super().step()


class Nothing(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images):
        del images


@pytest.mark.parametrize(
    ("check", "component", "promise"),
    [
        (check_loss, Number("layer"), "`compare` returns a scalar tensor, got a float"),
        (check_loss, NoNumber("layer"), "`compare` returns a scalar tensor, got a NoneType"),
        (check_loss, Array("layer"), "`represent` returns a tensor or a tuple of tensors, got a ndarray"),
        (check_loss, Named("layer"), "`represent` returns a tensor or a tuple of tensors, got a dict"),
        (check_loss, OneArgument("layer"), "a loss can be used .* raised a TypeError: .*compare"),
        (check_loss, nn.MSELoss(), "a loss is a subclass of `Loss`"),
        (check_discriminator, Nothing(), "a tensor of scores, or a list of some, got a NoneType"),
        (check_discriminator, "network", "a discriminator is a module of torch"),
        (check_encoder, nn.Conv2d(3, 3, 3), "an encoder is a subclass of `Encoder`"),
        (check_optimizer, lambda parameters: NoClosure(parameters, lr=0.1), "an optimizer can .* TypeError"),
        (check_parametrization, Pixels(torch.rand(1, 3, 4, 4)), "is given as a class or a `functools"),
        (check_stylizer, nn.Conv2d(3, 3, 3), "a network is a subclass of `Stylizer`"),
    ],
)
def test_what_is_nothing_of_the_kind_breaks_a_promise(check, component, promise):
    with pytest.raises(AssertionError, match=f"A promise is broken: .*{promise}"):
        check(component)


def test_a_network_that_was_checked_is_as_it_was():
    network = TransformNetwork(width=2)
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    check_stylizer(network)
    assert network.training
    assert all(bool((parameter.grad == 1).all()) for parameter in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
