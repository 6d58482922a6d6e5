"""Any module as an encoder: which outputs it understands, and what it leaves alone."""

import copy
import pickle
import threading

import pytest
import torch
from torch import Tensor, nn

from pystyle.encoders import LayerGeometry, ModuleEncoder, MultiEncoder, Normalize, vgg11
from pystyle.testing import check_encoder


def fill(module: nn.Module, seed: int = 0) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.data.uniform_(-0.5, 0.5, generator=generator)
    return module.eval().requires_grad_(False)


def picture(height: int = 16, width: int = 24, seed: int = 0) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


class Blocks(nn.Module):
    """A small residual network of which the steps can be computed by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4))
        self.relu = nn.ReLU(inplace=True)
        self.block = nn.Conv2d(4, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(4, 10)
        fill(self)

    def forward(self, image: Tensor) -> Tensor:
        x = self.relu(self.stem(image))
        out = self.block(x)
        out += x
        x = self.pool(out)
        return self.head(x.mean((2, 3)))


def test_layers_are_what_the_submodules_give():
    module, image = Blocks(), picture()
    encoder = ModuleEncoder(module, {"conv": "stem.0", "block": "block", "pool": "pool"})
    assert encoder.layers == ("conv", "block", "pool")
    features = encoder(image, ["pool", "conv", "block"])
    assert list(features) == ["pool", "conv", "block"]
    conv = module.stem[0](image)
    x = module.stem[1](conv).clamp_min(0)
    block = module.block(x)
    torch.testing.assert_close(features["conv"], conv)
    torch.testing.assert_close(features["block"], block)
    torch.testing.assert_close(features["pool"], nn.functional.max_pool2d(block + x, 2))


def test_layers_keep_the_order_in_which_they_are_computed():
    assert ModuleEncoder(Blocks(), ["pool", "stem", "block"]).layers == ("stem", "block", "pool")


def test_a_small_network_keeps_the_promises_of_an_encoder():
    check_encoder(ModuleEncoder(Blocks(), ["stem.0", "stem", "relu", "block", "pool"]))
    check_encoder(
        ModuleEncoder(Blocks().double(), ["relu", "pool"], preprocessing=Normalize([0.5], [0.2]).double())
    )


def test_the_module_itself_is_a_layer():
    encoder = ModuleEncoder(nn.AvgPool2d(2), {"half": ""})
    assert encoder.geometry("half") == LayerGeometry(stride=2, receptive_field=2, minimum_size=2)
    assert torch.equal(encoder(torch.ones(1, 3, 4, 4), ["half"])["half"], torch.ones(1, 3, 2, 2))


def test_two_names_of_one_submodule_are_the_same_layer():
    encoder = ModuleEncoder(Blocks(), {"pool": "pool", "last": "pool"})
    features = encoder(picture(), ["last", "pool"])
    assert torch.equal(features["last"], features["pool"])


class InPlace(nn.Module):
    """Overwrites in every way whatever comes from a submodule."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.idle = nn.Identity(), nn.Conv2d(3, 3, 1), nn.Dropout()
        self.view, self.relu = nn.Unflatten(1, (1, 3)), nn.ReLU(inplace=True)
        fill(self)

    def forward(self, image: Tensor) -> Tensor:
        x = self.first(image)
        x -= 0.5
        x = self.second(x)
        y = self.idle(x)
        y.mul_(2)
        half = x[:, :, : x.shape[2] // 2]
        half.zero_()
        return self.relu(y)


def test_nothing_that_works_in_place_reaches_a_layer_or_the_image():
    module, image = InPlace(), picture()
    before = image.clone()
    encoder = ModuleEncoder(module, ["first", "second", "idle", "relu"])
    features = encoder(image, encoder.layers)
    second = module.second(image - 0.5)
    assert torch.equal(image, before)
    assert torch.equal(features["first"], image)
    torch.testing.assert_close(features["second"], second)
    torch.testing.assert_close(features["idle"], second)
    expected = (2 * second).clamp_min(0)
    expected[:, :, :8] = 0
    torch.testing.assert_close(features["relu"], expected)
    for layer in encoder.layers:
        assert torch.equal(encoder(image, [layer])[layer], features[layer])


def test_gradients_pass_through_what_works_in_place():
    image = picture().requires_grad_()
    features = ModuleEncoder(InPlace(), ["second", "relu"])(image, ["second", "relu"])
    (gradient,) = torch.autograd.grad(features["second"].sum() + features["relu"].sum(), image)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


class Counted(nn.Module):
    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module, self.calls = module, 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.module(x)


def test_what_comes_after_the_deepest_layer_is_not_computed():
    stages = [Counted(nn.Conv2d(3, 3, 1)) for _ in range(3)]
    encoder = ModuleEncoder(nn.Sequential(*stages), ["0", "1", "2"])
    assert [stage.calls for stage in stages] == [0, 0, 0]
    encoder(picture(), ["1", "0"])
    assert [stage.calls for stage in stages] == [1, 1, 0]
    assert encoder(picture(), []) == {}
    assert [stage.calls for stage in stages] == [1, 1, 0]


def test_a_module_that_catches_exceptions_does_not_catch_the_end_of_the_pass():
    class Stubborn(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.other = nn.Conv2d(3, 3, 1), Counted(nn.Identity())

        def forward(self, image):
            try:
                return self.conv(image)
            except Exception:
                return self.other(image)

    module = Stubborn()
    ModuleEncoder(module, ["conv"])(picture(), ["conv"])
    assert module.other.calls == 0


def hooks_of(module: nn.Module) -> int:
    return sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) for m in module.modules()
    )


def test_no_hooks_and_no_tensors_stay_behind():
    module = Blocks()
    state = set(module.state_dict())
    encoder = ModuleEncoder(module, ["stem", "pool"])
    encoder(picture().requires_grad_(), ["stem", "pool"])
    assert hooks_of(encoder) == 0
    with pytest.raises(RuntimeError):
        encoder(torch.rand(1, 5, 8, 8), ["stem", "pool"])
    assert hooks_of(encoder) == 0
    assert set(module.state_dict()) == state


def test_the_hooks_of_the_user_stay_and_count():
    module = Blocks()
    module.pool.register_forward_hook(lambda _module, _inputs, output: 3 * output)
    plain, image = Blocks(), picture()
    torch.testing.assert_close(
        ModuleEncoder(module, ["pool"])(image, ["pool"])["pool"],
        3 * ModuleEncoder(plain, ["pool"])(image, ["pool"])["pool"],
    )
    assert hooks_of(module) == 1


class Meeting(nn.Module):
    """Waits until as many threads are inside as there are parties."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.barrier: list[threading.Barrier] = []
        fill(self)

    def forward(self, image: Tensor) -> Tensor:
        for barrier in self.barrier:
            barrier.wait(20)
        x = self.first(image)
        for barrier in self.barrier:
            barrier.wait(20)
        return self.second(x)


def test_two_encoders_of_one_module_do_not_disturb_each_other_in_threads():
    module = Meeting()
    encoders = [
        ModuleEncoder(module, ["first", "second"]),
        ModuleEncoder(module, {"a": "first", "b": "second"}),
    ]
    images = [picture(seed=1), picture(seed=2)]
    expected = [encoder(image, encoder.layers) for encoder, image in zip(encoders, images, strict=True)]
    found: list[dict[str, Tensor]] = [{}, {}]
    # A third thread calls the module itself, and sees nothing of the encoders.
    module.barrier = [threading.Barrier(3)]
    plain: list[Tensor] = []

    def encode(index: int) -> None:
        found[index] = encoders[index](images[index], encoders[index].layers)

    threads = [threading.Thread(target=encode, args=(index,)) for index in range(2)]
    threads.append(threading.Thread(target=lambda: plain.append(module(images[0]))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for features, wanted in zip(found, expected, strict=True):
        assert list(features) == list(wanted)
        assert all(torch.equal(features[layer], wanted[layer]) for layer in wanted)
    assert torch.equal(plain[0], expected[0]["second"])
    assert hooks_of(module) == 0


def test_the_module_is_frozen_and_ends_its_training():
    module = Blocks().train().requires_grad_(True)
    encoder = ModuleEncoder(module, ["stem"]).train()
    assert encoder.module is module
    assert not any(parameter.requires_grad for parameter in module.parameters())
    assert not any(part.training for part in module.modules())


def test_building_draws_no_random_numbers_and_changes_no_weight():
    module = Blocks()
    weights, before = copy.deepcopy(module.state_dict()), torch.get_rng_state()
    ModuleEncoder(module, ["stem", "pool"])
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(weights[key], value) for key, value in module.state_dict().items())


def test_new_weights_of_the_module_are_those_of_the_encoder():
    module = Blocks()
    encoder = ModuleEncoder(module, ["stem.0"])
    module.stem[0].weight.zero_()
    feature = encoder(picture(), ["stem.0"])["stem.0"]
    torch.testing.assert_close(feature, module.stem[0].bias.reshape(1, -1, 1, 1).expand_as(feature))


def test_a_pickled_encoder_is_the_same():
    encoder = ModuleEncoder(Blocks(), {"a": "stem", "b": "pool"}, preprocessing=Normalize([0.5], [0.5]))
    other = pickle.loads(pickle.dumps(encoder))
    assert other.layers == encoder.layers
    assert other.geometry("b") == encoder.geometry("b")
    assert torch.equal(other(picture(), ["b"])["b"], encoder(picture(), ["b"])["b"])


def test_the_preprocessing_comes_first():
    module = Blocks()
    encoder = ModuleEncoder(module, ["stem.0"], preprocessing=Normalize([0.5, 0.25, 0.0], [0.5, 0.25, 2.0]))
    image = torch.ones(1, 3, 8, 8)
    expected = module.stem[0](torch.tensor([1.0, 3.0, 0.5]).reshape(1, 3, 1, 1).expand(1, 3, 8, 8))
    torch.testing.assert_close(encoder(image, ["stem.0"])["stem.0"], expected)


def test_a_declared_geometry_counts_instead_of_the_derived_one():
    declared = LayerGeometry(stride=4, receptive_field=99, minimum_size=9)
    encoder = ModuleEncoder(Blocks(), ["stem", "pool"], geometry={"pool": declared})
    assert encoder.geometry("pool") == declared
    assert encoder.geometry("stem")[:3] == (2, 3, 1)
    with pytest.raises(ValueError, match=r"must be some of stem; got 'poll'"):
        ModuleEncoder(Blocks(), ["stem"], geometry={"poll": declared})


def test_an_unknown_layer_is_named_with_the_most_similar_one():
    encoder = ModuleEncoder(Blocks(), ["stem", "pool"])
    with pytest.raises(ValueError, match=r"must be some of stem, pool; got 'poll'\. Did you mean 'pool'\?"):
        encoder(picture(), ["poll"])


def test_a_module_encoder_is_one_of_several():
    own = ModuleEncoder(Blocks(), ["stem.0", "pool"])
    encoder = MultiEncoder({"vgg": vgg11(weights=None), "own": own})
    features = encoder(picture(), ["own.stem.0", "vgg.relu1_1"])
    assert torch.equal(features["own.stem.0"], own(picture(), ["stem.0"])["stem.0"])
    assert encoder.geometry("own.stem.0") == own.geometry("stem.0")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_compiled_function_runs_the_encoder_as_it_is():
    encoder, image = ModuleEncoder(Blocks(), ["stem", "pool"]), picture().requires_grad_()

    def energy(image):
        return encoder(image, ["stem", "pool"])["pool"].square().mean()

    compiled = torch.compile(energy, backend="eager")
    (expected,) = torch.autograd.grad(energy(image), image)
    for _ in range(2):
        (gradient,) = torch.autograd.grad(compiled(image), image)
        torch.testing.assert_close(gradient, expected)
    assert hooks_of(encoder) == 0
