import pytest
import torch
from torch import Tensor

from pystyle.images import contact_sheet


def flat(value: float, height: int = 10, width: int = 10, channels: int = 3) -> Tensor:
    return torch.full((1, channels, height, width), float(value))


def test_contact_sheet_places_images_in_rows_and_columns() -> None:
    sheet = contact_sheet(
        [flat(0.1), flat(0.2, 20, 40), flat(0.3)], columns=2, height=10, gap=2, background=(0, 0.5, 1)
    )
    # Columns of 10 and 20 pixels, rows of 10, gaps of 2.
    assert sheet.shape == (1, 3, 2 + 12 + 12, 2 + 12 + 22)
    expected = torch.tensor([0, 0.5, 1])[None, :, None, None].repeat(1, 1, 26, 36)
    expected[..., 2:12, 2:12] = 0.1
    expected[..., 2:12, 14:34] = 0.2
    expected[..., 14:24, 2:12] = 0.3
    torch.testing.assert_close(sheet, expected)


def test_contact_sheet_centres_narrow_images_in_their_column() -> None:
    sheet = contact_sheet([[flat(0, 10, 4)], [flat(0.5, 10, 10)]], height=10, gap=0)
    assert sheet.shape == (1, 3, 20, 10)
    assert sheet[0, 0, 5].tolist() == pytest.approx([1, 1, 1, 0, 0, 0, 0, 1, 1, 1])


def test_contact_sheet_puts_a_flat_sequence_in_one_row() -> None:
    images = [flat(0.1), flat(0.2), flat(0.3)]
    sheet = contact_sheet(images, height=10, gap=1)
    assert sheet.shape == (1, 3, 12, 34)
    assert torch.equal(sheet, contact_sheet([images], height=10, gap=1))


def test_contact_sheet_accepts_rows_of_different_lengths() -> None:
    rows = [[flat(0.1)], [flat(0.2), flat(0.3)], []]
    assert contact_sheet(rows, height=10, gap=0).shape == (1, 3, 30, 20)


def test_contact_sheet_brings_every_image_to_the_height_and_to_rgb() -> None:
    images = [flat(0.1, 5, 5), flat(0.4, 40, 80, channels=1)[0], flat(0.9, 13, 26).double()]
    sheet = contact_sheet(images, height=10, gap=0)
    assert sheet.dtype == torch.float32
    torch.testing.assert_close(sheet[0, :, 5, [0, 15, 45]], torch.tensor([[0.1, 0.4, 0.9]] * 3))


def test_contact_sheet_clamps() -> None:
    assert contact_sheet([flat(1.4)], height=10, gap=0).max() == 1


def test_contact_sheet_draws_titles_above_the_images() -> None:
    images = [flat(0.5, 40, 40), flat(0.5, 40, 40)]
    plain = contact_sheet(images, height=40, gap=4)
    titled = contact_sheet(images, height=40, gap=4, titles=["M", ""])
    strip = titled.shape[2] - plain.shape[2]
    assert strip > 0
    assert titled[..., 4 : 4 + strip, 4:44].min() < 0.2  # ink
    assert (titled[..., 4 : 4 + strip, 48:88] == 1).all()  # no title, no ink
    torch.testing.assert_close(titled[..., 4 + strip : -4, :], plain[..., 4:-4, :])


def test_contact_sheet_draws_captions_below_the_images() -> None:
    images = [torch.zeros(1, 3, 20, 90), torch.zeros(1, 3, 20, 90)]
    sheet = contact_sheet(images, height=20, gap=4, titles=["", "b"], captions=["a", ""])
    assert sheet.shape[2] == 4 + 24 + 20 + 24 + 4
    assert sheet[..., 28:48, 4:94].max() == 0
    assert sheet[..., 48:72, 4:94].min() < 0.2
    assert sheet[..., 48:72, 98:].min() == 1
    assert sheet[..., 4:28, :98].min() == 1
    with pytest.raises(ValueError, match="`captions` must have one text for each image"):
        contact_sheet(images, captions=["a"])


def test_contact_sheet_makes_room_for_long_titles() -> None:
    title = "a long title for a small image"
    sheet = contact_sheet([flat(0.5)], height=10, gap=0, titles=[title])
    longer = contact_sheet([flat(0.5)], height=10, gap=0, titles=[title + title])
    assert 100 < sheet.shape[3] < longer.shape[3]


def test_contact_sheet_draws_white_titles_on_a_dark_background() -> None:
    sheet = contact_sheet([flat(0.0)], height=10, gap=0, titles=["M"], background=(0, 0, 0))
    assert sheet.max() > 0.8


def test_contact_sheet_takes_titles_nested_or_flat_as_the_images() -> None:
    images = [flat(0.1), flat(0.2), flat(0.3)]
    nested = contact_sheet([images[:2], images[2:]], height=10, titles=[["a", "b"], ["c"]])
    assert torch.equal(nested, contact_sheet(images, columns=2, height=10, titles=["a", "b", "c"]))


def test_contact_sheet_leaves_the_images_alone() -> None:
    image = flat(1.3).requires_grad_()
    contact_sheet([image], height=10).zero_()
    assert torch.equal(image, flat(1.3))


@pytest.mark.parametrize("images", [[], [[], []]])
def test_contact_sheet_refuses_no_images(images: list[list[Tensor]]) -> None:
    with pytest.raises(ValueError, match="at least one image"):
        contact_sheet(images)


def test_contact_sheet_refuses_other_numbers_of_titles() -> None:
    with pytest.raises(
        ValueError, match=r"one text for each image, got rows of \[1\] titles for rows of \[2\]"
    ):
        contact_sheet([flat(0), flat(0)], titles=["a"])


def test_contact_sheet_puts_titles_of_several_lines_on_one() -> None:
    sheet = contact_sheet([flat(0.5)], height=10, titles=["two\nlines"])
    assert torch.equal(sheet, contact_sheet([flat(0.5)], height=10, titles=["two lines"]))


def test_contact_sheet_refuses_a_mixture_of_rows_and_images() -> None:
    with pytest.raises(ValueError, match="must be rows or flat, got a mixture"):
        contact_sheet([flat(0), [flat(0)]])  # type: ignore[list-item]


def test_contact_sheet_refuses_columns_for_rows_that_are_given() -> None:
    with pytest.raises(ValueError, match="`columns` is for a flat sequence"):
        contact_sheet([[flat(0)]], columns=2)


def test_contact_sheet_refuses_a_batch_among_the_images() -> None:
    with pytest.raises(ValueError, match="must be one image"):
        contact_sheet([torch.zeros(2, 3, 4, 4)])


@pytest.mark.parametrize(("name", "value"), [("columns", 0), ("height", 0), ("gap", -1), ("height", 2.5)])
def test_contact_sheet_refuses_numbers_out_of_range(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"`{name}` must (be at least|not be negative|be a whole number)"):
        contact_sheet([flat(0)], **{name: value})
