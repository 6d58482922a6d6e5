"""Clips from files and to them."""

import sys

import pytest
import torch

from pystyle.images import Clip, ImageReadError, read_video, resize, write_video


def moving(count, height, width):
    """A bright square that moves to the right by two pixels a frame, softened so that it survives coding."""
    frames = []
    for index in range(count):
        frame = torch.full((1, 3, height, width), 0.2)
        frame[:, 0, 8:24, 4 + 2 * index : 20 + 2 * index] = 0.9
        frames.append(torch.nn.functional.avg_pool2d(frame, 5, stride=1, padding=2, count_include_pad=False))
    return frames


@pytest.mark.parametrize(
    ("name", "size"), [("clip.mp4", (32, 48)), ("clip.mkv", (33, 47)), ("c.mov", (32, 32))]
)
def test_a_clip_comes_back(tmp_path, name, size) -> None:
    pytest.importorskip("av")
    frames = moving(6, *size)
    write_video(frames, tmp_path / name, frames_per_second=12.5, quality=5)
    clip = read_video(tmp_path / name)
    assert isinstance(clip, Clip)
    assert len(clip.frames) == 6
    assert clip.frames_per_second == pytest.approx(12.5, rel=1e-3)
    for own, found in zip(frames, clip.frames, strict=True):
        assert found.shape == own.shape
        assert found.dtype == torch.float32
        assert float((own - found).abs().mean()) < 0.02
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_part_of_a_clip_is_read(tmp_path) -> None:
    pytest.importorskip("av")
    path = tmp_path / "clip.mp4"
    write_video(moving(6, 32, 48), path)
    whole = read_video(path).frames
    part = read_video(str(path), first_frame=2, num_frames=3).frames
    assert len(part) == 3
    assert all(torch.equal(*pair) for pair in zip(part, whole[2:5], strict=True))
    assert len(read_video(path, first_frame=4).frames) == 2
    with pytest.raises(ImageReadError, match="it has no frame 6"):
        read_video(path, first_frame=6)


def test_frames_are_made_smaller_as_they_are_read(tmp_path) -> None:
    write_video([torch.rand(1, 3, 24, 36)] * 2, tmp_path / "clip.mp4")
    whole, small = (read_video(tmp_path / "clip.mp4", **size) for size in ({}, {"edge_size": 12}))
    assert all(
        torch.equal(little, resize(large, 12))
        for little, large in zip(small.frames, whole.frames, strict=True)
    )
    assert read_video(tmp_path / "clip.mp4", edge_size=12, edge="long").frames[0].shape == (1, 3, 8, 12)


def test_a_better_quality_is_nearer_to_the_frames(tmp_path) -> None:
    pytest.importorskip("av")
    generator = torch.Generator().manual_seed(0)
    # Grey, for colours lose half of their resolution whatever the quality.
    frames = [torch.rand(1, 1, 32, 32, generator=generator).expand(1, 3, 32, 32) for _ in range(3)]
    errors = []
    for quality in (0, 40):
        write_video(frames, tmp_path / "noise.mp4", quality=quality)
        found = read_video(tmp_path / "noise.mp4").frames
        errors.append(float((found[1] - frames[1]).abs().mean()))
    assert errors[0] < 0.5 * errors[1]


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"pip install \"pystyle-nst\[video\]\""):
        write_video([torch.zeros(1, 3, 4, 4)], tmp_path / "clip.mp4")
    with pytest.raises(ImportError, match="PyAV"):
        read_video(tmp_path / "clip.mp4")


def test_files_that_are_no_video_are_named(tmp_path) -> None:
    pytest.importorskip("av")
    with pytest.raises(ImageReadError, match=r"Cannot read the video '.*none.mp4': there is no such file"):
        read_video(tmp_path / "none.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(ImageReadError, match=r"Cannot read the video '.*text.mp4'"):
        read_video(tmp_path / "text.mp4")


def test_wrong_arguments_are_refused_and_leave_no_file(tmp_path) -> None:
    pytest.importorskip("av")
    frame, path = torch.zeros(1, 3, 16, 16), tmp_path / "clip.mp4"
    with pytest.raises(ValueError, match=r"must end in one of .mp4, .mov, .mkv, got '.*clip.gif'"):
        write_video([frame], tmp_path / "clip.gif")
    with pytest.raises(ValueError, match="`frames` must have at least one frame"):
        write_video([], path)
    with pytest.raises(ValueError, match=r"`frames` must have one size, got \(16, 16\) and \(16, 32\)"):
        write_video([frame, torch.zeros(1, 3, 16, 32)], path)
    with pytest.raises(ValueError, match=r"`quality` must be in \[0, 51\]"):
        write_video([frame], path, quality=52)
    with pytest.raises(ValueError, match="finite"):
        write_video([frame / 0], path)
    with pytest.raises(ValueError, match="`num_frames` must be at least 1"):
        read_video(path, num_frames=0)
    assert list(tmp_path.iterdir()) == []
