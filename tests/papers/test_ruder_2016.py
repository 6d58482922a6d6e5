"""Video: the losses of a frame against loops, what frames begin with, and how steady a clip becomes."""

import inspect
import pickle
from functools import partial

import pytest
import torch

from pystyle.encoders import WeightsError, vgg19
from pystyle.functional import reliability
from pystyle.papers import ruder_2016
from pystyle.runner import optimize_image

CONTENT = "relu4_2"
STYLE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
MEAN = torch.tensor([123.68, 116.779, 103.939]).reshape(1, 3, 1, 1) / 255


def frame_loss(encoder, variant, content, style, image, warped, weights):
    """Sums for the paper and means for the code, colours in levels of 0 ... 255."""
    found, wanted, painted = (encoder(each, [CONTENT, *STYLE]) for each in (image, content, style))
    difference = (found[CONTENT] - wanted[CONTENT]).square()
    if variant == "paper":
        n, m = difference.shape[1], difference.shape[2] * difference.shape[3]
        total = difference.sum() / (n * m)
    else:
        total = 5 * difference.mean()
    for layer in STYLE:
        own, other = (each[layer][0].flatten(1) for each in (found, painted))
        n = len(own)
        if variant == "paper":  # Σ (G - A)² / (N² M²), with the M of each image in its matrix
            square = (own @ own.T / own.shape[1] - other @ other.T / other.shape[1]).square()
            total = total + 20 * square.sum() / n**2
        else:
            square = (own @ own.T / own.numel() - other @ other.T / other.numel()).square()
            total = total + 100 * square.mean()
    for each, weight in zip(warped, weights, strict=True):
        levels = (255 * (image - each)).square()
        total = total + (200 if variant == "paper" else 1000) * (weight * levels).sum() / image.numel()
    if variant == "code":
        levels = 255 * image
        across = levels[:, :, :-1, 1:] - levels[:, :, :-1, :-1]
        down = levels[:, :, 1:, :-1] - levels[:, :, :-1, :-1]
        total = total + 1e-3 * (across.square() + down.square()).sum() / 2
    return total


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_the_loss_of_a_frame_is_that_of_the_paper_and_of_the_code(
    exact_encoder, picture, check_formula, variant
):
    content, style, image = picture(0), picture(1, 32, 32), picture(2)
    warped = [picture(3), picture(4)]
    weights = [picture(5)[:, :1], picture(6)[:, :1]]
    criterion = ruder_2016.criterion(exact_encoder, weights=weights, variant=variant, size=(32, 48))
    references = {"content": content, "style": style, "warped_0": warped[0], "warped_1": warped[1]}
    check_formula(
        criterion,
        references,
        image,
        lambda image: frame_loss(exact_encoder, variant, content, style, image, warped, weights),
    )


def constant(u, v, height, width):
    return torch.tensor([float(u), float(v)]).reshape(1, 2, 1, 1).expand(1, 2, height, width)


def test_flows_of_whole_pixels_warp_exactly_and_the_outside_gets_the_mean_colour(picture):
    frame = picture(0, 12, 16, torch.float32)
    assert torch.equal(ruder_2016.warped_frame(frame, constant(0, 0, 12, 16)), frame)
    moved = ruder_2016.warped_frame(frame, constant(3, -2, 12, 16))
    assert torch.equal(moved[:, :, 2:, :-3], frame[:, :, :-2, 3:])
    torch.testing.assert_close(moved[:, :, :2], MEAN.expand(1, 3, 2, 16))
    torch.testing.assert_close(moved[..., -3:], MEAN.expand(1, 3, 12, 3))


def test_far_frames_count_where_no_nearer_one_does():
    c = [torch.tensor(values).reshape(1, 1, 1, 4) for values in ([1.0, 0.0, 0.2, 0.0], [1.0, 1.0, 0.5, 0.0],
                                                                   [1.0, 1.0, 0.6, 1.0])]  # fmt: skip

    def flat(weights):
        return [[round(value, 6) for value in each.flatten().tolist()] for each in weights]

    near = [[1.0, 0.0, 0.2, 0.0], [0.0, 1.0, 0.3, 0.0]]
    assert flat(ruder_2016.long_term_weights(c, variant="paper")) == [*near, [0.0, 0.0, 0.0, 1.0]]
    # 0.6 less 0.2 and less the 0.3 that was left of the second.
    assert flat(ruder_2016.long_term_weights(c)) == [*near, [0.0, 0.0, 0.1, 1.0]]


def test_neighbours_are_mixed_by_their_weights():
    x, other = torch.zeros(1, 3, 1, 3), torch.ones(1, 3, 1, 3)
    c = torch.tensor([[[[1.0, 0.0, 0.6]]]])
    found = [
        ruder_2016.blended(x, other, c, variant=variant)[0, 0, 0].tolist() for variant in ("paper", "code")
    ]
    assert found[0] == pytest.approx([0.5, 0.0, 0.3])
    assert found[1] == pytest.approx([0.5, 0.0, 0.6 / 1.6])


def moving(picture, count, height, width, step=2, dtype=torch.float32):
    """A crop that moves over a picture to the right: the flow to the next frame is `step` to the left."""
    whole = picture(0, height, width + 4 * ((step * count) // 4 + 1), dtype)
    frames = [whole[..., step * index : step * index + width].contiguous() for index in range(count)]

    def flow(i, j):
        return constant(-step * (j - i), 0, height, width)

    return frames, flow


def test_the_flow_of_a_moving_crop_moves_it_exactly(picture):
    frames, flow = moving(picture, 4, 16, 24)
    assert ruder_2016.temporal_error(frames, flow) == 0.0
    assert ruder_2016.temporal_error(frames, lambda *_: constant(0, 0, 16, 24)) > 1e-4
    # What comes from outside does not count, whatever is there.
    spoiled = [frames[0], frames[1].clone()]
    spoiled[1][..., -2:] = 0.0
    assert ruder_2016.temporal_error(spoiled, flow) == 0.0
    spoiled[1][..., 5, 5] += 0.24
    expected = 3 * 0.24**2 / (3 * 16 * 22)
    assert ruder_2016.temporal_error(spoiled, flow) == pytest.approx(expected, rel=1e-4)


def watched(monkeypatch):
    seen = []

    def watch(criterion, references, *, init, num_steps, callbacks, **options):
        result = optimize_image(criterion, references, init=init, num_steps=0, callbacks=callbacks, **options)
        seen.append((criterion, references, init, num_steps, callbacks))
        return result

    monkeypatch.setattr("pystyle.papers.ruder_2016._frame_optimizer.optimize_image", watch)
    return seen


@pytest.mark.parametrize("init", ["random", "previous", "warped", "content"])
def test_frames_begin_as_they_should(encoder, picture, monkeypatch, init):
    frames, flow = moving(picture, 3, 32, 32)
    seen = watched(monkeypatch)
    results = ruder_2016.style_transfer(frames, frames[0], flow, encoder=encoder, init=init)
    starts = [each[2] for each in seen]
    if init == "content":
        assert all(torch.equal(*pair) for pair in zip(starts, frames, strict=True))
        return
    assert float((starts[0] - MEAN).abs().max()) < 1e-4
    expected = {
        "previous": results[1].image,
        "warped": ruder_2016.warped_frame(results[1].image, flow(2, 1)),
    }
    if init == "random":
        assert float((starts[2] - MEAN).abs().max()) < 1e-4
        assert not torch.equal(starts[2], starts[1])
    else:
        assert torch.equal(starts[2], expected[init])
    assert [each[3] for each in seen] == [2000, 1000, 1000]
    assert (seen[0][4][0].patience, seen[0][4][0].tolerance) == (50, 1e-4)


def test_frames_are_held_to_the_previous_ones_at_the_given_distances(encoder, picture, monkeypatch):
    frames, flow = moving(picture, 4, 32, 32)
    seen = watched(monkeypatch)
    results = ruder_2016.style_transfer(
        frames, frames[0], flow, encoder=encoder, variant="paper", distances=(2, 1)
    )
    names = [sorted(name for name in references if name.startswith("warped")) for _, references, *_ in seen]
    assert names == [[], ["warped_0"], ["warped_0", "warped_1"], ["warped_0", "warped_1"]]
    criterion, references = seen[3][:2]
    # The nearest comes first; the flow reaches 2 and 4 pixels, and pixels from outside are not reliable.
    for index, distance in enumerate((1, 2)):
        expected = ruder_2016.warped_frame(results[3 - distance].image, flow(3, 3 - distance))
        assert torch.equal(references[f"warped_{index}"], expected)
    near = criterion.losses["temporal_0"].reliability[0, 0, 0].tolist()
    far = criterion.losses["temporal_1"].reliability[0, 0, 0].tolist()
    assert near == [1.0] * 30 + [0.0] * 2
    assert far == [0.0] * 32  # wherever the far frame reaches, the near one does
    ruder_2016.style_transfer(frames[:2], frames[0], flow, encoder=encoder, temporal_weight=0.0)
    assert set(seen[-1][1]) == {"content", "style"}


def test_passes_alternate_and_mix_with_the_neighbour_of_the_same_pass(encoder, picture, monkeypatch):
    frames, flow = moving(picture, 3, 32, 32)
    seen = []

    def watch(criterion, references, *, init, **options):
        index = next(i for i, frame in enumerate(frames) if frame is references["content"])
        result = optimize_image(criterion, references, init=init, **options)
        seen.append((index, init, sorted(references), result.image, criterion))
        return result

    monkeypatch.setattr("pystyle.papers.ruder_2016._multi_pass.optimize_image", watch)
    results = ruder_2016.multi_pass(
        frames, frames[0], flow, encoder=encoder, num_passes=3, temporal_from=3, num_steps=1
    )
    assert [each[0] for each in seen] == [0, 1, 2, 2, 1, 0, 0, 1, 2]
    assert all("warped_0" not in each[2] for each in seen[:7])
    assert all("warped_0" in each[2] for each in seen[7:])
    assert seen[7][4].losses["temporal_0"].weight == 500 * 255**2
    # The second pass goes backwards: its first frame is the last one as it was, the next is mixed with it.
    assert torch.equal(seen[3][1], seen[2][3])
    weights = reliability(flow(2, 1), flow(1, 2), smoothing=0.8)
    moved = torch.cat([seen[3][3][..., :1].expand(-1, -1, -1, 2), seen[3][3][..., :-2]], dim=3)
    expected = (seen[1][3] + weights * moved) / (1 + weights)
    torch.testing.assert_close(seen[4][1], expected)
    assert torch.equal(results[1].image, seen[7][3])


def test_the_numbers_are_those_of_the_code(encoder):
    single = inspect.signature(ruder_2016.style_transfer).parameters
    assert (single["num_steps"].default, single["tolerance"].default) == ((2000, 1000), 1e-4)
    assert (single["distances"].default, single["init"].default) == ((1,), "warped")
    several = inspect.signature(ruder_2016.multi_pass).parameters
    numbers = [several[name].default for name in ("num_passes", "temporal_from", "num_steps")]
    assert numbers == [15, 8, 100]
    weights = [torch.ones(1, 1, 32, 32)]
    losses = ruder_2016.criterion(encoder, weights=weights, size=(32, 32)).losses
    assert (losses["content"].weight, losses["style"].layer_weights["relu5_1"]) == (5, 100)
    assert losses["temporal_0"].weight == 1000 * 255**2


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(900)
def test_clips_are_the_steadier_the_more_a_frame_knows_of_the_one_before(picture):
    """The order of the paper's table 1: the loss, the warped frame, the frame as it is, noise.

    At 32 pixels the style would hide the rest with its usual weight, and L-BFGS would need more steps.
    """
    frames, flow = moving(picture, 5, 32, 32, step=1)
    style, encoder = picture(1, 32, 32, torch.float32), vgg19()
    errors = []
    for init, weight in (("warped", None), ("warped", 0.0), ("previous", 0.0), ("random", 0.0)):
        results = ruder_2016.style_transfer(
            frames,
            style,
            flow,
            encoder=encoder,
            init=init,
            style_weight=1.0,
            temporal_weight=weight,
            num_steps=(60, 40),
            optimizer=partial(torch.optim.Adam, lr=0.02),
        )
        errors.append(ruder_2016.temporal_error([result.image for result in results], flow))
    assert errors == sorted(errors)
    assert errors[0] < 0.5 * errors[1]
    assert errors[1] < 0.5 * errors[2]


def test_raft_loads_weights_from_a_file_and_sees_any_size(tmp_path):
    from torchvision.models.optical_flow import raft_small

    path = tmp_path / "raft.pth"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = raft_small(weights=None).eval()
    torch.save(network.state_dict(), path)
    state = torch.get_rng_state()
    raft = ruder_2016.RAFTFlow(path, network="small", num_updates=2)
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(parameter.requires_grad for parameter in raft.parameters())
    generator = torch.Generator().manual_seed(0)
    image, other = (torch.rand(1, 3, 36, 50, generator=generator) for _ in range(2))
    flow = raft(image, other)
    assert flow.shape == (1, 2, 36, 50)
    padded = [
        torch.nn.functional.pad(2 * each - 1, (0, 78, 0, 92), mode="replicate") for each in (image, other)
    ]
    with torch.no_grad():
        expected = network(*padded, num_flow_updates=2)[-1][:, :, :36, :50]
    torch.testing.assert_close(flow, expected)
    assert len(pickle.dumps(raft)) > 1e6
    with pytest.raises(ValueError, match="`image` and `other` must have the same shape"):
        raft(image, other[..., :-1])
    with pytest.raises(WeightsError, match=r"raft.pth' is not that of the large network"):
        ruder_2016.RAFTFlow(path)


def test_missing_weights_of_raft_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(WeightsError, match=r"RAFT needs the file 'raft_small_C_T_V2-.*.pth'"):
        ruder_2016.RAFTFlow(network="small")
    with pytest.raises(ValueError, match="`network` must be 'large' or 'small', got 'tiny'"):
        ruder_2016.RAFTFlow(network="tiny")
    with pytest.raises(ValueError, match="`num_updates` must be at least 1, got 0"):
        ruder_2016.RAFTFlow(num_updates=0)


def test_wrong_arguments_are_refused(encoder, picture):
    frames, flow = moving(picture, 2, 32, 32)
    with pytest.raises(ValueError, match="`variant` must be 'paper' or 'code', got 'x'"):
        ruder_2016.criterion(encoder, variant="x", size=(32, 32))
    with pytest.raises(ValueError, match=r"`init` must be .*, got 'first'"):
        ruder_2016.style_transfer(frames, frames[0], flow, encoder=encoder, init="first")
    with pytest.raises(ValueError, match=r"`distances\[0\]` must be at least 1, got 0"):
        ruder_2016.style_transfer(frames, frames[0], flow, encoder=encoder, distances=(0,))
    with pytest.raises(ValueError, match="`frames` must be at least one image, all of one shape"):
        ruder_2016.style_transfer([], frames[0], flow, encoder=encoder)
    with pytest.raises(ValueError, match="`num_passes` must be at least 1, got 0"):
        ruder_2016.multi_pass(frames, frames[0], flow, encoder=encoder, num_passes=0)
