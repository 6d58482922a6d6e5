"""Two runs in one folder, processes that share one run, and Ctrl-C wherever it may come."""

import os

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks and sends signals")

PROGRAM = """
import hashlib
from functools import partial
from torch import nn
from pystyle import ContentLoss, Criterion, GramLoss, optimize_image
from pystyle.checkpoints import CheckpointFolder, Checkpoints
from pystyle.encoders import SequentialEncoder
from pystyle.evaluation import EagerEvaluation, StripEvaluation
from pystyle.optim import LBFGS

LBFGS([torch.zeros(1, requires_grad=True)]).step()

class Strikes(GramLoss):
    # Sends Ctrl-C in one evaluation.

    def __init__(self, call=0):
        super().__init__("conv")
        self._call = call

    def compare(self, representation, target):
        self._call -= 1
        if self._call == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return super().compare(representation, target)

def run(name, call=0, **arguments):
    chance = torch.Generator().manual_seed(0)
    conv = nn.Conv2d(3, 4, 3, padding=1)
    with torch.no_grad():
        conv.weight.copy_(torch.randn(4, 3, 3, 3, generator=chance))
        conv.bias.zero_()
    criterion = Criterion(
        SequentialEncoder({"conv": conv}), {"content": ContentLoss("conv"), "style": Strikes(call)}
    )
    references = {name: torch.rand(1, 3, 24, 20, generator=chance) for name in ("content", "style")}
    # Several evaluations in a step, of a line search.
    search = partial(torch.optim.LBFGS, max_iter=2, line_search_fn="strong_wolfe")
    kept = {"checkpoint": Checkpoints(name, steps=2), "resume": True}
    result = optimize_image(
        criterion, references, **{"num_steps": 12, "optimizer": search, **kept, **arguments}
    )
    return f"{result.stop_reason} {hashlib.sha256(result.image.numpy().tobytes()).hexdigest()}"

def telling(name, function):
    def tell():
        with open(name, "w") as file:
            try:
                file.write(function())
            except BaseException as error:
                file.write(f"{type(error).__name__}: {error}")
                traceback.print_exc()

    return forked(tell)

def ended(*processes):
    for process in processes:
        wait(process)

def told(name):
    with open(name) as file:
        return file.read()
"""


@pytest.mark.slow
def test_a_second_run_is_refused_until_the_first_is_killed_and_then_goes_on(reported, tmp_path):
    report = reported(
        PROGRAM,
        """
def stay(step):
    if step.index == 7:
        open("waits", "w").close()
        time.sleep(100)

first = telling("first", lambda: run("run", callbacks=[stay]))
while not os.path.exists("waits"):
    time.sleep(0.01)
(CheckpointFolder("run").path / ".0123456789abcdef.tmp").write_bytes(b"of the writer at work")
ended(telling("second", lambda: run("run")))
report["the first's"] = os.path.exists("run/.0123456789abcdef.tmp")
report["second"], report["process"] = told("second"), first
os.kill(first, signal.SIGKILL)
ended(first)
ended(telling("third", lambda: run("run")), telling("expected", lambda: run("whole")))
report["same"] = told("third") == told("expected")
report["names"] = sorted(os.listdir("run"))
""",
    )
    assert report["second"] == (
        f"CheckpointError: The folder '{tmp_path.resolve() / 'run'}' is in use by another run, in process "
        f"{report['process']}. Wait for the end of that run, or name another folder."
    )
    assert report["the first's"]
    assert report["same"]
    assert report["names"] == ["checkpoint-00000010.safetensors", "checkpoint-00000012.safetensors"]


@pytest.mark.slow
def test_of_processes_that_share_a_run_one_writes_and_all_go_on(reported):
    report = reported(
        PROGRAM,
        """
def shared(rank, attempt, **arguments):
    import torch.distributed as distributed
    replace, written = os.replace, []
    os.replace = lambda *paths: (written.append(paths), replace(*paths))
    store = f"file://{os.getcwd()}/store-{attempt}"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    try:
        return run(evaluation=StripEvaluation(8, distributed=True), **arguments)
    except ValueError as error:
        return f"{type(error).__name__}: {error}"
    finally:
        with open(f"written-{rank}", "a") as file:
            file.write("x" * len(written))

def both(attempt, **arguments):
    ended(*(telling(str(rank), lambda: shared(rank, attempt, **arguments)) for rank in (0, 1)))
    return [told("0"), told("1")]

def stop(step):
    if step.index == 8:
        raise RuntimeError("stops")

report["whole"] = both("a", name="whole")
report["stopped"] = both("b", name="run", callbacks=[stop])
# The others need not see the folder.
report["resumed"] = both("c", name="run")
report["refused"] = both("d", name="run", num_steps=11)
report["not resumed"] = both("e", name="run", resume=False)
report["written"] = [len(told("written-0")), len(told("written-1"))]
""",
    )
    assert report["whole"][0] == report["whole"][1]
    assert report["stopped"] == ["RuntimeError: stops"] * 2
    assert report["resumed"] == report["whole"]
    for name, message in (
        ("refused", "has 12 steps behind it, and `num_steps` asks for 11 only"),
        ("not resumed", "Go on with `resume=True`"),
    ):
        assert report[name][0] == report[name][1]
        assert message in report[name][0]
    assert report["written"][0] > 5
    assert report["written"][1] == 0


@pytest.mark.slow
def test_ctrl_c_in_an_evaluation_loses_no_accepted_step(reported):
    report = reported(
        PROGRAM,
        """
ended(telling("expected", lambda: run("whole")))
report["ends"], report["lost"], report["same"] = [], [], []
# The first evaluation of a run, others in its line searches, and that of its result.
for call in (1, 2, 3, 4, 5, 9, 14):
    name = f"run-{call}"

    def interrupted():
        accepted = [0]
        end = run(name, call, callbacks=[lambda step: accepted.append(step.index)])
        return f"{end} {accepted[-1] - CheckpointFolder(name).steps()[-1]}"

    ended(telling("end", interrupted))
    report["ends"].append(told("end").split()[0])
    report["lost"].append(told("end").split()[2])
    ended(telling("resumed", lambda: run(name)))
    report["same"].append(told("resumed") == told("expected"))
    report["same"].append(sum(file.endswith(".tmp") or file == ".lock" for file in os.listdir(name)) == 0)
""",
    )
    assert report["ends"] == ["interrupted"] * 7
    assert report["lost"] == ["0"] * 7
    assert all(report["same"])


@pytest.mark.slow
def test_ctrl_c_while_a_checkpoint_is_written_leaves_whole_ones(reported):
    report = reported(
        PROGRAM,
        """
def struck(name, function, calls):
    # Ctrl-C comes in these calls of a function of the writer.
    original, count = getattr(os, function), [0]

    def strike(*arguments):
        count[0] += 1
        if count[0] in calls:
            os.kill(os.getpid(), signal.SIGINT)
        return original(*arguments)

    setattr(os, function, strike)
    try:
        return run(name)
    finally:
        setattr(os, function, original)

ended(telling("expected", lambda: run("whole")))
report["ends"] = {}
# A checkpoint calls `replace` once, and `fsync` for the file and for the folder.
for function, calls in (
    ("fsync", [5]), ("fsync", [6]), ("replace", [3]), ("replace", [3, 4]), ("fsync", [5, 6])
):
    name = f"{function} {calls}"
    ended(telling("end", lambda: struck(name, function, calls)))
    files = sorted(os.listdir(name))
    step = CheckpointFolder(name).newest()[0]
    ended(telling("resumed", lambda: run(name)))
    report["ends"][name] = [told("end").split()[0], step, len(files), told("resumed") == told("expected")]
""",
    )
    # The checkpoint of the fourth step is written then. It is written again when the run ends, and a second
    # Ctrl-C there leaves at once, with the one of the second step.
    assert report["ends"] == {
        "fsync [5]": ["interrupted", 4, 2, True],
        "fsync [6]": ["interrupted", 4, 2, True],
        "replace [3]": ["interrupted", 4, 2, True],
        "replace [3, 4]": ["KeyboardInterrupt:", 2, 2, True],
        "fsync [5, 6]": ["KeyboardInterrupt:", 2, 2, True],
    }
