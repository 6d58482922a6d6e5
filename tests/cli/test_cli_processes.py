"""The command as a process: real streams, signals and exit codes."""

import io
import os
import signal
import subprocess
import sys

import pytest
import torch

from pystyle.images import read_image, write_image

COMMAND = [sys.executable, "-m", "pystyle"]
TINY = ["--encoder", "alexnet", "--weights", "none", "--size", "32", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in ("content.png", "style.png"):
        write_image(torch.rand(1, 3, 40, 60), name)
    return tmp_path


@pytest.mark.slow
def test_a_picture_goes_from_standard_input_to_standard_output(folder):
    argv = [*COMMAND, "stylize", "-", "style.png", "-o", "-", *TINY, "--steps", "1", "--quiet"]
    content = (folder / "content.png").read_bytes()
    process = subprocess.run(argv, input=content, capture_output=True, timeout=120, check=False)
    assert (process.returncode, process.stderr) == (0, b"")
    assert read_image(io.BytesIO(process.stdout)).shape == (1, 3, 32, 48)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends the signal of Ctrl-C")
def test_the_signal_of_ctrl_c_saves_the_picture_so_far():
    argv = [*COMMAND, "stylize", "content.png", "style.png", "-o", "out.png", *TINY, "--steps", "100000"]
    with subprocess.Popen(
        [*argv, "--log", "log.csv", "--quiet"],
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has them ignore the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        while process.poll() is None and not (os.path.exists("log.csv") and os.path.getsize("log.csv")):
            signal.sigtimedwait([], 0.05)
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    assert error.startswith("pystyle: Interrupted. The picture so far is in 'out.png': 48 x 32 pixels, ")
    assert error.count("\n") == 1
    assert read_image("out.png").shape == (1, 3, 32, 48)


@pytest.mark.slow
def test_a_reader_that_has_gone_gets_no_traceback():
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [*COMMAND, "info"], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120, check=False
    )
    os.close(writer)
    assert process.returncode == 1
    assert process.stderr.startswith("pystyle: error: ")
    assert process.stderr.count("\n") == 1


RUN = [*COMMAND, "stylize", "content.png", "style.png", "-o", "out.png", *TINY, "--steps", "3"]


@pytest.mark.skipif(os.name != "posix", reason="closes streams with a shell")
@pytest.mark.parametrize(
    ("redirections", "code"),
    [
        (">&- 2>&- <&-", 0),
        pytest.param("--save-every 1 --log log.csv 2>&1 >/dev/null | true", 0, marks=pytest.mark.slow),
        pytest.param("--json >&-", 0, marks=pytest.mark.slow),
        pytest.param("--json >/dev/full", 1, marks=pytest.mark.slow),
        pytest.param("2>/dev/full", 0, marks=pytest.mark.slow),
        pytest.param("--json | true", 1, marks=pytest.mark.slow),
    ],
)
def test_streams_that_are_closed_end_no_run(redirections, code):
    script = f"set -o pipefail; {' '.join(RUN)} {redirections}"
    process = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == code
    assert read_image("out.png").shape == (1, 3, 32, 48)
    assert "Traceback" not in process.stderr
    if code:
        assert process.stderr.splitlines()[-1].startswith("pystyle: error: ")
        assert "The picture is in 'out.png'" in process.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="closes streams with a shell")
def test_a_picture_that_nobody_reads_is_in_a_file(folder):
    argv = [*COMMAND, "stylize", "content.png", "style.png", "-o", "-", *TINY, "--steps", "1", "--quiet"]
    script = f"set -o pipefail; {' '.join(argv)} | true"
    process = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == 1
    assert "The picture could not be written to standard output: Broken pipe." in process.stderr
    assert f"The picture is in '{folder / 'pystyle.png'}'" in process.stderr
    assert read_image("pystyle.png").shape == (1, 3, 32, 48)
    closed = subprocess.run(
        ["bash", "-c", f"{' '.join(argv)} >&-"], capture_output=True, text=True, check=False
    )
    assert closed.returncode == 2
    assert "standard output, which is closed" in closed.stderr
