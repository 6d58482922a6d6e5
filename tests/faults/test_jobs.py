"""Whatever ends the processes of a job, the rest is done, nothing twice, and the manifest is right."""

import os
import signal

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks and sends signals")

PROGRAM = """
from collections import Counter
from functools import partial
from pathlib import Path
from pystyle import Result, stylize
from pystyle.encoders import alexnet
from pystyle.images import write_image
from pystyle.jobs import JobError, stylize_folder

STYLE = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(99))
BAD = ["03.png", "11.png", "19.png"]

def make(count=20, bad=BAD):
    os.mkdir("photos")
    for index in range(count):
        name = f"{index:02d}.png"
        picture = torch.rand(1, 3, 36, 40, generator=torch.Generator().manual_seed(index))
        write_image(picture, f"photos/{name}")
        if name in bad:
            data = Path("photos", name).read_bytes()
            Path("photos", name).write_bytes(data[: len(data) // 2])

def recolour(content, style):
    # Where it is said which process does what.
    with open("log", "a") as log:
        log.write(f"{os.getpid()} {content.mean():.6f}\\n")
    time.sleep(0.01)
    image = content - content.mean((2, 3), keepdim=True) + style.mean((2, 3), keepdim=True)
    return Result(image.clamp(0, 1), {}, "finished", 0.0)

def job(output="out", **arguments):
    return stylize_folder("photos", STYLE, output, **{"recipe": recolour, **arguments})

def entries(output="out"):
    # Half a line, of a write that was cut, is no entry.
    found = []
    for line in Path(output, "manifest.jsonl").read_bytes().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            found.append({"half": True})
    return [entry for entry in found if "description" not in entry]

def pictures(output="out"):
    return {path.name: path.read_bytes().hex() for path in Path(output).glob("*.png")}

def times(output="out"):
    return {path.name: path.stat().st_mtime_ns for path in Path(output).glob("*.png")}

def left_over(output="out"):
    names = [path.name for path in Path(output).rglob("*") if path.name.endswith(".tmp")]
    return names + os.listdir(f"{output}/.pystyle/claims")

def done(output="out"):
    return sorted(entry["input"] for entry in entries(output) if not entry.get("half") and not entry["error"])

def recorded(output="out"):
    return sorted(entry["input"] for entry in entries(output) if not entry.get("half") and entry["error"])
"""


WITH_WORKERS = """
from program import *

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    recipe = partial(stylize, encoder=alexnet(weights=None), edge_size=36, num_steps=10)
    try:
        job(recipe=recipe, workers=2)
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.slow
def test_a_job_that_is_killed_after_seven_images_does_the_rest_and_nothing_twice(reported):
    report = reported(
        PROGRAM,
        """
make()
told = []

def kill(entry):
    told.append(entry)
    if sum(not entry.failed for entry in told) == 7:
        os.kill(os.getpid(), signal.SIGKILL)

report["code"] = wait(forked(lambda: job(callbacks=[kill])))
before, seen = times(), done()
report["before"] = len(before)
again = job()
after = times()
report["unchanged"] = all(after[name] == before[name] for name in before)
report["numbers"] = [len(again.painted), len(again.kept), len(again.failed), len(after)]
report["done"], report["recorded"] = Counter(done()).most_common(1)[0][1], recorded()
report["painted"] = [entry.input for entry in again.painted] == [name for name in done() if name not in seen]
report["left over"] = left_over()
""",
    )
    assert report["code"] == -signal.SIGKILL
    assert report["before"] == 7
    assert report["unchanged"]
    assert report["numbers"] == [10, 7, 3, 17]
    # No image has two lines, neither the good ones nor the bad ones.
    assert report["done"] == 1
    assert report["recorded"] == ["03.png", "11.png", "19.png"]
    assert report["painted"]
    assert report["left over"] == []


@pytest.mark.slow
def test_a_kill_inside_the_writers_leaves_whole_pictures_and_a_manifest_that_can_be_read(reported):
    report = reported(
        PROGRAM,
        """
make(6, bad=["03.png"])
job("whole")
expected = pictures("whole")

def killed_in(name, call, output):
    function, calls = getattr(os, name), []

    def kill(*arguments):
        calls.append(arguments)
        if len(calls) == call:
            if name == "write":
                function(arguments[0], arguments[1][:40])
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)

    setattr(os, name, kill)
    job(output)

report["places"] = []
# Two synchronisations come first, and three belong to an image: its picture, the folder, its line.
for name, call in (("replace", 4), ("fsync", 10), ("fsync", 11), ("fsync", 12), ("write", 5), ("write", 6)):
    output = f"{name}{call}"
    code = wait(forked(lambda: killed_in(name, call, output)))
    before = times(output)
    whole = all(picture == expected[name] for name, picture in pictures(output).items())
    again = job(output)
    once = max(Counter(done(output) + recorded(output)).values())
    complete = pictures(output) == expected and recorded(output) == ["03.png"]
    kept = {entry.output for entry in again.kept}
    same = all(times(output)[name] == before[name] for name in kept)
    report["places"].append([code, whole, complete, once, same, len(kept) >= 2, left_over(output)])
""",
    )
    assert report["places"] == [[-signal.SIGKILL, True, True, 1, True, True, []]] * 6


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_a_signal_leaves_nothing_behind_and_the_rest_is_done_later(reported, name, code):
    report = reported(
        PROGRAM,
        f"""
make(6, bad=[])
report["codes"], report["left over"], report["numbers"] = [], [], []

def strike(content, style):
    if (content.mean() - MEAN).abs() < 1e-6:
        os.kill(os.getpid(), signal.{name})
    return recolour(content, style)

from pystyle.images import read_image
for index, wanted in enumerate(("00.png", "02.png", "05.png")):
    MEAN = read_image(f"photos/{{wanted}}").mean()
    # Another recipe would be another job.
    process = forked(lambda: job(f"out{{index}}", recipe=strike))
    report["codes"].append(wait(process))
    report["left over"] += left_over(f"out{{index}}")
    MEAN = torch.tensor(-1.0)
    again = job(f"out{{index}}", recipe=strike)
    report["numbers"].append([len(again.kept), len(again.painted)])
    report["left over"] += left_over(f"out{{index}}")
""",
    )
    assert report["codes"] == [code] * 3
    assert report["numbers"] == [[0, 6], [2, 4], [5, 1]]
    assert report["left over"] == []


@pytest.mark.slow
def test_commands_that_are_started_side_by_side_do_no_image_twice(reported):
    report = reported(
        PROGRAM,
        """
make()
processes = [forked(job) for _ in range(4)]
report["codes"] = [wait(process) for process in processes]
lines = [line.split() for line in Path("log").read_text().splitlines()]
report["painted"], report["once"] = len(lines), len({mean for _, mean in lines})
report["who"] = len({process for process, _ in lines})
report["manifest"] = [len(done()), len(set(done())), recorded(), len(entries())]
report["left over"] = left_over()
""",
    )
    assert report["codes"] == [0] * 4
    assert (report["painted"], report["once"]) == (17, 17)
    assert report["who"] > 1
    assert report["manifest"] == [17, 17, ["03.png", "11.png", "19.png"], 20]
    assert report["left over"] == []


@pytest.mark.slow
def test_processes_that_are_killed_at_random_and_started_again_finish_the_job(reported):
    report = reported(
        PROGRAM,
        """
import random
make(40)
job("whole")
chance, kills = random.Random(0), 0
processes = [forked(job) for _ in range(3)]
while kills < 12 and (not os.path.exists("out/manifest.jsonl") or len(done()) < 30):
    time.sleep(chance.uniform(0.005, 0.03))
    victim = processes.pop(chance.randrange(3))
    os.kill(victim, signal.SIGKILL)
    kills += wait(victim) == -signal.SIGKILL
    processes.append(forked(job))
report["codes"], report["kills"] = [wait(process) for process in processes], kills
report["manifest"] = [len(done()), len(set(done())), recorded()]
report["same"] = pictures() == pictures("whole")
report["left over"] = left_over()
""",
    )
    assert report["codes"] == [0] * 3
    assert report["kills"] >= 3
    assert report["manifest"] == [37, 37, ["03.png", "11.png", "19.png"]]
    assert report["same"]
    assert report["left over"] == []


@pytest.mark.slow
def test_a_rank_that_dies_leaves_its_image_to_the_other_one(reported):
    report = reported(
        PROGRAM,
        """
import datetime
make(8, bad=["03.png"])

def rank(index):
    # As torchrun sets them. The job needs no group; a program may have one.
    os.environ |= {"RANK": str(index), "LOCAL_RANK": str(index), "WORLD_SIZE": "2"}
    store = torch.distributed.FileStore("store", 2)
    torch.distributed.init_process_group(
        "gloo", store=store, rank=index, world_size=2, timeout=datetime.timedelta(seconds=60)
    )
    job(recipe=partial(painted_by, calls=[]))

def painted_by(content, style, calls):
    calls.append(1)
    if os.environ["RANK"] == "1" and len(calls) == 2:
        Path("dying").write_text(f"{content.mean():.6f}")
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    return recolour(content, style)

start = time.time()
processes = [forked(lambda: rank(index)) for index in range(2)]
report["codes"] = [wait(process) for process in processes]
report["seconds"] = time.time() - start
lines = [line.split() for line in Path("log").read_text().splitlines()]
report["once"] = max(Counter(mean for _, mean in lines).values())
report["taken over"] = [process for process, mean in lines if mean == Path("dying").read_text()] == [
    str(processes[0])
]
report["manifest"] = [len(done()), len(set(done())), recorded(), len(entries())]
report["again"] = len(job(recipe=partial(painted_by, calls=[])).kept)
report["left over"] = left_over()
""",
    )
    assert report["codes"] == [0, -signal.SIGKILL]
    assert report["seconds"] < 60
    assert report["once"] == 1
    assert report["taken over"]
    assert report["manifest"] == [7, 7, ["03.png"], 8]
    assert report["again"] == 7
    assert report["left over"] == []


@pytest.mark.slow
def test_a_full_disk_ends_the_job_and_spoils_no_line(reported):
    report = reported(
        PROGRAM,
        """
import resource
make(6, bad=[])

def fill():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    calls = []

    def limit(entry):
        calls.append(entry)
        if len(calls) == 3:
            size = os.path.getsize("out/manifest.jsonl") + 100
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    try:
        job(callbacks=[limit])
    except OSError as error:
        Path("error").write_text(str(error))

report["code"] = wait(forked(fill))
report["error"] = Path("error").read_text()
report["before"] = [done(), recorded()]
report["left over"] = left_over()
again = job()
report["after"] = [len(done()), len(set(done())), recorded(), sorted(pictures()) == done()]
""",
    )
    assert report["code"] == 0
    assert report["error"]
    assert report["before"] == [["00.png", "01.png", "02.png"], []]
    assert report["left over"] == []
    assert report["after"] == [6, 6, [], True]


@pytest.mark.slow
def test_a_worker_that_is_killed_leaves_its_image_to_the_others(reported):
    report = reported(
        PROGRAM,
        """
import logging, multiprocessing
make(6, bad=["03.png"])
messages, killed = [], []
handler = logging.Handler()
handler.emit = lambda record: messages.append(record.getMessage())
logging.getLogger("pystyle").addHandler(handler)

def kill(entry):
    if not killed:
        killed.append(multiprocessing.active_children()[0].pid)
        os.kill(killed[0], signal.SIGKILL)

# So many steps that there is work left when the first image is told.
recipe = partial(stylize, encoder=alexnet(weights=None), edge_size=36, num_steps=100)
result = job(recipe=recipe, workers=2, callbacks=[kill])
report["numbers"] = [len(result.painted), len(result.kept), [entry.input for entry in result.failed]]
report["manifest"] = [len(done()), len(set(done())), len(entries())]
report["messages"], report["left over"] = messages, left_over()

def kill_all(entry):
    for process in multiprocessing.active_children():
        os.kill(process.pid, signal.SIGKILL)

try:
    job("other", recipe=recipe, workers=2, callbacks=[kill_all])
except JobError as error:
    report["error"] = str(error)
result = job("other", recipe=recipe)
report["rest"] = [len(result.painted) > 0, len(result.kept) > 0, len(result.painted) + len(result.kept)]
""",
    )
    assert report["numbers"] == [5, 0, ["03.png"]]
    assert report["manifest"] == [5, 5, 6]
    assert report["left over"] == []
    assert len(report["messages"]) == 1
    assert report["messages"][0].startswith(
        "Some processes died, and others did their work. The exit codes are"
    )
    assert report["error"].startswith("All processes ended before the job was done; ")
    assert "Their exit codes are -9, -9;" in report["error"]
    assert report["rest"] == [True, True, 5]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_workers_end_with_the_process_that_started_them(tmp_path, reported, name):
    (tmp_path / "command.py").write_text(WITH_WORKERS, encoding="utf-8")
    report = reported(
        PROGRAM,
        f"""
import subprocess
make(6, bad=[])
environment = dict(os.environ, PYTHONPATH=os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")]))
process = subprocess.Popen([sys.executable, "command.py", os.getcwd()], env=environment)
while process.poll() is None and not (os.path.exists("out/manifest.jsonl") and done()):
    time.sleep(0.01)
process.send_signal(signal.{name})
report["code"] = process.wait()

import fcntl
file = open("out/.pystyle/at-work")
start = time.time()
# As long as a worker lives, it holds the folder.
fcntl.flock(file, fcntl.LOCK_EX)
report["seconds"] = time.time() - start
file.close()
before = times()
report["before"] = len(before)
recipe = partial(stylize, encoder=alexnet(weights=None), edge_size=36, num_steps=10)
result = job(recipe=recipe)
report["after"] = [len(result.painted) + len(result.kept), len(done()), len(set(done()))]
report["unchanged"] = all(times()[entry.output] == before[entry.output] for entry in result.kept)
report["left over"] = left_over()
""",
    )
    assert report["code"] == {"SIGKILL": -9, "SIGTERM": 143, "SIGINT": 130}[name]
    assert report["seconds"] < 20
    assert report["before"] >= 1
    assert report["after"] == [6, 6, 6]
    assert report["unchanged"]
    assert report["left over"] == []
