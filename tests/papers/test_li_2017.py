"""Style losses of distributions against the kernels of the paper and the gradients of its authors' code."""

import pytest
import torch

from pystyle import MMDLoss
from pystyle.papers import li_2017

STYLE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
SIZE = (32, 48)


def energy(statistics, x, y):
    """The energies of which `mmd_loss.py` and `bn_loss.py` have the gradients, times their weights."""
    n, m = x.shape
    if statistics == "linear":
        return 2e3 / (n * m) * (x.sum(1) - y.sum(1)).square().sum() / 2
    if statistics == "polynomial":
        return 1e-1 / (n * m * n) * (x @ x.T - y @ y.T).square().sum() / 4
    means = (x.mean(1), y.mean(1))
    deviations = (x.var(1, correction=0).add(1e-6).sqrt(), y.var(1, correction=0).add(1e-6).sqrt())
    squares = (means[0] - means[1]).square().sum() + (deviations[0] - deviations[1]).square().sum()
    return 1e3 * n * m / n / 2 * squares / n


def total(encoder, content, style, image, shares, where="relu4_2", styles=STYLE):
    found = encoder(image, [where, *styles])
    photo, painting = encoder(content, [where]), encoder(style, styles)
    loss = (found[where] - photo[where]).square().sum()
    for layer in styles:
        x, y = found[layer][0].flatten(1), painting[layer][0].flatten(1)
        for statistics, share in shares.items():
            loss = loss + share * 5 * energy(statistics, x, y)
    levels = 255 * image
    corner = levels[..., :-1, :-1]
    right, below = levels[..., :-1, 1:] - corner, levels[..., 1:, :-1] - corner
    return loss + 1e-2 / 16 * (right.square() + below.square()).sum()


@pytest.mark.parametrize("statistics", ["linear", "polynomial", "batch_norm"])
def test_the_loss_is_that_of_the_code(exact_averaging_encoder, picture, check_formula, statistics):
    content, style, image = (picture(seed, *SIZE) for seed in range(3))
    check_formula(
        li_2017.criterion(exact_averaging_encoder, statistics=statistics, size=SIZE),
        {"content": content, "style": style},
        image,
        lambda image: total(exact_averaging_encoder, content, style, image, {statistics: 1.0}),
    )


def test_several_statistics_may_be_fused_at_other_layers(exact_averaging_encoder, picture, check_formula):
    content, style, image = (picture(seed, *SIZE) for seed in range(3))
    shares, styles = {"linear": 0.25, "batch_norm": 0.75}, ["relu2_2", "relu3_1"]
    criterion = li_2017.criterion(
        exact_averaging_encoder,
        statistics=shares,
        content_layers="relu3_3",
        style_layers=styles,
        size=SIZE,
    )
    assert list(criterion.losses) == ["content", "style_linear", "style_batch_norm", "smoothness"]
    check_formula(
        criterion,
        {"content": content, "style": style},
        image,
        lambda image: total(exact_averaging_encoder, content, style, image, shares, "relu3_3", styles),
    )


def test_fusion_layers_and_weights_reach_the_run(encoder, picture):
    content, style = picture(0, 32, 40, torch.float32), picture(1, 48, 32, torch.float32)
    result = li_2017.style_transfer(
        content, style, encoder=encoder, statistics={"gaussian": 0.0, "polynomial": 0.0}, edge_size=40,
        num_steps=1, content_layers="relu3_3", style_layers="relu2_2", content_weight=0.0, smoothness=0.0,
    )  # fmt: skip
    assert {"content.relu3_3", "style_gaussian.relu2_2", "style_polynomial.relu2_2"} <= set(result.history)
    assert set(result.history["total"]) == {0.0}
    assert float(result.image.max()) <= 1
    with pytest.raises(ValueError, match="`statistics` must name at least one"):
        li_2017.criterion(encoder, statistics={})


def test_the_gradient_of_the_gaussian_kernel_is_that_of_the_code():
    # Written after `mmd_loss.py`: of the pairs, with weight 3e14 / (N M) and without the factor 2.
    generator = torch.Generator().manual_seed(0)
    n, m = 6, 12
    x, y = (torch.rand(1, n, m, generator=generator, dtype=torch.float64) for _ in range(2))
    leaf = x.clone().requires_grad_()
    value = 3e14 / (4 * n) * MMDLoss("a").compare(leaf, y)
    (gradient,) = torch.autograd.grad(value, leaf)
    order = torch.randperm(m, generator=torch.Generator().manual_seed(0))
    xs, ys = x[0].T[order], y[0].T[order]
    x0, x1, y0, y1 = xs[: m // 2], xs[m // 2 :], ys[: m // 2], ys[m // 2 :]
    squares = [(a - b).square().sum(1) for a, b in ((x0, x1), (y0, y1), (x0, y1), (x1, y0))]
    gamma = 2 * m / sum(s.sum() for s in squares)
    kxx, _, kxy, kyx = [torch.exp(-gamma * s)[:, None] for s in squares]
    expected = torch.empty_like(xs)
    expected[order[: m // 2]] = gamma * (-kxx * (x0 - x1) + kxy * (x0 - y1))
    expected[order[m // 2 :]] = gamma * (-kxx * (x1 - x0) + kyx * (x1 - y0))
    expected *= 3e14 / (n * m)
    torch.testing.assert_close(gradient[0].T, expected, rtol=1e-9, atol=0)


def test_the_gaussian_kernel_has_the_weights_of_the_code(encoder):
    style = li_2017.criterion(encoder, statistics="gaussian", seed=4).losses["style"]
    expected = [3e14 / (4 * n) for n in (64, 128, 256, 512, 512)]
    assert list(style.layer_weights.values()) == expected
    assert (style.weight, style.kernel, style.bandwidth, style.seed) == (5.0, "gaussian", None, 4)
    assert style.resample


@pytest.mark.parametrize(("statistics", "power"), [("linear", 1), ("polynomial", 2)])
def test_means_and_gram_matrices_are_kernels_over_all_pairs(encoder, statistics, power):
    """Equations 5 to 8: the sum over all pairs of positions is the one that the library computes."""
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.rand(1, 5, 4, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    loss = li_2017.criterion(encoder, statistics=statistics, size=(16, 16)).losses["style"]
    ours = loss.compare(loss.represent(x), loss.prepare(loss.represent(y)))
    vectors = [features[0].flatten(1).T for features in (x, y)]
    sums = {}
    for one in (0, 1):
        for other in (0, 1):
            products = [(a @ b) ** power for a in vectors[one] for b in vectors[other]]
            sums[one, other] = float(sum(products)) / 12**2
    mmd = sums[0, 0] + sums[1, 1] - sums[0, 1] - sums[1, 0]
    assert float(ours) == pytest.approx(mmd / 5**power)


@pytest.mark.parametrize("statistics", ["linear", "polynomial", "gaussian", "batch_norm"])
def test_a_short_run_lowers_the_loss(encoder, picture, statistics):
    content, style = picture(0, 32, 40, torch.float32), picture(1, 48, 32, torch.float32)
    result = li_2017.style_transfer(
        content, style, encoder=encoder, statistics=statistics, edge_size=40, num_steps=8
    )
    assert result.image.shape == content.shape
    assert bool(result.image.isfinite().all())
    assert min(result.history["total"]) < result.history["total"][0]


def test_random_pairs_are_for_adam_and_the_rest_for_l_bfgs(encoder, picture, monkeypatch):
    seen = []
    run = li_2017.optimize_image

    def watch(criterion, references, *, optimizer, bounds, **options):
        seen.append((optimizer.func.__name__, optimizer.keywords, bounds, references["style"].shape))
        return run(criterion, references, optimizer=optimizer, bounds=bounds, **options)

    monkeypatch.setattr(li_2017, "optimize_image", watch)
    content, style = picture(0, 32, 40, torch.float32), picture(1, 48, 32, torch.float32)
    for statistics in ("gaussian", "linear"):
        li_2017.style_transfer(
            content, style, encoder=encoder, statistics=statistics, edge_size=40, num_steps=0
        )
    assert seen == [
        ("Adam", {"lr": 0.02}, (0.0, 1.0), (1, 3, 32, 40)),
        ("LBFGS", {"history_size": 100, "initial_step": None}, None, (1, 3, 32, 40)),
    ]


def test_unknown_statistics_are_refused(encoder):
    with pytest.raises(ValueError, match=r"`statistics` must be .*, got 'cubic'"):
        li_2017.criterion(encoder, statistics="cubic")
