"""Locks on files; what their users make of them is tested with those."""

import errno
import os
import threading

import pytest

from pystyle._locks import Lock, NoLocksError, lock_if_possible, locked_file
from pystyle._locks import lock as lock_open_file

fcntl = pytest.importorskip("fcntl")


def fails_with(number):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    return fail


def test_who_waited_for_a_lock_keeps_others_out(tmp_path):
    # The first holder removes the lock file. The second, which waited for that file, must hold the new one.
    path = tmp_path / "lock"
    entered = {name: threading.Event() for name in ("first", "second", "third")}
    leave = {name: threading.Event() for name in entered}

    def hold(name: str) -> None:
        with locked_file(path, wait=True) as lock:
            assert lock is Lock.HELD
            entered[name].set()
            leave[name].wait(20)

    threads = {name: threading.Thread(target=hold, args=(name,)) for name in entered}
    threads["first"].start()
    assert entered["first"].wait(20)
    threads["second"].start()
    assert not entered["second"].wait(0.2)
    leave["first"].set()
    assert entered["second"].wait(20)
    threads["third"].start()
    assert not entered["third"].wait(0.2)
    leave["second"].set()
    assert entered["third"].wait(20)
    leave["third"].set()
    for thread in threads.values():
        thread.join()
    assert os.listdir(tmp_path) == []


def test_a_lock_that_is_not_waited_for_is_busy_while_another_has_it(tmp_path):
    path = tmp_path / "lock"
    with locked_file(path, wait=True):
        for _ in range(2):
            with locked_file(path, wait=False) as lock:
                assert lock is Lock.BUSY
            assert path.exists()
    assert not path.exists()
    with locked_file(path, wait=False) as lock:
        assert lock is Lock.HELD


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_told_from_a_lock_of_another(tmp_path, monkeypatch, number, wait):
    with monkeypatch.context() as patched, (tmp_path / "lock").open("w") as file:
        patched.setattr(fcntl, "flock", fails_with(number))
        with locked_file(tmp_path / "other", wait=wait) as lock:
            assert lock is Lock.UNAVAILABLE
        assert lock_if_possible(file.fileno(), wait=wait)
        with pytest.raises(NoLocksError, match=os.strerror(number)):
            lock_open_file(file.fileno(), wait=wait)


@pytest.mark.parametrize("number", [errno.EWOULDBLOCK, errno.EACCES])
def test_each_way_of_saying_that_another_has_a_lock_is_understood(tmp_path, monkeypatch, number):
    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", fails_with(number))
        with locked_file(tmp_path / "lock", wait=False) as lock:
            assert lock is Lock.BUSY


def test_shared_locks_go_together_and_keep_others_out(tmp_path):
    path = tmp_path / "lock"
    with path.open("w") as one, path.open("w") as two, path.open("w") as three:
        assert lock_if_possible(one.fileno(), wait=True, shared=True)
        assert lock_if_possible(two.fileno(), wait=False, shared=True)
        assert not lock_if_possible(three.fileno(), wait=False)
        one.close()
        two.close()
        assert lock_if_possible(three.fileno(), wait=False)
        with path.open("w") as four:
            assert not lock_if_possible(four.fileno(), wait=False, shared=True)


def test_a_file_that_cannot_be_made_is_an_error_of_its_own(tmp_path):
    path = tmp_path / "missing" / "lock"
    with pytest.raises(FileNotFoundError, match="missing"), locked_file(path, wait=True):
        pass


def test_an_error_within_gives_the_lock_back_and_is_not_taken_for_one_of_locking(tmp_path):
    path = tmp_path / "lock"
    with pytest.raises(BlockingIOError, match="of the caller"), locked_file(path, wait=False):
        raise BlockingIOError("of the caller")
    assert os.listdir(tmp_path) == []
