"""`--mask` and `--style-mask`."""

import pytest
import torch

from pystyle.cli import main
from pystyle.images import read_image, write_image

TINY = ["--encoder", "alexnet", "--weights", "none", "--size", "36", "--steps", "3", "--device", "cpu"]
LEFT = torch.zeros(1, 1, 36, 60)
LEFT[..., :30] = 1


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = torch.Generator().manual_seed(0)
    write_image(torch.rand(1, 3, 36, 60, generator=generator), "content.png")
    write_image(0.1 * torch.rand(1, 3, 40, 40, generator=generator), "dark.png")
    write_image(0.9 + 0.1 * torch.rand(1, 3, 40, 40, generator=generator), "light.png")
    for name, mask in {"left": LEFT, "right": 1 - LEFT}.items():
        write_image(mask.expand(1, 3, -1, -1), f"{name}.png")
    top = torch.zeros(1, 3, 80, 40)
    top[:, :, :40] = 1
    write_image(top, "top.png")
    write_image(1 - top, "bottom.png")
    write_image(torch.cat((read_image("dark.png"), read_image("light.png")), 2), "both.png")
    return tmp_path


def paint(*arguments):
    return main(["stylize", "content.png", *arguments, "-o", "out.png", "--strength", "20", *TINY])


def halves():
    image = read_image("out.png")
    return float(image[..., :24].mean()), float(image[..., 36:].mean())


def test_each_mask_belongs_to_a_style():
    assert paint("dark.png", "light.png", "--mask", "left.png", "right.png") == 0
    left, right = halves()
    assert left < 0.3
    assert right > 0.7


def test_regions_of_one_painting_are_named_by_style_masks():
    masks = ["--mask", "left.png", "right.png", "--style-mask", "top.png", "bottom.png"]
    assert paint("both.png", *masks) == 0
    left, right = halves()
    assert left < 0.3
    assert right > 0.7


def test_one_mask_says_where_to_paint():
    assert paint("dark.png", "--mask", "left.png") == 0
    before = read_image("content.png")[..., 36:]
    assert (read_image("out.png")[..., 36:] - before).abs().mean() < 0.1
    assert halves()[0] < 0.3


def test_masks_are_saved_with_a_run(folder, monkeypatch):
    masks = ["--mask", "left.png", "right.png"]
    assert paint("dark.png", "light.png", *masks, "--save-config", "run.toml") == 0
    first = (folder / "out.png").read_bytes()
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert main(["stylize", "--config", "../run.toml", "-o", "again.png"]) == 0
    assert (folder / "elsewhere" / "again.png").read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dark.png", "light.png", "--mask", "left.png", "right.png", "left.png"], "3 for 2 styles"),
        (["dark.png", "--mask", "left.png", "--style-mask", "top.png", "bottom.png"], "got 2 for 1"),
        (["dark.png", "--style-mask", "top.png"], "got 1 for 0"),
        (
            ["dark.png", "light.png", "--mask", "left.png", "--style-mask", "top.png"],
            "`--style-mask` must be left out",
        ),
        (["dark.png", "--mask", "top.png"], "60 x 36 pixels, got 40 x 80 in 'top.png'"),
        (["dark.png", "light.png", "--mask", "left.png", "left.png"], "must not overlap"),
        (["dark.png", "--mask", "nothing.png"], "nothing.png"),
        (["dark.png", "--mask", "content.png"], "it is coloured"),
    ],
)
def test_masks_that_do_not_fit_are_refused(capsys, arguments, message):
    assert paint(*arguments) != 0
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    "options",
    [
        ["--mask", "left, dark.png", "right.png"],
        ["--mask=left, dark.png", "--mask=right.png"],
        ["--mask=left.png,right.png"],
        ["--mask", "left.png", "--mask", "right.png"],
    ],
)
def test_a_mask_may_have_a_comma_in_its_name(options):
    write_image(LEFT.expand(1, 3, -1, -1), "left, dark.png")
    assert paint("dark.png", "light.png", *options) == 0
    left, right = halves()
    assert left < 0.3
    assert right > 0.7


def test_a_missing_mask_with_a_comma_is_named_as_it_was_given(capsys):
    assert paint("dark.png", "--mask", "left, bright.png") == 1
    assert "'left, bright.png': there is no such file" in capsys.readouterr().err


def test_masks_in_a_config_may_have_commas_in_their_names(folder):
    write_image(LEFT.expand(1, 3, -1, -1), "left, dark.png")
    (folder / "run.toml").write_text('mask = ["left, dark.png", "right.png"]', encoding="utf-8")
    assert paint("dark.png", "light.png", "--config", "run.toml") == 0
    left, right = halves()
    assert left < 0.3
    assert right > 0.7
