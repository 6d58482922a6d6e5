"""A full disk, or a file that may not grow: what was there stays, nothing else is left, and it is said."""

import csv
import errno
import os
from contextlib import contextmanager
from functools import partial

import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, optimize_image
from pystyle.checkpoints import CheckpointFolder
from pystyle.encoders import SequentialEncoder
from pystyle.images import contact_sheet, read_image, write_flow, write_image, write_masks
from pystyle.runner import CSVLogger, JSONLogger, Preview

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")

NOISE = torch.rand(1, 3, 300, 300, generator=torch.Generator().manual_seed(0))
TOO_LARGE = 100_000
CHECKPOINT = "checkpoint-00000001.safetensors"


@contextmanager
def full_device(monkeypatch):
    """New files are on a device that is full."""
    opened = os.open

    def on_full_device(path, flags, *mode, **options):
        descriptor = opened(path, flags, *mode, **options)
        if flags & os.O_EXCL:
            full = opened("/dev/full", os.O_WRONLY)
            os.dup2(full, descriptor)
            os.close(full)
        return descriptor

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", on_full_device)
        yield errno.ENOSPC


@contextmanager
def small_files(_, size=TOO_LARGE):
    """No file gets larger; Python ignores SIGXFSZ."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield errno.EFBIG
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


WRITERS = {
    "checkpoint": (CHECKPOINT, lambda folder: CheckpointFolder(folder).write(1, {"image": NOISE})),
    "png": ("a.png", lambda folder: write_image(NOISE, folder / "a.png")),
    "16 bits": ("a.png", lambda folder: write_image(NOISE, folder / "a.png", bits=16)),
    "jpeg": ("a.jpg", lambda folder: write_image(NOISE, folder / "a.jpg", quality=100)),
    "flow": ("a.flo", lambda folder: write_flow(NOISE[:, :2], folder / "a.flo")),
    "masks": ("a.png", lambda folder: write_masks({"a": torch.cat([NOISE[:, :1]] * 3, 2)}, folder)),
    "sheet": ("a.png", lambda folder: write_image(contact_sheet([NOISE, NOISE]), folder / "a.png")),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("fault", [full_device, small_files])
def test_a_file_that_cannot_be_written_leaves_the_one_before(name, fault, tmp_path, monkeypatch):
    file, write = WRITERS[name]
    (tmp_path / file).write_bytes(b"before")
    with fault(monkeypatch) as number, pytest.raises(OSError, match=r"No space left|too large") as caught:
        write(tmp_path)
    assert caught.value.errno == number
    assert os.listdir(tmp_path) == [file]
    assert (tmp_path / file).read_bytes() == b"before"
    # It is not too small for a file that cannot be written: with room it is.
    write(tmp_path)
    assert (tmp_path / file).stat().st_size > TOO_LARGE


def test_a_stream_that_is_full_is_an_error():
    with open("/dev/full", "wb", buffering=0) as stream, pytest.raises(OSError, match="No space left"):
        write_image(NOISE, stream)


def run(**arguments):
    conv = nn.Conv2d(3, 2, 3)
    with torch.no_grad():
        conv.weight.copy_(torch.linspace(-1, 1, 54).reshape(2, 3, 3, 3))
        conv.bias.zero_()
    criterion = Criterion(SequentialEncoder({"conv": conv}), {"content": ContentLoss("conv")})
    return optimize_image(
        criterion, {"content": NOISE[..., :9, :9]}, init=NOISE[..., 9:18, 9:18], num_steps=8, **arguments
    )


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class Closed:
    """A callback that knows whether it was closed."""

    closed = False

    def __call__(self, step):
        pass

    def close(self):
        self.closed = True


@pytest.mark.parametrize("logger", [CSVLogger, JSONLogger])
def test_a_log_on_a_full_disk_ends_the_run_with_its_name_and_loses_no_step(logger, tmp_path):
    path, other = tmp_path / "log", Closed()
    with pytest.raises(OSError, match=r"\[Errno 28\] No space left on device: '/dev/full'"):
        run(callbacks=[logger("/dev/full"), other], checkpoint=tmp_path / "run")
    assert other.closed
    assert CheckpointFolder(tmp_path / "run").steps() == [0]
    result = run(callbacks=[logger(path)], checkpoint=tmp_path / "run", resume=True)
    assert torch.equal(result.image, run().image)


@pytest.mark.parametrize("grows_again", [False, True])
def test_a_log_that_cannot_grow_costs_rows_but_no_run_and_has_no_half_of_one(grows_again, tmp_path, caplog):
    path = tmp_path / "log.csv"
    run(callbacks=[CSVLogger(path)])
    whole = rows_of(path)
    limit, limited = path.stat().st_size // 2, []

    def limit_files(step):
        if step.index == 1:
            context = small_files(None, limit)
            context.__enter__()
            limited.append(context)
        if step.index == 8 and grows_again:
            limited.pop().__exit__(None, None, None)

    logger = CSVLogger(path)
    try:
        result = run(callbacks=[limit_files, logger])
    finally:
        for context in limited:
            context.__exit__(None, None, None)
    assert torch.equal(result.image, run().image)
    assert "File too large" in str(logger.failure)
    assert "log.csv" in str(logger.failure)
    assert caplog.text.count("could not be written") == 1
    found = rows_of(path)
    fitting = found[:-1] if grows_again else found
    assert 0 < len(fitting) < 7
    assert [row["total"] for row in fitting] == [row["total"] for row in whole[: len(fitting)]]
    assert found[-1]["step"] == ("8" if grows_again else str(len(fitting)))
    assert path.read_bytes().endswith(b"\n")


@pytest.mark.parametrize("callback", [CSVLogger, JSONLogger, partial(Preview, every=1)])
def test_a_folder_in_the_place_of_an_output_is_named_and_left_alone(callback, tmp_path):
    (tmp_path / "out.png").mkdir()
    with pytest.raises(IsADirectoryError, match=r"out\.png"):
        run(callbacks=[callback(tmp_path / "out.png")], checkpoint=tmp_path / "run")
    assert CheckpointFolder(tmp_path / "run").steps() == [0]
    assert os.listdir(tmp_path / "out.png") == []


def test_a_preview_on_a_full_disk_leaves_the_one_before_and_costs_no_run(tmp_path, monkeypatch):
    path, faults = tmp_path / "preview.png", []
    preview = Preview(path, every=1)

    def fill(step):
        if step.index == 3:
            faults.append(full_device(monkeypatch))
            faults[0].__enter__()

    try:
        result = run(callbacks=[fill, preview])
    finally:
        faults[0].__exit__(None, None, None)
    assert torch.equal(result.image, run().image)
    assert "No space left" in str(preview.failure)
    assert "preview.png" in str(preview.failure)
    assert read_image(path).shape == (1, 3, 9, 9)
    assert os.listdir(tmp_path) == ["preview.png"]


@pytest.mark.parametrize("callback", [CSVLogger, JSONLogger, partial(Preview, every=100)])
def test_an_output_without_a_folder_ends_a_run_at_its_first_step(callback, tmp_path):
    steps = []
    with pytest.raises(OSError, match=r"out\.png"):
        run(callbacks=[lambda step: steps.append(step.index), callback(tmp_path / "none" / "out.png")])
    assert steps == [1]


def test_an_error_names_the_file_and_no_temporary_one(tmp_path, monkeypatch):
    with full_device(monkeypatch), pytest.raises(OSError, match="No space left") as caught:
        write_image(NOISE, tmp_path / "a.png")
    assert str(tmp_path / "a.png") in str(caught.value)
    assert ".tmp" not in str(caught.value)
    for name in ("a" * 300 + ".png", "\ud800.png", "a\0.png"):
        with pytest.raises((OSError, ValueError), match=r"Cannot write the image") as caught:
            write_image(NOISE, tmp_path / name)
        assert ".tmp" not in str(caught.value)


def test_a_device_is_written_to_and_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    reader = os.open(tmp_path / "pipe.png", os.O_RDONLY | os.O_NONBLOCK)
    write_image(NOISE[..., :9, :9], tmp_path / "pipe.png")
    assert os.read(reader, 8) == b"\x89PNG\r\n\x1a\n"
    os.close(reader)
    assert not (tmp_path / "pipe.png").is_file()
