"""The load test sends what it says, sees pictures that are mixed up, and sees memory that grows."""

import io
import json
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path

import pytest

from pystyle.images import read_image

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def test_both_bodies_have_the_same_fields(script):
    load = script("load")
    fields = {"size": "64", "content": load.picture(0, 16)}
    body, kind = load.as_form(fields)
    parts = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body).get_payload()
    found = {part.get_param("name", header="Content-Disposition"): part for part in parts}
    assert found["size"].get_payload(decode=True) == b"64"
    assert found["size"].get_filename() is None
    assert found["content"].get_payload(decode=True).startswith(b"\xff\xd8\xff")
    assert found["content"].get_filename() == "f"
    body, kind = load.as_json(fields)
    assert (json.loads(body)["content"][:4], kind) == ("/9j/", "application/json")


def test_each_client_has_a_picture_of_its_own(script):
    first, again, other = (
        255 * read_image(io.BytesIO(script("load").picture(seed, 32))) for seed in (0, 0, 1)
    )
    assert (first == again).all()
    assert (first - other).abs().mean() > 20


class Answering:
    """A connection on which whatever is asked is answered with the next of some files."""

    def __init__(self, *files, status=200):
        self.files, self.status = list(files), status

    def request(self, *_):
        pass

    def close(self):
        pass

    def getresponse(self):
        return self

    def read(self):
        if not self.files:
            raise ConnectionResetError
        return self.files.pop(0)


def test_the_picture_of_another_client_and_none_are_seen(script):
    load = script("load")
    client = load.Client(0, 0, 32)
    mine, others = load.picture(0, 32), load.picture(1, 32)
    client.connection = Answering(mine, mine, others, load.picture(0, 64))
    found = [client.ask() for _ in range(5)]
    assert [answer.status for answer in found] == [200, 200, 200, 200, 0]
    assert [answer.distance >= load.SAME for answer in found] == [False, False, True, True, False]
    client.connection = Answering(b"{}", status=503)
    assert client.ask().status == 503


@pytest.mark.slow
def test_a_small_load_loses_and_mixes_up_nothing(tmp_path):
    file = Path(__file__).parents[2] / "benchmarks" / "load.py"
    for options in (("--sizes", "64", "--clients", "1", "3", "--requests", "6"), ("--memory-requests", "40")):
        command = [sys.executable, str(file), *options, "--output", str(tmp_path / "load.jsonl")]
        subprocess.run(command, check=True, capture_output=True, timeout=250)
    lines = [json.loads(line) for line in (tmp_path / "load.jsonl").read_text().splitlines()]
    assert [(line["kind"], line["clients"], line["statuses"]) for line in lines] == [
        ("load", 1, {"200": 6}),
        ("load", 3, {"200": 6}),
        ("memory", 4, {"200": 40}),
    ]
    assert all(line["mixed_up"] == 0 for line in lines)
    assert len(lines[2]["resident_bytes"]) == 40
    assert min(lines[2]["resident_bytes"]) > 50e6
