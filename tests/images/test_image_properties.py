"""What holds for images of any size, layout and number of channels."""

import io

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pystyle.images import from_pil, quantise, read_image, resize, to_pil, write_image

few = settings(deadline=None, derandomize=True, max_examples=25, database=None)

SIDES = st.integers(8, 70)
SEEDS = st.integers(0, 2**16)
LAYOUTS = st.sampled_from(["contiguous", "channels_last", "transposed", "expanded", "strided"])
LOSSLESS = st.sampled_from(["png", "tiff", "bmp", "ppm", "jp2"])


def image(height, width, seed, channels=3):
    generator = torch.Generator().manual_seed(seed)
    # Beyond the range now and then: that is clamped.
    return 1.4 * torch.rand(1, channels, height, width, generator=generator) - 0.2


def laid_out(x, layout):
    return {
        "contiguous": lambda: x,
        "channels_last": lambda: x.contiguous(memory_format=torch.channels_last),
        "transposed": lambda: x.mT.contiguous().mT,
        "expanded": lambda: x[:, :1, :, :1].expand(x.shape),
        "strided": lambda: x.repeat_interleave(2, 2)[:, :, ::2],
    }[layout]()


@few
@given(
    SIDES, SIDES, SEEDS, LAYOUTS, LOSSLESS, st.sampled_from([1, 3]), st.sampled_from(["float32", "float64"])
)
def test_what_is_written_without_loss_is_read_as_the_quantised_image(
    height, width, seed, layout, name, channels, dtype
):
    written = laid_out(image(height, width, seed, channels).to(getattr(torch, dtype)), layout)
    stream = io.BytesIO()
    write_image(written, stream, format=name)
    stream.seek(0)
    read = read_image(stream)
    expected = quantise(written).float().expand(1, 3, height, width)
    torch.testing.assert_close(read, expected, rtol=0, atol=1e-6)


@few
@given(SIDES, SIDES, SEEDS, LAYOUTS)
def test_sixteen_bits_are_read_as_they_were_written(height, width, seed, layout):
    written = laid_out(image(height, width, seed), layout)
    stream = io.BytesIO()
    write_image(written, stream, bits=16)
    stream.seek(0)
    # Half a level, and the rounding of the division.
    torch.testing.assert_close(read_image(stream), written.clamp(0, 1), rtol=0, atol=0.51 / 65535)


@few
@given(SIDES, SIDES, SEEDS)
def test_quantising_twice_is_quantising_once(height, width, seed):
    once = quantise(image(height, width, seed))
    assert torch.equal(quantise(once), once)
    assert torch.equal(from_pil(to_pil(once)), once)


@few
@given(
    SIDES, SIDES, SEEDS, st.integers(1, 90), st.sampled_from(["short", "long", "height", "width"]), LAYOUTS
)
def test_a_resized_image_keeps_its_range_and_its_ratio_and_the_layout_changes_nothing(
    height, width, seed, size, edge, layout
):
    given_image = laid_out(image(height, width, seed).clamp(0, 1), layout)
    resized = resize(given_image, size, edge=edge)
    new_height, new_width = resized.shape[2:]
    sides = {"height": new_height, "width": new_width}
    sides |= {"short": min(new_height, new_width), "long": max(new_height, new_width)}
    assert sides[edge] == size
    # The other side is the nearest integer, and never 0.
    scale = size / {"height": height, "width": width, "short": min(height, width)}.get(
        edge, max(height, width)
    )
    assert abs(new_height - scale * height) <= 0.5 or new_height == 1
    assert abs(new_width - scale * width) <= 0.5 or new_width == 1
    assert 0 <= float(resized.min()) <= float(resized.max()) <= 1
    torch.testing.assert_close(resized, resize(given_image.contiguous(), size, edge=edge), rtol=0, atol=1e-6)


@few
@given(SIDES, SIDES, SIDES, SIDES, st.floats(0, 1))
def test_a_flat_image_stays_flat_at_every_size(height, width, new_height, new_width, level):
    resized = resize(torch.full((1, 3, height, width), level), (new_height, new_width))
    torch.testing.assert_close(resized, torch.full((1, 3, new_height, new_width), level), rtol=0, atol=1e-5)


@few
@given(st.integers(1, 4), SIDES, SIDES, SEEDS)
def test_a_batch_is_resized_as_its_images(count, height, width, seed):
    batch = torch.cat([image(height, width, seed + index).clamp(0, 1) for index in range(count)])
    alone = torch.cat([resize(one[None], (11, 17)) for one in batch])
    torch.testing.assert_close(resize(batch, (11, 17)), alone, rtol=0, atol=1e-6)
