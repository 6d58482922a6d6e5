"""Whatever ends the process of a run, the run goes on and ends with the bytes of one that nothing ended."""

import os
import signal

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks and sends signals")

PROGRAM = """
import hashlib, random, resource
from torch import nn
from pystyle import ContentLoss, Criterion, Pyramid, SlicedWassersteinLoss
from pystyle.checkpoints import CheckpointFolder, Checkpoints
from pystyle.encoders import SequentialEncoder
from pystyle.optim import LBFGS
from pystyle.runner import CSVLogger

STEPS = 120
# What torch imports with the first step is imported once, and not in every process.
LBFGS([torch.zeros(1, requires_grad=True)]).step()

def image(seed, *shape):
    return torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(seed))

def run(name="run", steps=5, callbacks=(), **arguments):
    conv = nn.Conv2d(3, 4, 3, padding=1)
    with torch.no_grad():
        conv.weight.copy_(torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(2)))
        conv.bias.zero_()
    criterion = Criterion(
        SequentialEncoder({"conv": conv}),
        {"content": ContentLoss("conv"), "style": SlicedWassersteinLoss("conv", resample=True)},
    )
    result = Pyramid([16, 32], num_steps=STEPS // 2).optimize(
        criterion,
        {"content": image(0, 32, 40), "style": image(1, 32, 32)},
        averaging=0.9,
        callbacks=[CSVLogger(f"{name}.csv"), *callbacks],
        checkpoint=Checkpoints(name, steps=steps),
        resume=True,
        **arguments,
    )
    columns = {key: column for key, column in result.history.items() if key != "seconds"}
    return hashlib.sha256(result.image.numpy().tobytes()).hexdigest() + json.dumps(columns)

def outcome(name="run"):
    # A process that has computed gradients itself cannot be forked to compute more.
    def write():
        with open("outcome", "w") as file:
            file.write(run(name, steps=1000))

    assert wait(forked(write)) == 0
    with open("outcome") as file:
        return file.read()

def log(name="run"):
    with open(f"{name}.csv") as file:
        return [line.split(",")[0] for line in file]

EVERY_STEP_ONCE = ["step", *map(str, range(1, STEPS + 1))]
"""


@pytest.mark.slow
def test_a_run_that_was_killed_ten_times_at_random_ends_with_the_same_bytes(reported):
    report = reported(
        PROGRAM,
        """
expected = outcome("whole")
chance, kills, before = random.Random(0), 0, [0]

def newest():
    steps = CheckpointFolder("run").steps()
    return steps[-1] if steps else 0

while kills < 10 and len(before) < 40:
    process = forked(run)
    while newest() < before[-1] + 5 and os.waitpid(process, os.WNOHANG) == (0, 0):
        time.sleep(0.001)
    # Until then it wrote a checkpoint; the kill hits somewhere in the steps after it, or in the next.
    time.sleep(chance.uniform(0, 0.03))
    os.kill(process, signal.SIGKILL)
    kills += wait(process) == -signal.SIGKILL
    before.append(newest())
report["kills"], report["before"] = kills, before
report["same"] = outcome() == expected
report["log"] = log() == log("whole") == EVERY_STEP_ONCE
report["left over"] = [name for name in os.listdir("run") if name.endswith(".tmp")]
""",
    )
    assert report["kills"] == 10
    assert report["before"] == sorted(report["before"])
    assert 0 < report["before"][-1] < 120
    assert report["same"]
    assert report["log"]
    assert report["left over"] == []


@pytest.mark.slow
def test_a_kill_loses_no_more_than_one_interval(reported):
    report = reported(
        PROGRAM,
        """
def kill(step):
    if step.index == 29:
        os.kill(os.getpid(), signal.SIGKILL)

report["ended by"] = wait(forked(lambda: run(steps=5, callbacks=[kill])))
report["steps"] = CheckpointFolder("run").steps()
""",
    )
    assert report == {"ended by": -signal.SIGKILL, "steps": [20, 25]}


@pytest.mark.slow
def test_a_kill_inside_the_writer_leaves_the_checkpoint_before(reported):
    report = reported(
        PROGRAM,
        """
def killed_in(name, call):
    function, calls = getattr(os, name), []

    def kill(*arguments):
        calls.append(arguments)
        if len(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)

    setattr(os, name, kill)
    run()

expected = outcome("whole")
report["places"] = []
# The fourth file is that of step 15; each is synchronised once, and its folder once more.
for name, call in (("open", 7), ("fsync", 7), ("replace", 4), ("fsync", 8)):
    code = wait(forked(lambda: killed_in(name, call)))
    names = sorted(os.listdir("run"))
    report["places"].append([name, code, names[-1], sum(n.endswith(".tmp") for n in names)])
    CheckpointFolder("run").newest()
    report["places"][-1].append(outcome() == expected)
    report["places"][-1].append(sum(n.endswith(".tmp") for n in os.listdir("run")))
    for n in os.listdir("run"):
        os.unlink(f"run/{n}")
""",
    )
    before, after = "checkpoint-00000010.safetensors", "checkpoint-00000015.safetensors"
    assert report["places"] == [
        ["open", -signal.SIGKILL, before, 0, True, 0],
        ["fsync", -signal.SIGKILL, before, 1, True, 0],
        ["replace", -signal.SIGKILL, before, 1, True, 0],
        ["fsync", -signal.SIGKILL, after, 0, True, 0],
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_loses_no_accepted_step(reported, name):
    report = reported(
        PROGRAM,
        f"""
expected = outcome("whole")
report["codes"], report["lost"], report["left over"] = [], [], 0
for wanted in (1, 60, 94):
    seen = []

    def strike(step):
        if step.index == wanted:
            os.kill(os.getpid(), signal.{name})

    report["codes"].append(wait(forked(lambda: run(steps=1000, callbacks=[strike]))))
    report["lost"].append(wanted - CheckpointFolder("run").steps()[-1])
    report["left over"] += sum(n.endswith(".tmp") for n in os.listdir("run"))
report["same"] = outcome() == expected
report["log"] = log() == EVERY_STEP_ONCE
""",
    )
    # A run that is interrupted gives its picture back; one that is terminated exits as shells expect.
    assert report["codes"] == [{"SIGTERM": 143, "SIGINT": 0}[name]] * 3
    # The signal came before all callbacks had seen the step.
    assert report["lost"] == [1] * 3
    assert report["left over"] == 0
    assert report["same"]
    assert report["log"]


@pytest.mark.slow
def test_a_signal_at_random_loses_no_accepted_step(reported):
    report = reported(
        PROGRAM,
        """
expected = outcome("whole")
report["lost"], chance = [], random.Random(1)
for signal_ in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGINT):
    process = forked(lambda: run(steps=1000))
    time.sleep(chance.uniform(0.03, 0.15))
    os.kill(process, signal_)
    wait(process)
    rows = log() if os.path.exists("run.csv") else ["step"]
    steps = CheckpointFolder("run").steps()
    report["lost"].append(int(rows[-1].replace("step", "0")) - (steps[-1] if steps else 0))
report["same"] = outcome() == expected
report["log"] = log() == EVERY_STEP_ONCE
""",
    )
    # A step in whose row the signal came was not accepted yet.
    assert set(report["lost"]) <= {0, 1}
    assert report["same"]
    assert report["log"]


@pytest.mark.slow
def test_a_handler_of_the_program_is_left_alone(reported):
    report = reported(
        PROGRAM,
        """
handled = []
signal.signal(signal.SIGTERM, lambda *arguments: handled.append(1))
run(callbacks=[lambda step: step.index == 3 and os.kill(os.getpid(), signal.SIGTERM)])
report["handled"] = len(handled)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
run("another")
report["default again"] = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
""",
    )
    assert report == {"handled": 1, "default again": True}


@pytest.mark.slow
def test_a_full_disk_leaves_the_last_checkpoint_and_the_run_goes_on(reported, tmp_path):
    report = reported(
        PROGRAM,
        """
import logging
expected = outcome("whole")

def go_on():
    handler = logging.Handler()
    handler.emit = lambda record: open("messages", "a").write(record.getMessage() + "\\n")
    logging.getLogger("pystyle").addHandler(handler)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def fill(step):
        if step.index == 12:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))

    with open("went on", "w") as file:
        file.write(run(callbacks=[fill]))

report["code"] = wait(forked(go_on))
with open("went on") as file:
    report["went on"] = file.read() == expected
with open("messages") as file:
    report["messages"] = [line.strip() for line in file if "could not be written" in line][:1]
report["names"] = sorted(os.listdir("run"))
report["same"] = outcome() == expected
""",
    )
    assert report["went on"]
    file = tmp_path.resolve() / "run" / "checkpoint-00000015.safetensors"
    message = f"[Errno 27] Cannot write the checkpoint '{file}': File too large"
    assert report["messages"] == [f"The checkpoint of step 15 could not be written: {message}"]
    assert report["names"] == ["checkpoint-00000005.safetensors", "checkpoint-00000010.safetensors"]
    assert report["same"]
