"""What `tile="auto"` has chosen stays, however much memory is free when the run goes on."""

import logging

import pytest
import torch

from pystyle import stylize
from pystyle.checkpoints import CheckpointError, CheckpointFolder, Checkpoints
from pystyle.encoders import alexnet
from pystyle.evaluation import EagerEvaluation, StripEvaluation

PHOTO, PAINTING = (torch.rand(1, 3, 80, 90, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
WHOLE, STRIPS = EagerEvaluation(), StripEvaluation(3)


@pytest.fixture
def paint(monkeypatch):
    """`stylize` with what `choose_evaluation` chooses for the memory that is free."""

    def stylized(chosen=WHOLE, **arguments):
        monkeypatch.setattr("pystyle.stylization._evaluation.choose_evaluation", lambda *_, **__: chosen)
        every = {"edge_size": [80], "num_steps": [3], "device": "cpu", "precision": "float32", "seed": 0}
        every.update(arguments)
        return stylize(PHOTO, PAINTING, encoder=alexnet(weights=None), **every)

    return stylized


def stop(step):
    if step.index == 2:
        raise RuntimeError("stops")


@pytest.fixture
def stopped(paint, tmp_path):
    """Begins a run and breaks it off."""

    def begin(chosen):
        with pytest.raises(RuntimeError, match="stops"):
            paint(chosen, checkpoint=tmp_path, callbacks=[stop])
        return tmp_path

    return begin


@pytest.mark.slow
@pytest.mark.parametrize("wrap", [str, Checkpoints])
@pytest.mark.parametrize(("before", "now", "tile"), [(WHOLE, STRIPS, None), (STRIPS, WHOLE, 3)])
def test_a_run_goes_on_with_the_evaluation_that_was_chosen_when_it_began(
    paint, stopped, before, now, tile, wrap
):
    result = paint(now, checkpoint=wrap(stopped(before)), resume=True)
    whole = paint(tile=tile)
    assert torch.equal(result.image, whole.image)
    assert result.history["total"] == whole.history["total"]
    # The other one has other bytes.
    assert not torch.equal(whole.image, paint(now).image)


def test_without_a_checkpoint_it_is_chosen_anew(paint, tmp_path):
    paint(STRIPS, checkpoint=tmp_path, resume=True)
    assert CheckpointFolder(tmp_path).arguments()["evaluation.rows"] == "3"
    assert CheckpointFolder(tmp_path / "none").arguments() == {}


def test_what_was_asked_for_is_not_changed(paint, stopped):
    folder = stopped(STRIPS)
    with pytest.raises(CheckpointError, match=r"`evaluation.rows` was 3 and is 4"):
        paint(tile=4, checkpoint=folder, resume=True)
    with pytest.raises(CheckpointError, match=r"`evaluation.precision` was 'float32' and is 'bfloat16'"):
        paint(precision="bfloat16", checkpoint=folder, resume=True)
    with pytest.raises(ValueError, match="`resume` needs a folder"):
        paint(resume=True)


def test_a_damaged_checkpoint_is_spoken_of_once(paint, stopped, caplog):
    path = stopped(STRIPS) / "checkpoint-00000001.safetensors"
    path.write_bytes(path.read_bytes()[:-3])
    with caplog.at_level(logging.WARNING, "pystyle"):
        paint(checkpoint=path.parent, resume=True)
    assert len([record for record in caplog.records if "damaged" in record.getMessage()]) == 1


def test_too_little_memory_for_what_was_chosen_is_said(paint, stopped):
    def full(_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(MemoryError, match=r"A run at 80 x 90 pixels takes about .*, more than was free"):
        paint(STRIPS, checkpoint=stopped(WHOLE), resume=True, callbacks=[full])


@pytest.mark.parametrize("later", ["the same", "another", None])
def test_what_was_chosen_is_found_whatever_folder_has_the_targets(paint, tmp_path, later):
    folder, first = tmp_path / "run", tmp_path / "the same"
    paint(STRIPS, num_steps=[1], checkpoint=folder, targets=first)
    later = None if later is None else tmp_path / later
    result = paint(WHOLE, num_steps=[2], checkpoint=folder, targets=later, resume=True)
    assert result.steps == 2
    assert CheckpointFolder(folder).arguments()["evaluation.rows"] == "3"
