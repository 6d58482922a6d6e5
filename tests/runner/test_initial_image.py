import pytest
import torch

from pystyle.runner import initial_image

GENERATOR = torch.Generator().manual_seed(0)
CONTENT = torch.rand(1, 3, 60, 80, generator=GENERATOR)
STYLE = torch.rand(1, 3, 50, 40, generator=GENERATOR) ** torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
REFERENCES = {"content": CONTENT, "style": STYLE}


def test_content_is_a_copy_of_the_content():
    image = initial_image("content", REFERENCES)
    assert torch.equal(image, CONTENT)
    assert image.data_ptr() != CONTENT.data_ptr()


def test_style_is_brought_to_the_size_of_the_content():
    image = initial_image("style", REFERENCES)
    assert image.shape == CONTENT.shape
    assert image.min() >= 0
    assert image.max() <= 1
    torch.testing.assert_close(image.mean((2, 3)), STYLE.mean((2, 3)), rtol=0.02, atol=0)


def test_grey_is_flat():
    assert torch.equal(initial_image("grey", REFERENCES), torch.full_like(CONTENT, 0.5))


def test_uniform_noise_fills_the_range():
    image = initial_image("uniform", REFERENCES, seed=1)
    assert image.shape == CONTENT.shape
    assert 0 <= image.min() < 0.01
    assert 0.99 < image.max() <= 1
    assert float(image.mean()) == pytest.approx(0.5, abs=0.02)


def test_normal_noise_has_the_stated_mean_and_deviation():
    image = initial_image("normal", REFERENCES, seed=1)
    assert float(image.mean()) == pytest.approx(0.5, abs=0.02)
    assert float(image.std()) == pytest.approx(0.25, abs=0.01)


def test_noise_in_the_colours_of_the_style_has_their_mean_and_covariance():
    style = STYLE.clone()
    style[:, 1] = 0.5 * style[:, 0] + 0.1 * style[:, 1]
    image = initial_image("style_colours", {"content": CONTENT, "style": style}, seed=1)
    found, expected = (x.transpose(0, 1).flatten(1) for x in (image, style))
    torch.testing.assert_close(found.mean(1), expected.mean(1), rtol=0, atol=0.02)
    torch.testing.assert_close(torch.cov(found), torch.cov(expected), rtol=0, atol=0.006)
    correlation = torch.corrcoef(found)[0, 1]
    assert float(correlation) == pytest.approx(float(torch.corrcoef(expected)[0, 1]), abs=0.02)


def test_the_recoloured_content_has_the_mean_and_covariance_of_the_style():
    style = 0.3 + 0.2 * STYLE
    style[:, 1] = 0.5 * style[:, 0] + 0.1 * style[:, 1]
    image = initial_image("recoloured", {"content": CONTENT, "style": style})
    found, expected = (x.transpose(0, 1).flatten(1) for x in (image, style))
    torch.testing.assert_close(found.mean(1), expected.mean(1), rtol=0, atol=1e-4)
    torch.testing.assert_close(torch.cov(found), torch.cov(expected), rtol=0, atol=1e-4)
    # It is still the content: a linear map of its colours.
    pixels = CONTENT[0].flatten(1)
    basis = torch.cat((pixels, torch.ones_like(pixels[:1])))
    residual = torch.linalg.lstsq(basis.T, found.T).solution.T @ basis - found
    assert residual.abs().max() < 1e-4


def test_the_content_recoloured_by_a_blend_is_the_blend_of_recoloured_contents():
    styles = STYLE, 0.3 + 0.1 * STYLE.flip(1)
    blend = {"content": CONTENT, "style": [(styles[0], 1.0), (styles[1], 3.0)]}
    first, second = (initial_image("recoloured", {"content": CONTENT, "style": style}) for style in styles)
    torch.testing.assert_close(initial_image("recoloured", blend), 0.25 * first + 0.75 * second)


def test_a_size_gives_noise_of_this_size():
    image = initial_image((5, 7), {"style": STYLE.double()}, seed=1)
    assert image.shape == (1, 3, 5, 7)
    assert image.dtype == torch.float64
    assert initial_image((5, 7), {}, seed=1).dtype == torch.float32


def test_a_tensor_is_copied_without_its_graph():
    start = torch.rand(1, 3, 4, 4).requires_grad_()
    image = initial_image(start * 1, {})
    assert torch.equal(image, start)
    assert not image.requires_grad
    assert initial_image(start, {}).data_ptr() != start.data_ptr()


def test_the_style_is_the_one_of_a_blend_that_has_the_most_weight():
    black = torch.zeros_like(STYLE)
    blend = {"content": CONTENT, "style": [(black, 0.0), (STYLE, 2.0), (black, 1.0)]}
    assert torch.equal(initial_image("style", blend), initial_image("style", REFERENCES))
    halves = {"content": CONTENT, "style": [(STYLE, 1.0), (black, 1.0)]}
    assert torch.equal(initial_image("style", halves), initial_image("style", REFERENCES))


def test_noise_in_the_colours_of_a_blend_is_the_blend_of_such_noise():
    styles = STYLE, 0.3 + 0.1 * STYLE.flip(1)
    blend = {
        "content": CONTENT,
        "style": [(torch.zeros_like(STYLE), 0.0), (styles[0], 1.0), (styles[1], 3.0)],
    }
    first, second = (
        initial_image("style_colours", {"content": CONTENT, "style": style}, seed=1) for style in styles
    )
    torch.testing.assert_close(initial_image("style_colours", blend, seed=1), 0.25 * first + 0.75 * second)


def test_the_style_may_be_in_half_precision_and_have_a_gradient():
    style = STYLE.bfloat16().requires_grad_()
    image = initial_image("style", {"content": CONTENT.bfloat16(), "style": style})
    assert (image.dtype, image.requires_grad) == (torch.bfloat16, False)
    torch.testing.assert_close(image.float(), initial_image("style", REFERENCES), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("init", ["uniform", "normal", "style_colours", (5, 7)])
def test_a_seed_makes_noise_repeatable_without_the_global_random_state(init):
    before = torch.get_rng_state()
    first, second = (initial_image(init, REFERENCES, seed=3) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, initial_image(init, REFERENCES, seed=4))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("init", "references", "message"),
    [
        ("noise", REFERENCES, "`init` must be a tensor, a size, or one of .*got 'noise'"),
        ("grey", {"style": STYLE}, "`init` = 'grey' needs the reference 'content', got style"),
        (
            "style_colours",
            {"content": CONTENT},
            "`init` = 'style_colours' needs the reference 'style', got content",
        ),
        ("content", {}, "needs the reference 'content', got none"),
    ],
)
def test_an_init_that_is_not_possible_is_explained(init, references, message):
    with pytest.raises(ValueError, match=message):
        initial_image(init, references)
