"""Workers of Ray on one job: the pictures of one process, nothing twice, and nothing lost when they die."""

import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from pystyle import Result, stylize
from pystyle.encoders import alexnet
from pystyle.jobs import stylize_folder
from pystyle.jobs._manifest import Manifest
from pystyle.jobs._ray import cluster

ray = pytest.importorskip("ray", reason="needs the extra `ray`")

pytestmark = [
    pytest.mark.slow,
    # A cluster takes its time where other work is done.
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.name != "posix", reason="needs locks that end with their holder"),
    # Ray is not tidy with its own sockets and processes.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PICTURES = ["a.png", "b.png", "c.png", "trip/a.png"]


@pytest.fixture(scope="module")
def _cluster():
    with cluster(2):
        yield


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def _flipping(log, deadly="", times=0):
    """A recipe that flips images, writes down who does it, and dies so often at images of this number."""

    def recipe(content, style):
        del style
        number = f"{float(content.double().mean()):.6f}"
        with open(log, "a") as file:
            file.write(f"{number} {os.getpid()}\n")
        begun = [line for line in Path(log).read_text().splitlines() if line.startswith(number)]
        if number == deadly and len(begun) <= times:
            os.kill(os.getpid(), signal.SIGKILL)
        return Result(content.flip(3), {}, "finished", 0.0)

    return recipe


def _numbers_of_entries(folder):
    """How often each image is in the manifest."""
    names = []
    manifest = Manifest(folder / "manifest.jsonl")
    names = [entry.input for entry in manifest.read()]
    return {name: names.count(name) for name in names}


def test_the_cluster_of_another_process_is_not_joined(monkeypatch):
    # It ends with that process, and all that use it.
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    program = (
        "import ray; ray.init(address='local', include_dashboard=False, num_cpus=1, log_to_driver=False)\n"
        "print(ray.get_runtime_context().gcs_address, flush=True); input()"
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        theirs = other.stdout.readline().strip()
        # In a process of its own, too: a test before may have left a cluster in this one.
        program = (
            "from pystyle.jobs._ray import cluster\n"
            "with cluster(1) as ray: print(ray.get_runtime_context().gcs_address)"
        )
        command = [sys.executable, "-W", "ignore", "-c", program]
        own = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        other.communicate("\n", timeout=60)
    assert own
    assert theirs
    assert own != theirs


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "names a cluster at '127.0.0.1:1', and nothing answers there"),
        ("ray://[::1]:1", "nothing answers"),
        ("127.0.0.1:many", "must be like '10.0.0.1:6379' or 'auto', got '127.0.0.1:many'"),
    ],
)
def test_an_address_where_no_cluster_is_says_so_at_once(monkeypatch, address, message):
    monkeypatch.setenv("RAY_ADDRESS", address)
    with (
        pytest.raises((ConnectionError, ValueError), match=f"RAY_ADDRESS .*{re.escape(message)}"),
        cluster(1),
    ):
        pass


@pytest.mark.usefixtures("_cluster", "two_threads")
def test_workers_of_ray_give_the_bytes_of_one_process(photos, style, tmp_path, recipe):
    seen = []
    shared = stylize_folder(
        photos, style, tmp_path / "shared", recipe=recipe, workers=2, on="ray", callbacks=[seen.append]
    )
    assert (len(shared.painted), len(shared.kept), len(shared.failed)) == (4, 0, 3)
    assert sorted(entry.input for entry in seen) == sorted(
        entry.input for entry in shared.painted + shared.failed
    )
    assert {entry.threads for entry in seen} == {1}
    assert set(_numbers_of_entries(tmp_path / "shared").values()) == {1}
    torch.set_num_threads(1)
    stylize_folder(photos, style, tmp_path / "alone", recipe=recipe)
    for name in PICTURES:
        assert (tmp_path / "shared" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()
    # What Ray has painted one process keeps.
    again = stylize_folder(photos, style, tmp_path / "shared", recipe=recipe)
    assert (len(again.painted), len(again.kept), len(again.failed)) == (0, 4, 3)


@pytest.fixture
def deadly(photos, tmp_path, style):
    """The number of one image, by which `_flipping` knows it."""
    log = tmp_path / "numbers"
    stylize_folder(photos, style, tmp_path / "first", recipe=_flipping(str(log)))
    numbers = [line.split()[0] for line in log.read_text().splitlines()]
    assert len(set(numbers)) == 4
    return numbers[1]


@pytest.mark.usefixtures("_cluster", "two_threads")
def test_nothing_is_lost_or_done_twice_when_a_worker_is_killed(photos, style, output, tmp_path, deadly):
    log = tmp_path / "log"
    recipe = _flipping(str(log), deadly, times=1)
    report = stylize_folder(photos, style, output, recipe=recipe, workers=2, on="ray")
    assert (len(report.painted), len(report.failed)) == (4, 3)
    begun = [line.split()[0] for line in log.read_text().splitlines()]
    assert sorted(begun.count(number) for number in set(begun)) == [1, 1, 1, 2]
    assert begun.count(deadly) == 2
    assert _numbers_of_entries(output) == dict.fromkeys(_numbers_of_entries(output), 1)
    assert len(_numbers_of_entries(output)) == 7
    for name in PICTURES:
        assert (output / name).read_bytes() == (tmp_path / "first" / name).read_bytes()
    assert not list(output.rglob("*.tmp"))


@pytest.mark.long
@pytest.mark.usefixtures("_cluster", "two_threads")
def test_an_image_at_which_workers_die_again_and_again_is_left_out(photos, style, output, tmp_path, deadly):
    recipe = _flipping(str(tmp_path / "log"), deadly, times=99)
    report = stylize_folder(photos, style, output, recipe=recipe, workers=2, on="ray")
    assert len(report.painted) == 3
    (left_out,) = [entry for entry in report.failed if "processes died" in entry.error]
    assert left_out.error == "3 processes died while they painted it; memory may have been short."
    assert left_out.input_sha256 is not None
    # Where the reason is gone, it is painted.
    (tmp_path / "log").write_text(f"{deadly} 0\n" * 99)
    report = stylize_folder(photos, style, output, recipe=recipe, retry_failed=True)
    assert [entry.input for entry in report.painted] == [left_out.input]


@pytest.mark.long
@pytest.mark.usefixtures("_cluster")
def test_an_error_in_a_worker_ends_the_job_with_that_error(photos, style, output):
    # No fault of an image.
    optimizer = partial(torch.optim.Adam, no_such_option=1)
    broken = partial(stylize, encoder=alexnet(weights=None), optimizer=optimizer, edge_size=36, num_steps=1)
    with pytest.raises(TypeError, match="no_such_option") as caught:
        stylize_folder(photos, style, output, recipe=broken, on="ray")
    assert "Traceback" in str(caught.value.__cause__)


@pytest.mark.usefixtures("_cluster")
def test_what_no_worker_can_be_sent_is_refused(photos, style, output, tmp_path):
    with open(tmp_path / "open", "w") as file:

        def recipe(content, style):
            del style
            file.write("painted")
            return Result(content, {}, "finished", 0.0)

        with pytest.raises(TypeError, match=r"`recipe` and `style` must be what another process can be sent"):
            stylize_folder(photos, style, output, recipe=recipe, on="ray")
