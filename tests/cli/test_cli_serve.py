"""`pystyle serve` as a process: it answers, drains at SIGTERM, and goes on after a restart."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from pystyle.cli import main
from pystyle.images import write_image
from pystyle.networks import AnyStyleNetwork

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytest.importorskip("python_multipart")

KEY = "a-key-of-some-length"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, seed in (("content.png", 0), ("style.png", 1)):
        write_image(torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(seed)), name)
    AnyStyleNetwork(width=1, features="light").save("small.safetensors")


@contextmanager
def serving(*options):
    """A running command, its process and its address."""
    command = [sys.executable, "-m", "pystyle", "serve", "--port", "0", "--network", "small.safetensors"]
    process = subprocess.Popen(
        [*command, *options],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        line = process.stderr.readline()
        yield process, re.search(r"http://127\.0\.0\.1:\d+", line)[0]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def call(url, *files, key=None, method=None, **fields):
    """The status, and the body as JSON or bytes."""
    parts = []
    for name, path in files:
        with open(path, "rb") as file:
            head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="f"\r\n\r\n'
            parts.append(head.encode() + file.read())
    for name, value in fields.items():
        parts.append(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode())
    body = b"\r\n".join(parts) + b"\r\n--b--\r\n" if parts else None
    headers = {"Content-Type": "multipart/form-data; boundary=b"} if parts else {}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            data, kind, status = answer.read(), answer.headers["Content-Type"], answer.status
    except urllib.error.HTTPError as error:
        data, kind, status = error.read(), error.headers["Content-Type"], error.code
    return status, json.loads(data) if "json" in (kind or "") else data


PAIR = (("content", "content.png"), ("style", "style.png"))


@pytest.mark.slow
def test_a_service_answers_whom_it_knows_and_ends_at_sigterm():
    with open("keys.txt", "w") as file:
        file.write(f"\n  {KEY}\n")
    with serving("--api-keys", "keys.txt", "--max-upload", "1MB") as (process, address):
        assert call(f"{address}/healthz")[0] == 200
        assert b"<!doctype html>" in call(f"{address}/")[1]
        assert call(f"{address}/v1/paint", *PAIR)[0] == 401
        status, data = call(f"{address}/v1/paint", *PAIR, key=KEY, size=32)
        assert (status, data[:3]) == (200, b"\xff\xd8\xff")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


@pytest.mark.slow
def test_what_is_painted_at_a_sigterm_is_answered():
    with serving() as (process, address), ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, f"{address}/v1/paint", *PAIR, size=1500)
        while b"\npystyle_requests 1\n" not in call(f"{address}/metrics")[1]:
            assert not answer.done()
        process.send_signal(signal.SIGTERM)
        status, data = answer.result(120)
        assert (status, data[:3]) == (200, b"\xff\xd8\xff")
        assert process.wait(60) == 0


@pytest.mark.slow
def test_a_job_outlives_a_sigterm_and_a_kill():
    def step():
        return call(f"{address}/v1/stylize/{job}")[1]

    with serving("--folder", "state", "--no-page") as (process, address):
        assert call(f"{address}/")[0] == 404
        status, facts = call(f"{address}/v1/stylize", *PAIR, size=48, steps=60)
        assert status == 202
        job = facts["id"]
        while step()["step"] < 2:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    with serving("--folder", "state") as (process, address):
        assert step()["state"] in ("waiting", "running")
        while step()["step"] < 4:
            time.sleep(0.05)
        process.kill()
        process.wait(30)
    with serving("--folder", "state") as (process, address):
        end = time.monotonic() + 120
        while step()["state"] != "finished":
            assert time.monotonic() < end
            time.sleep(0.1)
        status, data = call(f"{address}/v1/stylize/{job}/result")
        assert (status, data[:4]) == (200, b"\x89PNG")
        assert call(f"{address}/v1/stylize/{job}", method="DELETE")[0] == 204


@pytest.mark.slow
def test_a_port_and_a_folder_that_are_taken_are_one_line(capsys):
    with serving("--folder", "state") as (_, address):
        port = address.rpartition(":")[2]
        assert main(["serve", "--network", "small.safetensors", "--port", port]) == 1
        error = capsys.readouterr().err
        assert error.startswith(
            f"pystyle: error: The service cannot listen at `--host` '127.0.0.1' and `--port` {port}: "
        )
        assert error.count("\n") == 1
        assert main(["serve", "--network", "small.safetensors", "--port", "0", "--folder", "state"]) == 1
        error = capsys.readouterr().err
        assert f"'{Path('state').absolute()}' is in use by another run" in error
        assert error.count("\n") == 1


def test_a_file_without_keys_is_refused(capsys):
    with open("keys.txt", "w") as file:
        file.write("\n\n")
    assert main(["serve", "--network", "small.safetensors", "--api-keys", "keys.txt"]) == 2
    assert "`--api-keys` must be a file with one key a line, got none" in capsys.readouterr().err


def test_keys_are_read_whatever_an_editor_put_before_them(monkeypatch):
    services = []
    monkeypatch.setattr("pystyle.cli._serve.serve", lambda service, **_: services.append(service))
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        Path("keys.txt").write_bytes(f"{KEY}\r\n".encode(encoding))
        assert main(["serve", "--network", "small.safetensors", "--api-keys", "keys.txt"]) == 0
    plain, *others = [service.key_digests for service in services]
    assert others == [plain, plain]


def test_the_container_is_started_with_options_that_there_are(capsys):
    text = (Path(__file__).parents[2] / "docs" / "Dockerfile").read_text(encoding="utf-8")
    command = json.loads(re.search(r"^ENTRYPOINT (\[.*\])$", text, re.M)[1])
    assert command[:2] == ["pystyle", "serve"]
    assert main(["serve", "--help"]) == 0
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert set(re.findall(r"--[a-z-]+", " ".join([*command, "--api-keys"]))) <= options
    assert re.search("^USER pystyle$", text, re.M)
    assert f"127.0.0.1:{command[command.index('--port') + 1]}/healthz" in text
