import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from pystyle.encoders import vgg19
from pystyle.functional import total_variation

CPU = torch.device("cpu")
PEERS = ("pystiche", "pystiche-frozen", "tutorial-unfrozen", "tutorial", "neural-style", "pastiche")


def picture(seed, height, width):
    # Of 8 bits, for peers that read files.
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))
    return (255 * image).round() / 255


@pytest.fixture(scope="module")
def encoder():
    return vgg19(weights=None, preprocessing="caffe")


@pytest.fixture(scope="module")
def images():
    return picture(0, 32, 48), picture(1, 40, 32), picture(2, 32, 48)


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_has_the_loss_and_the_gradient_of_ours(script, encoder, images, name):
    variants = script("variants")
    variant = variants.VARIANTS[name]
    if variant.missing(CPU):
        pytest.skip(variant.missing(CPU))
    content, style, image = images
    step = variant.build(encoder, content, style)
    step(content)  # a step must not depend on the one before it
    found = variants.errors(step, variants.ours(encoder, content, style), image)
    assert found["loss_error"] < 1e-5
    assert found["gradient_median_error"] < 1e-5
    assert found["gradient_error"] < 1e-2


def test_the_check_sees_a_peer_with_another_weight(script, encoder, images, monkeypatch):
    variants, tutorial = script("variants"), script("tutorial")
    content, style, image = images
    monkeypatch.setattr(tutorial, "STYLE_WEIGHT", 1.1e3)
    found = variants.errors(
        tutorial.tutorial(encoder, content, style), variants.ours(encoder, content, style), image
    )
    assert found["loss_error"] > 0.01
    assert found["gradient_median_error"] > 0.01


def test_errors_are_those_of_a_loss_and_a_gradient_worked_out_by_hand(script):
    def step(image):
        return 3 * image, 3 * image * torch.tensor([1.0, 4 / 3, 0.0])

    def reference(image):
        return 2 * image, 3 * image * torch.tensor([1.0, 0.0, 0.0])

    found = script("variants").errors(step, reference, torch.tensor(1.0))
    assert found["loss_error"] == pytest.approx(0.5)
    assert found["gradient_error"] == pytest.approx(4 / 3)
    assert found["gradient_cosine"] == pytest.approx(0.6)


def test_a_variant_without_its_package_says_so(script):
    variants = script("variants")
    absent = variants.Variant(variants.ours, package="no_such_package")
    assert absent.missing(CPU) == "no_such_package is not installed"
    assert variants.Variant(variants.ours, accelerator=True).missing(CPU)
    assert not variants.Variant(variants.ours, accelerator=True).missing(torch.device("cuda"))


def test_one_step_takes_as_many_operations_per_pixel_as_the_floor_counts(script, encoder):
    objectives = script("objectives")
    content, style = picture(0, 32, 32), picture(1, 32, 32)
    objective = objectives.gatys_criterion(encoder).bind({"content": content, "style": style})
    image = picture(2, 32, 32).requires_grad_()
    with FlopCounterMode(display=False) as counter:
        objective(image).total.backward()
    assert counter.get_total_flops() / 32**2 == objectives.FLOPS_PER_PIXEL


def test_the_root_of_crowson_and_its_gradient_are_those_of_an_eigendecomposition(script):
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(6, 6, dtype=torch.float64, generator=generator)
    matrix = (matrix @ matrix.T + torch.eye(6)).requires_grad_()
    weights = torch.randn(6, 6, dtype=torch.float64, generator=generator)
    root = script("crowson").SquareRoot.apply(matrix)
    (gradient,) = torch.autograd.grad((root * (weights + weights.T)).sum(), matrix)
    values, vectors = torch.linalg.eigh(matrix)
    expected = (vectors * values.sqrt()) @ vectors.T
    (expected_gradient,) = torch.autograd.grad((expected * (weights + weights.T)).sum(), matrix)
    torch.testing.assert_close(root, expected)
    torch.testing.assert_close(gradient, expected_gradient)


def test_the_variation_of_crowson_is_that_of_our_loss(script):
    image = picture(0, 9, 7)
    ours = total_variation(image, variant="nine_point")
    torch.testing.assert_close(script("crowson").nine_point_variation(image), ours)


@pytest.mark.slow
def test_the_step_of_crowson_is_near_ours(script, encoder, images):
    # A loose bound: her iterations stop early, and her ridge is another one.
    variants, crowson = script("variants"), script("crowson")
    content, style, image = images
    reference = variants.ours(encoder, content, style, objective="crowson")
    found = variants.errors(crowson.crowson(encoder, content, style), reference, image)
    assert found["gradient_cosine"] > 0.98
