"""Several processes on one job; what happens when they die is in `tests/faults/test_jobs.py`."""

import os
import subprocess
import sys
from functools import partial

import pytest
import torch

from pystyle import Result, stylize
from pystyle.encoders import alexnet
from pystyle.images import write_image
from pystyle.jobs import stylize_folder
from pystyle.jobs._recipe import ready

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs locks that end with their holder")

PICTURES = ["a.png", "b.png", "c.png", "trip/a.png"]


def test_a_recipe_that_no_process_can_be_sent_is_refused(photos, style, output):
    def recipe(content, style):
        del style
        return Result(content, {}, "finished", 0.0)

    with pytest.raises(TypeError, match=r"`recipe` and `style` must be what another process can be sent"):
        stylize_folder(photos, style, output, recipe=recipe, workers=2)


def test_memory_is_shared_where_something_keeps_to_it(recipe):
    budget_of = {}
    for tile in ("auto", 16, None):
        shared = ready(partial(recipe, tile=tile), index=0, workers=2, targets="targets")
        budget_of[tile] = shared.keywords["memory_budget"]
    assert budget_of["auto"] > 0
    assert budget_of[16] is None
    assert budget_of[None] is None


def test_a_budget_that_nothing_keeps_to_is_refused_before_the_first_image(photos, style, output, recipe):
    with pytest.raises(ValueError, match=r"`memory_budget` must not be given with `tile=16`"):
        stylize_folder(photos, style, output, recipe=partial(recipe, tile=16, memory_budget="4GB"))
    assert not output.exists()


@pytest.fixture
def four_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.usefixtures("four_threads")
def test_workers_share_the_images_and_give_the_bytes_of_one_process(photos, style, tmp_path, recipe):
    seen = []
    shared = stylize_folder(
        photos, style, tmp_path / "shared", recipe=recipe, workers=2, callbacks=[seen.append]
    )
    assert torch.get_num_threads() == 4
    assert (len(shared.painted), len(shared.kept), len(shared.failed)) == (4, 0, 3)
    assert sorted(entry.input for entry in seen) == sorted(
        entry.input for entry in shared.painted + shared.failed
    )
    assert {entry.threads for entry in seen} == {2}
    torch.set_num_threads(2)
    stylize_folder(photos, style, tmp_path / "alone", recipe=recipe)
    for name in PICTURES:
        assert (tmp_path / "shared" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()
    # One of them computed the targets, and the other one read them.
    assert len(os.listdir(tmp_path / "shared" / ".pystyle" / "targets")) == 1


@pytest.mark.slow
def test_an_error_in_a_worker_ends_the_job_with_that_error(photos, style, output):
    # No fault of an image.
    optimizer = partial(torch.optim.Adam, no_such_option=1)
    broken = partial(stylize, encoder=alexnet(weights=None), optimizer=optimizer, edge_size=36, num_steps=1)
    with pytest.raises(TypeError, match="no_such_option") as caught:
        stylize_folder(photos, style, output, recipe=broken, workers=2)
    assert "Traceback" in str(caught.value.__cause__)


@pytest.mark.slow
def test_the_ranks_of_torchrun_share_the_images(photos, style, output, tmp_path):
    write_image(style, tmp_path / "style.png")
    tiny = ["--encoder", "alexnet", "--weights", "none", "--size", "36", "--steps", "2", "--device", "cpu"]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    folders = ["--batch", str(photos), "--style", str(tmp_path / "style.png"), "--output-dir", str(output)]
    process = subprocess.run(
        [*launcher, "-m", "pystyle", "stylize", *folders, *tiny],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    lines = [line for line in process.stderr.splitlines() if " is painted in " in line]
    assert len(lines) == len(set(lines)) == 4, process.stderr
    assert sorted(path.name for path in output.glob("**/*.png")) == ["a.png", "a.png", "b.png", "c.png"]
