"""What lies in the folder of a run is damaged, malicious, or of another run or machine."""

import io
import logging
import os
import pickle
from functools import partial

import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, GramLoss, optimize_image
from pystyle.checkpoints import CheckpointError, CheckpointFolder, Checkpoints
from pystyle.encoders import SequentialEncoder
from pystyle.runner import CSVLogger

REFERENCES = {
    name: torch.rand(1, 3, 10, 9, generator=torch.Generator().manual_seed(seed))
    for seed, name in enumerate(("content", "style"))
}


def run(folder=None, *, steps=8, **arguments):
    conv = nn.Conv2d(3, 4, 3)
    with torch.no_grad():
        conv.weight.copy_(torch.linspace(-1, 1, 108).reshape(4, 3, 3, 3))
        conv.bias.zero_()
    losses = {"content": ContentLoss("conv"), "style": GramLoss("conv")}
    checkpoint = None if folder is None else Checkpoints(folder, steps=2)
    return optimize_image(
        Criterion(SequentialEncoder({"conv": conv}), losses),
        arguments.pop("references", REFERENCES),
        num_steps=steps,
        checkpoint=checkpoint,
        **arguments,
    )


class Stops(Exception):  # noqa: N818
    pass


@pytest.fixture
def stopped(tmp_path):
    """The folder of a run that was stopped in its sixth step, with the states of the fourth and the fifth."""

    def stop(step):
        if step.index == 6:
            raise Stops

    with pytest.raises(Stops):
        run(tmp_path / "run", callbacks=[CSVLogger(tmp_path / "log.csv"), stop])
    assert sorted(os.listdir(tmp_path / "run")) == [
        f"checkpoint-0000000{step}.safetensors" for step in (4, 5)
    ]
    return tmp_path / "run"


@pytest.fixture
def newest(stopped):
    return stopped / "checkpoint-00000005.safetensors"


def check_goes_on_from_the_fourth(folder, caplog):
    seen = []
    log = CSVLogger(folder.parent / "log.csv")
    result = run(folder, resume=True, callbacks=[log, lambda step: seen.append(step.index)])
    assert seen == [5, 6, 7, 8]
    expected = run()
    assert torch.equal(result.image, expected.image)
    assert result.history["total"] == expected.history["total"]
    rows = (folder.parent / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", *map(str, range(1, 9))]
    assert caplog.text.count("checkpoint-00000005.safetensors' is damaged and left out") == 1


@pytest.mark.parametrize("length", [0, 10, "half", -3])
def test_a_checkpoint_that_is_cut_costs_the_steps_since_the_one_before_and_no_byte(
    stopped, newest, length, caplog
):
    data = newest.read_bytes()
    newest.write_bytes(data[: len(data) // 2 if length == "half" else length])
    check_goes_on_from_the_fourth(stopped, caplog)


class Malicious:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch '{self.marker}'",)


def saved(value, **options):
    stream = io.BytesIO()
    torch.save(value, stream, **options)
    return stream.getvalue()


PICKLES = {
    "pickle": pickle.dumps,
    "archive of torch": saved,
    "old file of torch": partial(saved, _use_new_zipfile_serialization=False),
}


@pytest.mark.parametrize("encode", PICKLES.values(), ids=PICKLES)
def test_a_pickle_in_the_place_of_a_checkpoint_is_left_out_and_does_nothing(
    stopped, newest, encode, tmp_path, caplog
):
    newest.write_bytes(encode({"state": Malicious(tmp_path / "marker")}))
    check_goes_on_from_the_fourth(stopped, caplog)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("encode", PICKLES.values(), ids=PICKLES)
def test_a_folder_of_pickles_is_refused_and_does_nothing(stopped, encode, tmp_path):
    data = encode({"state": Malicious(tmp_path / "marker")})
    for path in stopped.iterdir():
        path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"None of the checkpoints in .* can be read\. Remove them"):
        run(stopped, resume=True)
    assert not (tmp_path / "marker").exists()
    assert all(path.read_bytes() == data for path in stopped.iterdir())


def test_a_state_of_something_else_is_refused(tmp_path):
    CheckpointFolder(tmp_path).write(3, {"note": "three steps", "arguments": None})
    with pytest.raises(CheckpointError, match=r"of step 3 in '.*' is not of a run: it has no 'environment'"):
        run(tmp_path, resume=True)
    assert CheckpointFolder(tmp_path).arguments() == {}


def test_what_cannot_be_removed_from_the_folder_is_left_there(stopped, newest, caplog):
    newest.unlink()
    newest.mkdir()
    result = run(stopped, resume=True)
    assert torch.equal(result.image, run().image)
    assert "checkpoint-00000005.safetensors' cannot be read and is left out: " in caplog.text
    assert "Is a directory" in caplog.text
    assert "could not be written" not in caplog.text
    assert sorted(os.listdir(stopped)) == [f"checkpoint-0000000{step}.safetensors" for step in (5, 6, 8)]


def test_another_version_of_torch_is_said_and_the_run_goes_on(stopped, monkeypatch, caplog):
    before = torch.__version__
    monkeypatch.setattr(torch, "__version__", "99.0.1+cpu")
    result = run(stopped, resume=True)
    assert torch.equal(result.image, run().image)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == [
        f"The run goes on elsewhere, and its bytes may differ: `torch` was {before} and is 99.0.1+cpu."
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"averaging": 0.9}, "`averaging` was None and is 0.9"),
        ({"seed": 3}, "`seed` was None and is 3"),
        (
            {"references": {**REFERENCES, "style": REFERENCES["style"] * 0.999}},
            "`references.style` was float",
        ),
    ],
    ids=["configuration", "seed", "style"],
)
def test_another_run_is_refused_and_the_checkpoints_stay(stopped, changes, message):
    before = {path.name: path.read_bytes() for path in stopped.iterdir()}
    with pytest.raises(CheckpointError, match=f"is of another run: {message}"):
        run(stopped, resume=True, **changes)
    assert {path.name: path.read_bytes() for path in stopped.iterdir()} == before
