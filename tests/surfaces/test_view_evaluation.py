"""Any criterion, seen through pictures of a mesh, against what the criterion says of these pictures."""

import copy
from functools import partial

import pytest
import torch

from pystyle import Criterion, MaskedImage, optimize_image
from pystyle.evaluation import EagerEvaluation
from pystyle.losses import ContentLoss, GramLoss, MeanStdLoss, TotalVariationLoss
from pystyle.surfaces import (
    SURFACE,
    Mesh,
    TextureSampler,
    ViewEvaluation,
    ViewRunner,
    Views,
    rasterize,
    sphere,
    vase,
)

VIEWS = Views(sheets=3, views=2, seed=3)


def noise(seed, height, width, dtype=torch.float32):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.fixture
def criterion(encoder):
    return partial(criterion_of, encoder)


def criterion_of(encoder, dtype=torch.float32):
    losses = {
        "content": ContentLoss("relu1"),
        "style": GramLoss("relu2", weight=3.0),
        "colours": MeanStdLoss("image"),
        "smoothness": TotalVariationLoss(),
    }
    return Criterion(copy.deepcopy(encoder).to(dtype), losses)


def confined(one):
    return Criterion(
        one.encoder, {n: copy.copy(loss).within(SURFACE) for n, loss in one.named_losses.items()}
    )


@pytest.fixture(scope="module")
def mesh():
    return sphere(12, texture=noise(0, 40, 64))


def test_a_sheet_is_judged_as_the_criterion_judges_its_picture(criterion, mesh):
    texture, style = noise(1, 40, 64), noise(2, 30, 30)
    background = torch.tensor([0.1, 0.5, 0.9]).view(1, 3, 1, 1)
    evaluation = ViewEvaluation(mesh, VIEWS, scale=0.9, background=(0.1, 0.5, 0.9))
    evaluator = evaluation.bind(criterion(), {"content": mesh.texture, "style": style})
    for step in range(3):
        cameras = VIEWS.cameras()[VIEWS.sheet_at(step)]
        terms, _ = evaluator.at(step)(texture)
        width = evaluator.at(step).sheet.facing.shape[3] // 2

        def picture(image, cameras=cameras, width=width):
            seen = [
                TextureSampler(rasterize(mesh, camera, (36, width), samples=2), (40, 64), image)
                for camera in cameras
            ]
            return torch.cat([one.on(image, background) for one in seen], 3)

        wanted = criterion().bind({"content": picture(mesh.texture), "style": style})(picture(texture))
        assert {name: float(term) for name, term in terms.items()} == pytest.approx(
            {name: float(term) for name, term in wanted.items()}, rel=1e-5
        )


def test_the_gradient_is_that_of_finite_differences(criterion):
    torch.manual_seed(0)
    mesh = sphere(8, texture=noise(0, 40, 48, torch.float64))
    style = noise(2, 40, 40, torch.float64)
    evaluation = ViewEvaluation(mesh, VIEWS, scale=0.9)
    evaluator = evaluation.bind(
        confined(criterion(torch.float64)), {"content": mesh.texture, "style": style}
    ).at(1)
    texture = noise(1, 40, 48, torch.float64)
    terms, gradient = evaluator(texture)
    assert torch.allclose(evaluator.terms(texture).total, terms.total)
    direction = noise(5, 40, 48, torch.float64) - 0.5
    step = 1e-5
    after, before = (evaluator.terms(texture + sign * step * direction).total for sign in (1, -1))
    assert float((after - before) / (2 * step)) == pytest.approx(
        float((gradient * direction).sum()), rel=1e-4
    )


def test_the_original_texture_has_no_content_loss_in_any_view(criterion, mesh):
    evaluator = ViewEvaluation(mesh, VIEWS, scale=0.9).bind(
        criterion(), {"content": mesh.texture, "style": noise(2, 40, 40)}
    )
    for step in range(3):
        assert float(evaluator.at(step).terms(mesh.texture)["content.relu1"]) == pytest.approx(0, abs=1e-9)
        assert float(evaluator.at(step).terms(1 - mesh.texture)["content.relu1"]) > 1e-4


def test_what_is_confined_to_the_surface_does_not_see_the_background():
    flat = torch.full((1, 3, 40, 64), 0.5)
    references = {"content": flat, "style": flat}
    evaluation = ViewEvaluation(sphere(16), VIEWS, background=(0.0, 0.0, 0.0))
    inside, whole = (
        Criterion(None, {"colours": MeanStdLoss("image").within(region)}) for region in (SURFACE, None)
    )
    # Only pixels of the edge are mixed with it, and they count little because they are seen from the side.
    seen = float(evaluation.bind(whole, references).terms(flat).total)
    assert seen > 0.03
    assert float(evaluation.bind(inside, references).terms(flat).total) < 0.02 * seen


def test_without_a_step_it_is_the_mean_over_all_sheets(criterion, mesh):
    evaluator = ViewEvaluation(mesh, VIEWS, scale=0.9).bind(
        confined(criterion()), {"content": mesh.texture, "style": noise(2, 40, 40)}
    )
    texture = noise(1, 40, 64)
    terms, gradient = evaluator(texture)
    each = [evaluator.at(step)(texture) for step in range(3)]
    assert torch.allclose(gradient, torch.stack([one for _, one in each]).mean(0), atol=1e-7)
    for name in terms:
        mean = sum(float(one[name]) for one, _ in each) / 3
        assert float(terms[name]) == pytest.approx(mean, rel=1e-5)
        assert float(evaluator.terms(texture)[name]) == pytest.approx(mean, rel=1e-5)
    halved = evaluator.weighted({"style": 0.5}).at(0)(texture)[0]
    assert float(halved["style.relu2"]) == pytest.approx(0.5 * float(each[0][0]["style.relu2"]), rel=1e-5)


def test_the_gradient_is_the_same_in_inference_mode(criterion, mesh):
    references, texture = {"content": mesh.texture, "style": noise(2, 40, 40)}, noise(1, 40, 64)
    evaluation, sought = ViewEvaluation(mesh, VIEWS, scale=0.9), confined(criterion())
    _, expected = evaluation.bind(sought, references)(texture)
    with torch.inference_mode():
        evaluator = evaluation.bind(sought, references)
        _, gradient = evaluator(texture)
        _, of_inference_tensor = evaluator(texture.clone())
    assert torch.equal(gradient, expected)
    assert torch.equal(of_inference_tensor, expected)


def test_the_style_is_represented_once_whatever_the_number_of_sheets(encoder, mesh, monkeypatch):
    seen = []
    represent = GramLoss.represent
    monkeypatch.setattr(GramLoss, "represent", lambda self, f: seen.append(f.shape) or represent(self, f))
    one = Criterion(encoder, {"style": GramLoss("relu1")})
    ViewEvaluation(mesh, VIEWS, scale=0.9).bind(one, {"content": mesh.texture, "style": noise(2, 70, 70)})
    assert len(seen) == 1


def test_views_are_as_wide_as_the_mesh():
    tall = vase(12, texture=noise(0, 64, 64))
    evaluator = ViewEvaluation(tall, Views(sheets=1, views=2), scale=0.5).bind(
        Criterion(None, {"smoothness": TotalVariationLoss()}), {"content": tall.texture}
    )
    facing = evaluator.at(0).sheet.facing
    assert facing.shape[2] == 32
    assert facing.shape[3] < 60
    # Nothing of it is cut off.
    assert float(facing[..., 0].max()) == 0
    assert float(facing[..., -1].max()) == 0


@pytest.mark.parametrize(
    ("references", "message"),
    [
        ({"style": noise(0, 8, 8)}, r"`references` must have the original texture as \"content\""),
        (
            {"content": MaskedImage(noise(0, 8, 8), {"a": torch.ones(1, 1, 8, 8)})},
            "must be the original texture as a tensor, without masks, got a MaskedImage",
        ),
    ],
)
def test_references_without_a_plain_texture_are_refused(mesh, references, message):
    one = Criterion(None, {"smoothness": TotalVariationLoss()})
    with pytest.raises(ValueError, match=message):
        ViewEvaluation(mesh, VIEWS).bind(one, references)


@pytest.mark.parametrize("arguments", [{"scale": 0}, {"precision": "float8"}])
def test_impossible_evaluations_are_refused(mesh, arguments):
    with pytest.raises(ValueError, match=f"`{next(iter(arguments))}`"):
        ViewEvaluation(mesh, **arguments)


def test_a_run_takes_the_sheet_of_each_step(mesh, monkeypatch):
    asked = []
    sheet_at = Views.sheet_at
    monkeypatch.setattr(Views, "sheet_at", lambda self, step: asked.append(step) or sheet_at(self, step))
    optimize_image(
        Criterion(None, {"smoothness": TotalVariationLoss()}),
        {"content": mesh.texture},
        evaluation=ViewEvaluation(mesh, VIEWS),
        runner=ViewRunner,
        optimizer="adam",
        num_steps=5,
    )
    assert asked == [0, 1, 2, 3, 4]


def test_a_view_runner_needs_a_view_evaluation(mesh):
    with pytest.raises(TypeError, match="the evaluator of a ViewEvaluation, got EagerEvaluator"):
        optimize_image(
            Criterion(None, {"smoothness": TotalVariationLoss()}),
            {"content": mesh.texture},
            evaluation=EagerEvaluation(),
            runner=ViewRunner,
            num_steps=1,
        )


def test_a_corner_of_no_triangle_does_not_widen_the_views(criterion, mesh):
    stray = Mesh(
        torch.cat([mesh.vertices, torch.tensor([[20.0, 0, 0]])]),
        mesh.faces,
        torch.cat([mesh.uvs, torch.zeros(1, 2)]),
        mesh.texture,
    )
    references = {"content": mesh.texture, "style": noise(2, 30, 30)}
    sheets = [
        ViewEvaluation(one, VIEWS).bind(criterion(), references).at(0).sheet.facing for one in (mesh, stray)
    ]
    assert torch.equal(*sheets)
