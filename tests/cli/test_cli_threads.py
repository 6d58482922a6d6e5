"""How the threads of torch wait, which the command line decides before it imports torch."""

import os
import subprocess
import sys

import pytest

from pystyle.cli._threads import choose_wait_policy

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(
    ("load", "before", "after"),
    [
        (0.0, {}, {}),
        (0.49, {}, {}),
        (0.5, {}, {"OMP_WAIT_POLICY": "passive"}),
        (3.0, {}, {"OMP_WAIT_POLICY": "passive"}),
        (3.0, {"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": "active"}),
        (3.0, {"GOMP_SPINCOUNT": "100"}, {"GOMP_SPINCOUNT": "100"}),
        (3.0, {"KMP_BLOCKTIME": "0"}, {"KMP_BLOCKTIME": "0"}),
        (3.0, {"OMP_NUM_THREADS": "2"}, {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive"}),
    ],
)
def test_threads_wait_asleep_on_a_busy_machine_unless_somebody_chose(monkeypatch, load, before, after):
    monkeypatch.setattr(os, "getloadavg", lambda: (load * CORES, 0.0, 0.0), raising=False)
    environ = dict(before)
    choose_wait_policy(environ)
    assert environ == after


def test_where_the_load_is_unknown_nothing_is_chosen(monkeypatch):
    def unknown():
        raise OSError

    monkeypatch.setattr(os, "getloadavg", unknown, raising=False)
    environ = {}
    choose_wait_policy(environ)
    assert environ == {}


@pytest.mark.slow
def test_the_choice_is_made_before_torch_is_imported():
    probe = """if True:
        import os, sys
        os.environ.pop("OMP_WAIT_POLICY", None)
        os.getloadavg = lambda: (99.0, 99.0, 99.0)

        class Watch:
            seen = None
            def find_spec(self, name, path, target=None):
                if name == "torch":
                    Watch.seen = os.environ.get("OMP_WAIT_POLICY")

        sys.meta_path.insert(0, Watch())
        from pystyle.cli import main
        assert main(["--version"]) == 0
        assert Watch.seen == "passive", Watch.seen
        """
    environ = {
        name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "KMP_BLOCKTIME")
    }
    subprocess.run([sys.executable, "-c", probe], check=True, timeout=120, env=environ)
