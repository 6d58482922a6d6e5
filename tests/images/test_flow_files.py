"""Files of optical flow against bytes made by hand."""

import struct

import pytest
import torch

from pystyle.images import ImageReadError, read_flow, write_flow

# Two rows of three pixels; the pairs are (right, down).
PAIRS = [(1.0, 10.0), (2.0, 20.0), (3.0, 30.0), (4.0, 40.0), (5.0, 50.0), (6.0, -60.5)]
BYTES = struct.pack("<fii", 202021.25, 3, 2) + b"".join(struct.pack("<ff", *pair) for pair in PAIRS)


def test_a_file_made_by_hand_is_read(tmp_path) -> None:
    path = tmp_path / "flow.flo"
    path.write_bytes(BYTES)
    flow = read_flow(path)
    assert flow.dtype == torch.float32
    assert flow.tolist() == [[[[1, 2, 3], [4, 5, 6]], [[10, 20, 30], [40, 50, -60.5]]]]


def test_what_is_written_are_these_bytes(tmp_path) -> None:
    path = tmp_path / "flow.flo"
    flow = torch.tensor(PAIRS, dtype=torch.float64).reshape(2, 3, 2).permute(2, 0, 1)[None]
    write_flow(flow.requires_grad_(), str(path))
    assert path.read_bytes() == BYTES


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "does not begin as a .flo file"),
        (b"JUNK" + BYTES[4:], "does not begin as a .flo file"),
        (BYTES[:-1], "says 2 x 3 pixels, for which its 59 bytes are not the right number"),
        (struct.pack("<fii", 202021.25, -3, 2), "says 2 x -3 pixels"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path, data, reason) -> None:
    path = tmp_path / "broken.flo"
    path.write_bytes(data)
    with pytest.raises(ImageReadError, match=reason) as caught:
        read_flow(path)
    assert "broken.flo" in str(caught.value)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(ImageReadError, match=r"Cannot read the flow '.*none.flo': No such file"):
        read_flow(tmp_path / "none.flo")


def test_a_flow_of_another_shape_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"the shape \(1, 2, height, width\), got \(2, 4, 4\)"):
        write_flow(torch.zeros(2, 4, 4), tmp_path / "flow.flo")
    assert list(tmp_path.iterdir()) == []
