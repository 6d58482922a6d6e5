"""One run at a time has a folder, and a process that was killed has none."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from pystyle.checkpoints import CheckpointError, CheckpointFolder

fcntl = pytest.importorskip("fcntl")

# Empty packages with the same path stand in for ours, whose import brings torch.
CHILD = """
import sys, time, types
folder, path = sys.argv[1:]
for name in ("pystyle", "pystyle.checkpoints"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [folder.replace("/checkpoints", "")]
sys.modules["pystyle.checkpoints"].__path__ = [folder]
from pathlib import Path
from pystyle.checkpoints._lock import locked
with locked(Path(path)):
    print("locked", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has the folder."""
    folder = os.path.dirname(sys.modules["pystyle.checkpoints"].__file__)
    command = [sys.executable, "-c", CHILD, folder, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def check_free(path):
    with CheckpointFolder(path).locked():
        pass
    assert os.listdir(path) == []


def test_a_folder_that_another_process_has_is_refused_with_its_number(tmp_path, holder):
    expected = (
        rf"The folder '{tmp_path}' is in use by another run, in process {holder.pid}\. Wait for the end"
    )
    for _ in range(2):
        with pytest.raises(CheckpointError, match=expected), CheckpointFolder(tmp_path).locked():
            pass
    assert holder.poll() is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_whatever_ends_the_process_that_has_a_folder_gives_it_back(tmp_path, holder, number):
    holder.send_signal(number)
    holder.wait(timeout=20)
    # A killed process leaves its file, which is no lock.
    assert (tmp_path / ".lock").exists() == (number != signal.SIGINT)
    check_free(tmp_path)


def test_one_process_cannot_have_a_folder_twice_at_a_time(tmp_path):
    folder = CheckpointFolder(tmp_path / "made" / "for it")
    for _ in range(2):
        with (
            folder.locked(),
            pytest.raises(CheckpointError, match=f"process {os.getpid()}"),
            CheckpointFolder(folder.path).locked(),
        ):
            pass
    check_free(folder.path)


def test_an_error_gives_the_folder_back(tmp_path):
    with pytest.raises(KeyboardInterrupt), CheckpointFolder(tmp_path).locked():
        raise KeyboardInterrupt
    check_free(tmp_path)


def test_a_process_on_another_machine_is_named_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr("platform.node", lambda: "there")
    with CheckpointFolder(tmp_path).locked():
        monkeypatch.setattr("platform.node", lambda: "here")
        with (
            pytest.raises(CheckpointError, match=rf"in process {os.getpid()} on 'there'\."),
            CheckpointFolder(tmp_path).locked(),
        ):
            pass


def test_the_lock_of_a_run_in_a_folder_that_was_made_anew_stays(tmp_path):
    with CheckpointFolder(tmp_path).locked():
        (tmp_path / ".lock").unlink()
        (tmp_path / ".lock").write_text("that of another run")
    assert (tmp_path / ".lock").read_text() == "that of another run"


def test_a_file_that_was_removed_by_the_run_before_is_no_lock(tmp_path, monkeypatch):
    flock, calls = fcntl.flock, []

    def removed_before(file, operation):
        calls.append(file)
        if len(calls) == 1:
            (tmp_path / ".lock").unlink()
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", removed_before)
    with CheckpointFolder(tmp_path).locked():
        # Once for the file that is gone, and once for one that others can see.
        assert len(calls) == 2
        assert (tmp_path / ".lock").read_text().startswith(f"{os.getpid()} ")
    check_free(tmp_path)


@pytest.mark.parametrize("function", ["fcntl.flock", "os.open"])
def test_where_nothing_can_be_locked_that_is_said_and_the_run_goes_on(
    tmp_path, monkeypatch, caplog, function
):
    def fail(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    entered = []
    with monkeypatch.context() as patched:
        patched.setattr(function, fail)
        with CheckpointFolder(tmp_path).locked():
            entered.append(True)
    assert entered == [True]
    (record,) = caplog.records
    assert record.getMessage() == (
        f"The folder '{tmp_path}' cannot be locked ([Errno {errno.ENOLCK}] No locks available). "
        "No other run may use it."
    )


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError, match="file"), CheckpointFolder(tmp_path / "file").locked():
        pass
