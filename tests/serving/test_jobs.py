"""`/v1/stylize`: jobs, their events, and what a restart does to them."""

import base64
import io
import json
import shutil
import threading
import time

import pytest
import torch
from starlette.testclient import TestClient

from pystyle import stylize
from pystyle.encoders import vgg11
from pystyle.images import read_image, write_image
from pystyle.serving import Limits


@pytest.fixture(scope="module")
def encoder():
    return vgg11(weights=None, seed=1)


@pytest.fixture(scope="module")
def pictures():
    """Files of a photograph and a painting."""
    files = []
    for seed in (0, 1):
        stream = io.BytesIO()
        write_image(torch.rand(1, 3, 40, 48, generator=torch.Generator().manual_seed(seed)), stream)
        files.append(stream.getvalue())
    return files


@pytest.fixture
def jobs(make, encoder):
    """A function that makes a service with the small encoder."""
    return lambda **arguments: make(encoder=encoder, **arguments)


def start(client, pictures, **fields):
    content, style = pictures
    files = {"content": ("c", content), "style": ("s", style)}
    return client.post("/v1/stylize", files=files, data={"size": "32", "steps": "4", **fields})


def state_of(client, job):
    return client.get(f"/v1/stylize/{job}").json()


def wait(client, job, *states, seconds=60):
    end = time.monotonic() + seconds
    while (facts := state_of(client, job))["state"] not in states:
        assert time.monotonic() < end, facts
        time.sleep(0.02)
    return facts


def events_of(text):
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        yield lines["event"], json.loads(lines["data"])


def test_a_job_is_the_run_of_the_library(jobs, pictures, encoder, levels):
    with TestClient(jobs().app) as client:
        answer = start(client, pictures, size="original", strength="strong", colors="content")
        assert answer.status_code == 202
        job = answer.json()["id"]
        assert answer.headers["location"] == f"/v1/stylize/{job}"
        assert len(job) == 64
        facts = wait(client, job, "finished")
        found = levels(client.get(f"/v1/stylize/{job}/result").content)
    content, style = (read_image(io.BytesIO(data)) for data in pictures)
    run = stylize(
        content,
        style,
        edge_size="original",
        strength="strong",
        colors="content",
        num_steps=4,
        encoder=encoder,
        precision="float32",
    )
    assert torch.equal(found, (255 * run.image).round().to(torch.int))
    assert (facts["step"], facts["num_steps"], facts["stop_reason"]) == (4, 4, "finished")


def test_events_tell_of_each_step_with_its_loss_and_a_preview(jobs, pictures):
    with TestClient(jobs().app) as client:
        job = start(client, pictures, steps="6").json()["id"]
        answer = client.get(f"/v1/stylize/{job}/events")
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = list(events_of(answer.text))
        again = list(events_of(client.get(f"/v1/stylize/{job}/events").text))
    assert events[-1][0] == "end"
    assert {name for name, _ in events[:-1]} <= {"step"}
    assert events[-1][1]["state"] == "finished"
    assert again == [events[-1]]
    steps = [facts["step"] for _, facts in events]
    assert steps == sorted(steps)
    assert events[-1][1]["loss"] > 0
    kind, _, data = events[-1][1]["preview"].partition(",")
    assert kind == "data:image/jpeg;base64"
    assert read_image(io.BytesIO(base64.b64decode(data))).shape == (1, 3, 32, 38)


def test_jobs_run_one_after_the_other_and_too_many_are_refused(jobs, pictures):
    with TestClient(jobs(limits=Limits(num_jobs=2)).app) as client:
        first, second = (start(client, pictures, steps="30").json()["id"] for _ in range(2))
        answer = start(client, pictures)
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "30"
        assert state_of(client, second)["state"] == "waiting"
        assert client.get(f"/v1/stylize/{second}/result").status_code == 409
        for job in (first, second):
            assert client.delete(f"/v1/stylize/{job}").status_code == 204


def test_a_job_that_is_cancelled_is_forgotten_with_its_files(jobs, pictures, tmp_path):
    with TestClient(jobs(folder=tmp_path / "state").app) as client:
        running, waiting, over = (
            start(client, pictures, steps=steps).json()["id"] for steps in ("1", "400", "400")
        )
        wait(client, running, "finished")
        wait(client, waiting, "running")
        for job in (running, waiting, over):
            assert client.delete(f"/v1/stylize/{job}").status_code == 204
            assert client.get(f"/v1/stylize/{job}").status_code == 404
            assert client.delete(f"/v1/stylize/{job}").status_code == 404
        end = time.monotonic() + 30
        while list((tmp_path / "state/jobs").iterdir()):
            assert time.monotonic() < end
            time.sleep(0.02)


def test_a_picture_is_painted_between_the_steps_of_a_job(jobs, pictures, flat, levels):
    with TestClient(jobs().app) as client:
        job = start(client, pictures, steps="400").json()["id"]
        wait(client, job, "running")
        files = {"content": ("c", flat(50)), "style": ("s", flat(150))}
        answer = client.post("/v1/paint", files=files, data={"size": "20"}, headers={"accept": "image/png"})
        assert (levels(answer.content) == 100).all()
        assert state_of(client, job)["state"] == "running"
        client.delete(f"/v1/stylize/{job}")


@pytest.mark.slow
def test_a_restart_goes_on_and_gives_the_same_bytes(jobs, pictures, tmp_path):
    with TestClient(jobs().app) as client:
        job = start(client, pictures, steps="40").json()["id"]
        wait(client, job, "finished")
        expected = client.get(f"/v1/stylize/{job}/result").content
    folder, service = tmp_path / "state", jobs(folder=tmp_path / "state")
    with TestClient(service.app) as client:
        job = start(client, pictures, steps="40").json()["id"]
        while state_of(client, job)["step"] < 2:
            time.sleep(0.01)
    stopped = service.jobs.get(job).step
    assert stopped < 40
    assert service.jobs.get(job).state == "waiting"
    with TestClient(jobs(folder=folder).app) as client:
        list(events_of(client.get(f"/v1/stylize/{job}/events").text))
        assert client.get(f"/v1/stylize/{job}/result").content == expected
    # What is over stays so.
    with TestClient(jobs(folder=folder).app) as client:
        assert state_of(client, job)["state"] == "finished"
        assert client.get(f"/v1/stylize/{job}/result").content == expected
    assert not (folder / "jobs" / job / "run").exists()


@pytest.mark.slow
def test_who_follows_a_job_is_told_that_the_service_ends(jobs, pictures):
    service = jobs()
    with TestClient(service.app) as client:
        job = start(client, pictures, steps="400").json()["id"]
        wait(client, job, "running")
        threading.Timer(0.5, service.drain).start()
        names = [name for name, _ in events_of(client.get(f"/v1/stylize/{job}/events").text)]
    assert names[-1] == "drain"


def test_a_job_that_takes_too_long_has_the_picture_so_far(jobs, pictures):
    with TestClient(jobs(limits=Limits(job_seconds=0.2)).app) as client:
        job = start(client, pictures, steps="400").json()["id"]
        facts = wait(client, job, "finished")
        assert facts["stop_reason"] == "The job has reached its limit of 0.2 s."
        assert 1 <= facts["step"] < 400
        assert client.get(f"/v1/stylize/{job}/result").status_code == 200


def test_a_job_that_diverges_fails_with_its_last_good_picture(make, pictures):
    encoder, seen = vgg11(weights=None, seed=1), []
    whole = encoder.forward

    def forward(image, layers):
        seen.append(image)
        features = whole(image, layers)
        return {name: value * (float("nan") if len(seen) > 14 else 1) for name, value in features.items()}

    encoder.forward = forward
    with TestClient(make(encoder=encoder).app) as client:
        job = start(client, pictures, steps="30").json()["id"]
        facts = wait(client, job, "finished", "failed")
        picture = client.get(f"/v1/stylize/{job}/result")
        counts = client.get("/metrics").text
    assert facts["state"] == "failed"
    assert 1 <= facts["step"] < 30
    assert facts["problem"]["status"] == 422
    assert "The run ended early: the loss or its gradient became non-finite" in facts["problem"]["detail"]
    assert facts["stop_reason"] == facts["problem"]["detail"]
    assert read_image(io.BytesIO(picture.content)).shape == (1, 3, 32, 38)
    assert 'pystyle_jobs_total{state="failed"} 1' in counts


@pytest.mark.slow
@pytest.mark.long  # The estimate of strips takes its time.
def test_a_job_for_which_there_is_too_little_memory_says_so(jobs, pictures):
    with TestClient(jobs(limits=Limits(memory_budget=1000)).app) as client:
        job = start(client, pictures).json()["id"]
        facts = wait(client, job, "failed", seconds=250)
        assert facts["problem"]["status"] == 413
        assert "are allowed" in facts["problem"]["detail"]
        assert client.get(f"/v1/stylize/{job}/result").status_code == 409


@pytest.mark.slow
def test_pictures_of_jobs_are_forgotten_after_a_while(jobs, pictures):
    with TestClient(jobs(limits=Limits(kept_seconds=0.5)).app) as client:
        job = start(client, pictures, steps="1").json()["id"]
        end = time.monotonic() + 30
        while client.get(f"/v1/stylize/{job}").status_code == 200:
            assert time.monotonic() < end
            time.sleep(0.05)


@pytest.mark.slow
def test_of_too_many_pictures_of_jobs_the_oldest_goes(jobs, pictures):
    with TestClient(jobs(limits=Limits(num_results=2)).app) as client:
        names = []
        for _ in range(3):
            names.append(start(client, pictures, steps="1").json()["id"])
            wait(client, names[-1], "finished")
        end = time.monotonic() + 30
        while client.get(f"/v1/stylize/{names[0]}").status_code == 200:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert [client.get(f"/v1/stylize/{name}").status_code for name in names] == [404, 200, 200]


def test_damaged_and_unfinished_jobs_are_removed_at_a_start(jobs, tmp_path, caplog):
    folder = tmp_path / "state/jobs"
    for name in ("ab" * 32, ".half", "other"):
        (folder / name).mkdir(parents=True)
    (folder / ("ab" * 32) / "request.json").write_text("{")
    with TestClient(jobs(folder=tmp_path / "state").app) as client:
        assert client.get("/healthz").status_code == 200
        assert not list(folder.iterdir())
    assert "A damaged job is removed" in caplog.text


def test_a_job_whose_files_are_gone_fails_and_the_service_goes_on(jobs, pictures, tmp_path):
    with TestClient(jobs(folder=tmp_path / "state").app) as client:
        first, second = (start(client, pictures, steps=steps).json()["id"] for steps in ("60", "1"))
        wait(client, first, "running")
        shutil.rmtree(tmp_path / "state/jobs" / second)
        client.delete(f"/v1/stylize/{first}")
        assert wait(client, second, "failed")["problem"]["status"] == 500
        third = start(client, pictures, steps="1").json()["id"]
        wait(client, third, "finished")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"style": "black"}, "An optimisation looks at a painting, and knows no learned styles."),
        ({"steps": "0"}, "`steps` must be an integer from 1 to 500, got '0'."),
        ({"steps": "501"}, "`steps` must be an integer from 1 to 500"),
        ({"strength": "0"}, "`strength` must be a number from 0.01 to 100, got '0'."),
        ({"size": "20"}, "`size` must be an integer from 32 to "),
        ({"colors": "none"}, "`colors` must be one of"),
        ({"network": "tint"}, "There is no field 'network'"),
    ],
)
def test_a_job_is_refused_with_a_sentence(client, pictures, fields, sentence):
    files = {"content": ("c", pictures[0])}
    if "style" not in fields:
        files["style"] = ("s", pictures[1])
    answer = client.post("/v1/stylize", files=files, data=fields)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]


def test_two_services_in_one_folder_are_refused(jobs, tmp_path):
    from pystyle.checkpoints import CheckpointError

    with (
        TestClient(jobs(folder=tmp_path).app),
        pytest.raises(CheckpointError, match="is in use by"),
        TestClient(jobs(folder=tmp_path).app),
    ):
        pass


@pytest.mark.parametrize("name", ["0" * 64, "..", "%2e%2e%2fsecret", "a", "..%2f..%2fsecret"])
def test_an_id_is_never_a_path(client, name):
    for path in ("", "/result", "/events"):
        assert client.get(f"/v1/stylize/{name}{path}").status_code in (404, 405)
