import os
import signal
import subprocess
import sys
import time

import pytest

import pystyle.encoders._weights

# Empty packages with the same path stand in for ours, whose import brings torch: a child starts in 0.1 s.
CHILD = """
import sys, types
folder, url, sha256, directory = sys.argv[1:]
for name in ("pystyle", "pystyle.encoders", "pystyle.encoders._weights"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [folder]
sys.modules["pystyle"].__path__ = [folder.replace("/encoders/_weights", "")]
from pystyle.encoders._weights._download import download_weights
assert "torch" not in sys.modules
print("started", flush=True)
print(download_weights(url, file_name="tiny.pth", sha256=sha256, directory=directory, timeout=30.0))
"""


@pytest.fixture
def start_child(weights_server, tmp_path):
    children = []

    def start(path: str) -> subprocess.Popen[str]:
        folder = pystyle.encoders._weights.__path__[0]
        arguments = [folder, weights_server.url(path), weights_server.sha256, str(tmp_path)]
        child = subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, text=True)
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "started\n"
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def wait_until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_four_processes_with_an_empty_cache_download_once(weights_server, tmp_path, start_child):
    children = [start_child("hangs_at_half") for _ in range(4)]
    time.sleep(0.3)
    weights_server.gate.set()
    outputs = [child.communicate(timeout=20)[0] for child in children]
    assert outputs == [f"{tmp_path / 'tiny.pth'}\n"] * 4
    assert weights_server.hits == ["hangs_at_half"]
    assert os.listdir(tmp_path) == ["tiny.pth"]
    assert (tmp_path / "tiny.pth").read_bytes() == weights_server.content


def test_a_process_killed_while_downloading_does_not_block_the_next(weights_server, tmp_path, start_child):
    killed = start_child("hangs_at_half")
    wait_until(lambda: any(name.endswith(".part") for name in os.listdir(tmp_path)))
    waiting = start_child("right")
    time.sleep(0.2)
    assert weights_server.hits == ["hangs_at_half"]
    killed.send_signal(signal.SIGKILL)
    assert waiting.communicate(timeout=20)[0] == f"{tmp_path / 'tiny.pth'}\n"
    assert weights_server.hits == ["hangs_at_half", "right"]
    assert os.listdir(tmp_path) == ["tiny.pth"]
    assert (tmp_path / "tiny.pth").read_bytes() == weights_server.content


def test_of_four_processes_the_one_that_downloads_is_killed_and_another_does_it(
    weights_server, tmp_path, start_child
):
    children = [start_child("hangs_at_half")]
    wait_until(lambda: any(name.endswith(".part") for name in os.listdir(tmp_path)))
    children += [start_child("right") for _ in range(3)]
    time.sleep(0.3)
    assert weights_server.hits == ["hangs_at_half"]
    children[0].send_signal(signal.SIGKILL)
    outputs = [child.communicate(timeout=20)[0] for child in children]
    assert outputs == ["", *[f"{tmp_path / 'tiny.pth'}\n"] * 3]
    assert weights_server.hits == ["hangs_at_half", "right"]
    assert os.listdir(tmp_path) == ["tiny.pth"]
    assert (tmp_path / "tiny.pth").read_bytes() == weights_server.content


def test_import_uses_neither_the_network_nor_the_disk(tmp_path):
    program = (
        "import socket; socket.socket.connect = None; import pystyle.encoders._weights as weights; "
        "assert weights.TORCHVISION_WEIGHTS"
    )
    environment = os.environ | {"HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        environment.pop(name, None)
    subprocess.run([sys.executable, "-W", "error", "-c", program], env=environment, check=True)
    assert os.listdir(tmp_path) == []
