"""Painting all images below an address: what a worker does, what is recorded, and the pipeline on Ray."""

import io
import json
import os
import pickle
import signal
from types import SimpleNamespace

import pytest
import torch

from pystyle.images import read_image, resize, write_image
from pystyle.jobs import JobError, paint_dataset
from pystyle.jobs._dataset_work import BlockPainter, DatasetJob
from pystyle.jobs._encoding import Encoding
from pystyle.jobs._items import Item
from pystyle.jobs._parts import Parts, name_of_part
from pystyle.jobs._store import Store
from pystyle.networks import TransformNetwork

GOOD = {"a.png": "a.png", "b.jpg": "b.png", "c.webp": "c.png", "trip/a.png": "trip/a.png"}
BAD = ["bomb.png", "cut.png", "empty.jpg"]


@pytest.fixture(scope="module")
def paint():
    torch.manual_seed(0)
    return TransformNetwork(width=1, styles=["one"]).bind("one")


@pytest.fixture(params=["path", "memory"])
def stores(request, photos, output):
    """Photographs and pictures in folders, and in a file system that only `fsspec` knows."""
    if request.param == "path":
        return Store(photos, label="`contents`"), Store(output, label="`output`")
    source = Store(f"memory://{photos}", label="`contents`")
    for path in photos.rglob("*.*"):
        source.write(path.relative_to(photos).as_posix(), path.read_bytes())
    return source, Store(f"memory://{output}", label="`output`")


def _job(stores, **changes):
    encoding = Encoding(".png", 8, 95)
    options = {"edge_size": 24, "strength": 0.5, "device": "cpu", "threads": torch.get_num_threads()}
    options |= {"configuration": "c", "run": "1", "max_pixels": 10**6, **changes}
    return DatasetJob(*stores, encoding=encoding, **options)


def _bytes_of(paint):
    stream = io.BytesIO()
    torch.save(paint, stream)
    return stream.getvalue()


def _expected(paint, photograph):
    """The picture by the public functions alone."""
    image = resize(read_image(photograph), (24, 32))
    stream = io.BytesIO()
    write_image(paint(image, strength=0.5), stream, format="png")
    return stream.getvalue()


def test_a_block_is_painted_and_recorded(stores, photos, paint):
    items = [Item(*pair) for pair in GOOD.items()] + [Item("cut.png", "cut.png"), Item("no.png", "no.png")]
    entries = BlockPainter(_job(stores), _bytes_of(paint)).paint(3, items)
    assert [entry.input for entry in entries if not entry.failed] == list(GOOD)
    assert [entry.input for entry in entries if entry.failed] == ["cut.png", "no.png"]
    assert "Cannot read the image 'cut.png': " in entries[4].error
    assert (entries[4].input_sha256 is None, entries[5].input_sha256) == (False, None)
    for name, picture in GOOD.items():
        assert stores[1].read(picture) == _expected(paint, photos / name)
    assert Parts(stores[1]).read(name_of_part("1", 3)) == entries
    assert stores[1].names() == sorted([*GOOD.values(), "manifest/1-00000003.jsonl"])


def test_a_block_that_was_recorded_before_a_worker_died_is_not_painted_again(stores, paint):
    painter, items = BlockPainter(_job(stores), _bytes_of(paint)), [Item("a.png", "a.png")]
    first = painter.paint(0, items)
    stores[1].write("a.png", b"untouched")
    assert painter.paint(0, items) == first
    assert stores[1].read("a.png") == b"untouched"
    # Another block is another matter.
    painter.paint(1, items)
    assert stores[1].read("a.png") != b"untouched"


def test_half_a_record_counts_for_what_it_has(stores, paint):
    painter = BlockPainter(_job(stores), _bytes_of(paint))
    items = [Item("a.png", "a.png"), Item("b.jpg", "b.png")]
    painter.paint(0, items)
    name = name_of_part("1", 0)
    whole = stores[1].read(name)
    stores[1].write(name, whole[: whole.index(b"\n") + 30])
    assert [entry.input for entry in Parts(stores[1]).read(name)] == ["a.png"]
    assert len(painter.paint(0, items)) == 2
    assert [entry.input for entry in Parts(stores[1]).read(name)] == ["a.png", "b.jpg"]


def test_an_error_that_every_image_has_is_no_entry(stores, paint, monkeypatch):
    painter = BlockPainter(_job(stores), _bytes_of(paint))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stores[1], "write", full)
    with pytest.raises(OSError, match="No space left"):
        painter.paint(0, [Item("a.png", "a.png")])
    assert stores[1].names() == []


def test_images_are_painted_at_their_own_size_if_none_is_named(stores, paint):
    BlockPainter(_job(stores, edge_size=None), _bytes_of(paint)).paint(0, [Item("a.png", "a.png")])
    assert read_image(io.BytesIO(stores[1].read("a.png"))).shape == (1, 3, 36, 48)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"output": "photos"}, ValueError, "`output` must be another folder than `contents`"),
        ({"edge_size": 0}, ValueError, "`edge_size` must be"),
        ({"strength": 2}, ValueError, "`strength` must be"),
        ({"workers": 0}, ValueError, "`workers` must be"),
        ({"block_size": 0}, ValueError, "`block_size` must be"),
        ({"extension": "png"}, ValueError, "`extension` must begin with a dot"),
        ({"device": "none"}, ValueError, "`device` must be"),
        ({"contents": "nowhere://photos"}, ValueError, "`contents` must be a path or an address that fsspec"),
    ],
)
def test_an_impossible_argument_is_refused(photos, paint, changes, error, message, monkeypatch):
    monkeypatch.chdir(photos.parent)
    arguments = {"contents": "photos", "output": "pictures", **changes}
    with pytest.raises(error, match=message):
        paint_dataset(arguments.pop("contents"), paint, arguments.pop("output"), **arguments)
    assert not (photos.parent / "pictures").exists()


@pytest.fixture
def blocks(monkeypatch):
    """The blocks that were painted, in this process in the place of workers of Ray."""
    found = []

    def painted_blocks(job, network, blocks, *, workers):
        del workers
        painter = BlockPainter(job, network)
        for index, items in enumerate(blocks):
            found.append([item.input for item in items])
            yield from painter.paint(index, items)

    monkeypatch.setattr("pystyle.jobs._paint_dataset.painted_blocks", painted_blocks)
    monkeypatch.setattr("pystyle.jobs._paint_dataset.ray_module", lambda: SimpleNamespace(cloudpickle=pickle))
    return found


OPTIONS = {"edge_size": 24, "strength": 0.5, "block_size": 3, "device": "cpu"}


def test_the_same_call_does_what_is_missing_and_no_more(stores, blocks, paint):
    addresses = stores[0].address, paint, stores[1].address
    stores[0].write("notes.txt", b"no image")
    stores[0].write(".hidden.png", b"no image")
    report = paint_dataset(*addresses, **OPTIONS)
    assert (report.painted, report.kept, report.left_out) == (4, 0, 1)
    assert sorted(entry.input for entry in report.failed) == BAD
    assert blocks == [["a.png", "b.jpg", "bomb.png"], ["c.webp", "cut.png", "empty.jpg"], ["trip/a.png"]]
    blocks.clear()
    again = paint_dataset(*addresses, **OPTIONS)
    assert (again.painted, again.kept, len(again.failed), blocks) == (0, 4, 3, [])
    stores[1]._files.rm(f"{stores[1]._root}/b.png")
    stores[0].write("new.png", stores[0].read("a.png"))
    more = paint_dataset(*addresses, **OPTIONS)
    assert (more.painted, more.kept, len(more.failed), blocks) == (2, 3, 3, [["b.jpg", "new.png"]])
    blocks.clear()
    stores[0].write("cut.png", stores[0].read("a.png"))
    retried = paint_dataset(*addresses, **OPTIONS, retry_failed=True)
    assert (retried.painted, retried.kept, len(retried.failed), blocks) == (1, 5, 2, [BAD])


def test_pictures_of_another_job_are_not_replaced_unasked(stores, blocks, paint):
    del blocks
    addresses = stores[0].address, paint, stores[1].address
    stores[1].write("b.png", b"of somebody")
    with pytest.raises(JobError, match=r"has the file 'b\.png', which is of no job"):
        paint_dataset(*addresses, **OPTIONS)
    assert paint_dataset(*addresses, **OPTIONS, overwrite=True).painted == 4
    with pytest.raises(JobError, match=r"of a job with other options: `strength` was 0\.5 and is 1"):
        paint_dataset(*addresses, **(OPTIONS | {"strength": 1}))
    other = TransformNetwork(width=1, styles=["one"]).bind("one")
    with pytest.raises(JobError, match=r"of a job with other options: `network` was TransformNetwork with"):
        paint_dataset(addresses[0], other, addresses[2], **OPTIONS)
    assert paint_dataset(addresses[0], other, addresses[2], **OPTIONS, overwrite=True).painted == 4
    # Device and number of workers are no other options.
    assert paint_dataset(addresses[0], other, addresses[2], **(OPTIONS | {"workers": 7})).kept == 4


def test_pictures_that_another_job_has_replaced_are_painted_again(stores, blocks, paint):
    del blocks
    first = stores[0].address, paint, stores[1].address
    other = stores[0].address, TransformNetwork(width=1, styles=["one"]).bind("one"), stores[1].address
    assert paint_dataset(*first, **OPTIONS).painted == 4
    picture = stores[1].read("b.png")
    assert paint_dataset(*other, **OPTIONS, overwrite=True).painted == 4
    assert stores[1].read("b.png") != picture
    again = paint_dataset(*first, **OPTIONS, overwrite=True)
    assert (again.painted, again.kept, stores[1].read("b.png")) == (4, 0, picture)
    assert paint_dataset(*first, **OPTIONS).kept == 4


def test_pictures_that_another_job_has_replaced_without_a_record_are_painted_again(
    stores, blocks, paint, monkeypatch
):
    del blocks
    first = stores[0].address, paint, stores[1].address
    other = stores[0].address, TransformNetwork(width=1, styles=["one"]).bind("one"), stores[1].address
    paint_dataset(*first, **OPTIONS)
    picture = stores[1].read("b.png")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            paint_dataset(*other, **OPTIONS, overwrite=True)
    assert stores[1].read("b.png") != picture
    assert paint_dataset(*first, **OPTIONS, overwrite=True).painted == 4
    assert stores[1].read("b.png") == picture


@pytest.mark.parametrize(
    ("workers", "sizes", "threads"),
    [(1, [5, 2], 8), (2, [4, 3], 4), (4, [2, 2, 2, 1], 2), (5, [2, 2, 2, 1], 2), (9, [1] * 7, 1)],
)
def test_few_images_are_shared_by_all_workers_and_threads_by_those_at_work(
    photos, output, paint, blocks, monkeypatch, workers, sizes, threads
):
    del blocks
    seen = []

    def painted_blocks(job, network, blocks, *, workers):
        del network
        seen.append((workers, job.threads, [len(block) for block in blocks]))
        raise KeyboardInterrupt

    monkeypatch.setattr("pystyle.jobs._paint_dataset.painted_blocks", painted_blocks)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    with pytest.raises(KeyboardInterrupt):
        paint_dataset(photos, paint, output, workers=workers, block_size=5)
    assert seen == [(min(workers, len(sizes)), threads, sizes)]


def test_a_link_to_the_folder_of_the_images_is_that_folder(photos, tmp_path, blocks, paint):
    del blocks
    (tmp_path / "link").symlink_to(photos)
    with pytest.raises(ValueError, match="`output` must be another folder than `contents`"):
        paint_dataset(photos, paint, tmp_path / "link", **OPTIONS)
    (photos / "pictures").mkdir()
    (tmp_path / "inner").symlink_to(photos / "pictures")
    paint_dataset(photos, paint, tmp_path / "inner", **OPTIONS)
    again = paint_dataset(photos, paint, tmp_path / "inner", **OPTIONS)
    assert (again.painted, again.kept, len(again.failed)) == (0, 4, 3)


def test_pictures_in_the_folder_of_the_images_are_no_images(photos, blocks, paint):
    del blocks
    assert paint_dataset(photos, paint, photos / "pictures", **OPTIONS).painted == 4
    again = paint_dataset(photos, paint, photos / "pictures", **OPTIONS)
    assert (again.painted, again.kept, len(again.failed), again.left_out) == (0, 4, 3, 0)


def test_what_stopped_in_a_block_is_painted_by_the_next_call(stores, blocks, paint):
    del blocks
    addresses = stores[0].address, paint, stores[1].address

    def stop(entry):
        if entry.input == "b.jpg":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint_dataset(*addresses, **(OPTIONS | {"block_size": 1}), callbacks=[stop])
    report = paint_dataset(*addresses, **OPTIONS)
    assert (report.painted, report.kept) == (2, 2)


def test_a_folder_that_is_not_there_is_named(tmp_path, blocks, paint):
    del blocks
    with pytest.raises(NotADirectoryError, match="`contents` must be a folder of images"):
        paint_dataset(tmp_path / "nothing", paint, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_without_images_gives_an_empty_report(tmp_path, blocks, paint):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "notes.txt").write_text("no image")
    report = paint_dataset(tmp_path / "photos", paint, tmp_path / "out")
    assert (report.painted, report.kept, report.failed, report.left_out, blocks) == (0, 0, (), 1, [])


# What follows needs Ray.

on_ray = [
    pytest.mark.slow,
    # A cluster takes its time where other work is done.
    pytest.mark.timeout(900),
    # Ray is not tidy with its own sockets and processes.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def with_ray(test):
    for mark in on_ray:
        test = mark(test)
    return pytest.mark.usefixtures("_cluster")(test)


@pytest.fixture(scope="module")
def _cluster():
    pytest.importorskip("ray", reason="needs the extra `ray`")
    from pystyle.jobs._ray import cluster

    with cluster(2):
        yield


def _inputs(output):
    """The images in all records, as often as they stand there."""
    lines = [line for path in (output / "manifest").glob("*.jsonl") for line in path.read_text().splitlines()]
    return sorted(json.loads(line)["input"] for line in lines)


@with_ray
def test_workers_of_ray_paint_all_images_once_with_the_same_bytes(photos, output, paint):
    seen = []
    options = {"edge_size": 24, "strength": 0.5, "workers": 2, "block_size": 2, "device": "cpu"}
    report = paint_dataset(photos, paint, output, **options, callbacks=[seen.append])
    assert (report.painted, report.kept, report.left_out) == (4, 0, 0)
    assert sorted(entry.input for entry in report.failed) == BAD
    assert sorted(entry.input for entry in seen) == _inputs(output) == sorted([*GOOD, *BAD])
    for name, picture in GOOD.items():
        assert (output / picture).read_bytes() == _expected(paint, photos / name)


@pytest.mark.long
@with_ray
def test_nothing_is_lost_when_a_worker_is_killed(photos, output, tmp_path):
    log = tmp_path / "log"

    class Deadly(TransformNetwork):
        """A network whose process is killed once, at its third picture."""

        def forward(self, content, code):
            with open(log, "a") as file:
                file.write(f"{os.getpid()}\n")
            if len(log.read_text().splitlines()) == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().forward(content, code)

    torch.manual_seed(0)
    paint = Deadly(width=1, styles=["one"]).bind("one")
    report = paint_dataset(
        photos, paint, output, edge_size=24, strength=0.5, workers=2, block_size=1, device="cpu"
    )
    assert (report.painted, len(report.failed)) == (4, 3)
    assert _inputs(output) == sorted([*GOOD, *BAD])
    killed = log.read_text().splitlines()[2]
    # That one picture was begun twice, by another process.
    assert len(log.read_text().splitlines()) == 5
    assert log.read_text().splitlines()[-1] != killed
    assert {path.relative_to(output).as_posix() for path in output.rglob("*.png")} == set(GOOD.values())
