"""The folder of a run: the last two states, and what happens to damaged ones."""

import os
from pathlib import Path

import pytest
import torch

from pystyle.checkpoints import CheckpointError, CheckpointFolder, Checkpoints


def names(path):
    return sorted(os.listdir(path))


def test_the_last_two_are_kept(tmp_path):
    folder = CheckpointFolder(tmp_path / "made" / "for it")
    assert folder.newest() is None
    assert folder.steps() == []
    for step in (0, 5, 10):
        folder.write(step, {"step": step})
    assert folder.steps() == [5, 10]
    assert names(folder.path) == ["checkpoint-00000005.safetensors", "checkpoint-00000010.safetensors"]
    assert folder.newest() == (10, {"step": 10})


def test_what_is_after_the_step_that_is_written_goes(tmp_path):
    folder = CheckpointFolder(tmp_path)
    for step in (10, 20, 15):
        folder.write(step, {"step": step})
    assert folder.steps() == [10, 15]


def test_other_files_stay(tmp_path):
    (tmp_path / "checkpoint-1.safetensors").write_text("mine")
    (tmp_path / "notes.tmp").write_text("mine")
    folder = CheckpointFolder(tmp_path)
    for step in range(4):
        folder.write(step, {})
    folder.clean()
    assert names(tmp_path)[0] == "checkpoint-00000002.safetensors"
    assert {"notes.tmp", "checkpoint-1.safetensors"} <= set(names(tmp_path))


def test_temporaries_of_a_killed_writer_are_removed(tmp_path):
    (tmp_path / ".0123456789abcdef.tmp").write_bytes(b"half of a checkpoint")
    CheckpointFolder(tmp_path).clean()
    assert names(tmp_path) == []
    CheckpointFolder(tmp_path / "nowhere").clean()


def damage(path, how):
    data = bytearray(path.read_bytes())
    if how == "flipped":
        data[-3] ^= 4
    elif how == "foreign":
        data = bytearray(b"P6 1 1 255 abc")
    else:
        data = data[: int(len(data) * how) if how >= 0 else how]
    path.write_bytes(data)


@pytest.mark.parametrize("how", ["flipped", "foreign", 0.0, 0.1, 0.5, 0.98, -3])
def test_a_damaged_newest_falls_back_to_the_one_before_and_says_so(tmp_path, how, caplog):
    folder = CheckpointFolder(tmp_path)
    for step in (3, 4):
        folder.write(step, {"image": torch.full((10,), float(step))})
    damage(tmp_path / "checkpoint-00000004.safetensors", how)
    step, state = folder.newest()
    assert step == 3
    assert torch.equal(state["image"], torch.full((10,), 3.0))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "checkpoint-00000004.safetensors' is damaged and left out. It" in record.getMessage()


def test_without_one_that_can_be_read_nothing_is_made_up(tmp_path):
    folder = CheckpointFolder(tmp_path)
    for step in (3, 4):
        folder.write(step, {})
        damage(tmp_path / f"checkpoint-{step:08d}.safetensors", "flipped")
    with pytest.raises(CheckpointError, match=r"None of the checkpoints in .* can be read\. Remove them"):
        folder.newest()


@pytest.mark.parametrize("place", ["fsync", "replace"])
def test_a_failure_while_writing_leaves_what_was_there(tmp_path, monkeypatch, place):
    folder = CheckpointFolder(tmp_path)
    folder.write(1, {"step": 1})

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, place, fail)
        with pytest.raises(OSError, match="No space left"):
            folder.write(2, {"step": 2})
    assert names(tmp_path) == ["checkpoint-00000001.safetensors"]
    assert folder.newest() == (1, {"step": 1})


def test_the_data_are_on_the_disk_before_the_name_is_given(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (calls.append("fsync"), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda *paths: (calls.append(paths), replace(*paths)))
    CheckpointFolder(tmp_path).write(1, {})
    assert [call if call == "fsync" else "replace" for call in calls] == ["fsync", "replace", "fsync"]
    assert os.path.dirname(calls[1][0]) == os.path.dirname(calls[1][1])


def test_checkpoints_are_due_after_steps_or_seconds():
    by_steps, by_seconds = Checkpoints("run", steps=5), Checkpoints("run", 2.5)
    assert [by_steps.due(steps=steps, seconds=1e9) for steps in (4, 5, 6)] == [False, True, True]
    assert [by_seconds.due(steps=10**9, seconds=seconds) for seconds in (-9.0, 2.4, 2.5)] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "`steps` must be at least 1, got 0"),
        ({"seconds": -1.0}, r"`seconds` must not be negative, got -1\.0"),
        ({"seconds": float("nan")}, "`seconds` must not be negative, got nan"),
    ],
)
def test_an_impossible_interval_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Checkpoints("run", **arguments)


def test_one_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch, caplog):
    folder = CheckpointFolder(tmp_path)
    folder.write(3, {})

    def not_permitted(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", not_permitted)
    with pytest.raises(CheckpointError, match=r"can be read: Permission denied\. Change their permissions"):
        folder.newest()
    assert "damaged" not in caplog.text
