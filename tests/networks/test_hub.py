"""Networks in folders and on the hub of Hugging Face, for which a server of this machine stands in."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
import torch

from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork, pretrained_names

CARD = {"licence": "CC0-1.0", "trained on": ["waves", "wheat"], "note": "a | b"}


def network() -> TransformNetwork:
    torch.manual_seed(0)
    made = TransformNetwork(width=2, styles=["waves", "wheat"])
    made.card = CARD
    return made.eval()


def test_a_folder_has_the_network_and_a_page_with_its_card(tmp_path):
    network().save_pretrained(tmp_path / "new" / "folder")
    again = Stylizer.from_pretrained(tmp_path / "new" / "folder")
    photo = torch.rand(1, 3, 24, 20)
    assert torch.equal(again.bind("wheat")(photo), network().bind("wheat")(photo))
    assert again.card == CARD
    page = (tmp_path / "new" / "folder" / "README.md").read_text()
    head = page.split("---")[1]
    assert "license: cc0-1.0" in head
    assert "library_name: pystyle" in head
    assert f"Stylizer.from_pretrained({str(tmp_path / 'new' / 'folder')!r})" in page
    assert "| trained on | waves, wheat |" in page
    assert r"| note | a \| b |" in page


class Mine(Stylizer):
    """A class of a user."""

    stride = 1

    def represent_style(self, style):
        return style.mean((2, 3), keepdim=True)

    def forward(self, content, code):
        return (content + code) / 2


def test_the_program_of_a_page_loads_the_network(tmp_path):
    for made in (network(), Mine()):
        made.save_pretrained(tmp_path)
        found = {}
        exec((tmp_path / "README.md").read_text().split("```python")[1].split("```")[0], found)
        # The class that is imported by its name, which pytest has imported under another one.
        assert type(found["network"]).__qualname__ == type(made).__qualname__


def test_the_page_of_a_class_of_a_script_does_not_import_the_script(tmp_path, monkeypatch):
    monkeypatch.setattr(Mine, "__module__", "__main__")
    Mine().save_pretrained(tmp_path)
    page = (tmp_path / "README.md").read_text()
    assert "import __main__" not in page
    assert "from __main__" not in page
    assert f"Mine.from_pretrained({str(tmp_path)!r})" in page


@pytest.mark.parametrize(
    ("licence", "lines"),
    [
        ("CC BY 4.0", "license: cc-by-4.0\n"),
        ("CC0", "license: cc0-1.0\n"),
        ("Apache-2.0", "license: apache-2.0\n"),
        ("ask me", 'license: other\nlicense_name: "ask-me"\n'),
    ],
)
def test_a_page_names_the_licence_as_the_hub_does(tmp_path, licence, lines):
    made = Mine()
    made.card = {"licence": licence}
    made.save_pretrained(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert lines in text
    assert f"| licence | {licence} |" in text


@pytest.mark.parametrize("name", pretrained_names())
def test_the_name_of_a_network_that_comes_with_the_library_is_not_asked_of_the_hub(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ValueError, match=rf"Write `pretrained\('{name}'\)`"):
        Stylizer.from_pretrained(name)


def test_half_takes_half_the_bytes(tmp_path):
    AnyStyleNetwork(width=4).save_pretrained(tmp_path / "whole")
    AnyStyleNetwork(width=4).save_pretrained(tmp_path / "half", half=True)
    sizes = [(tmp_path / name / "network.safetensors").stat().st_size for name in ("whole", "half")]
    assert sizes[1] < 0.6 * sizes[0]


def test_a_network_of_another_class_is_refused(tmp_path):
    network().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="with a TransformNetwork"):
        AnyStyleNetwork.from_pretrained(tmp_path)


def test_a_folder_without_a_network_is_refused_by_name(tmp_path):
    with pytest.raises(OSError, match=r"network\.safetensors"):
        Stylizer.from_pretrained(tmp_path)


def test_what_is_neither_folder_nor_repository_is_refused(monkeypatch):
    monkeypatch.setenv("PYSTYLE_OFFLINE", "1")
    for name in ("no/such/folder", "nobody/has-this"):
        with pytest.raises(OSError, match=f"`name` must be a folder with a network, or a .* got '{name}'"):
            Stylizer.from_pretrained(name)


@pytest.mark.parametrize("call", ["from_pretrained", "push_to_hub"])
def test_a_missing_package_is_named_with_its_extra(monkeypatch, call):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=rf"`{call}` needs .* `pip install \"pystyle-nst\[hub\]\"`"):
        getattr(network(), call)("owner/name")


class Hub(BaseHTTPRequestHandler):
    """What the hub answers to an upload and a download of small files."""

    files: ClassVar[dict[str, bytes]] = {}
    tokens: ClassVar[set[str]] = set()
    COMMIT = "0" * 40

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.tokens.add(self.headers.get("Authorization", ""))
        if self.path.endswith("/repos/create"):
            return self.answer({"url": f"http://{self.headers['Host']}/owner/name", "name": "owner/name"})
        if "/preupload/" in self.path:
            ways = {"uploadMode": "regular", "shouldIgnore": False}
            return self.answer({"files": [{"path": f["path"], **ways} for f in json.loads(body)["files"]]})
        if "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            url = f"http://{self.headers['Host']}/owner/name/commit/{self.COMMIT}"
            return self.answer({"commitUrl": url, "commitOid": self.COMMIT, "success": True})
        return self.answer({"errors": [], "warnings": []})

    def do_HEAD(self) -> None:
        self.send(self.path.split("/resolve/main/")[-1], body=False)

    def do_GET(self) -> None:
        self.send(self.path.split("/")[-1], body=True)

    def send(self, name: str, *, body: bool) -> None:
        data = self.files.get(name)
        if data is None or not self.path.startswith("/owner/name/"):
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("X-Repo-Commit", self.COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def answer(self, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        del arguments


PROGRAM = """
import json, os, torch
from pystyle.networks import Stylizer, TransformNetwork
torch.manual_seed(0)
made = TransformNetwork(width=2, styles=["waves", "wheat"]).eval()
address = made.push_to_hub("owner/name", token="hf_abc")
photo = torch.rand(1, 3, 24, 20)
again = Stylizer.from_pretrained("owner/name")
same = torch.equal(again.bind("wheat")(photo), made.bind("wheat")(photo))
os.environ["PYSTYLE_OFFLINE"] = "1"
kept = Stylizer.from_pretrained("owner/name").styles
del os.environ["PYSTYLE_OFFLINE"]
try:
    Stylizer.from_pretrained("owner/another")
except OSError as error:
    message = str(error)
print(json.dumps([address, same, kept, message]))
"""


@pytest.mark.slow
def test_a_network_goes_to_the_hub_and_comes_back(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    environment = {
        **os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1",
    }  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=200
        )
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 0, done.stderr
    address, same, kept, message = json.loads(done.stdout.splitlines()[-1])
    assert address.startswith(f"{endpoint}/owner/name/commit/")
    assert same
    assert kept == ["waves", "wheat"]
    assert "got 'owner/another': " in message
    assert sorted(Hub.files) == ["README.md", "network.safetensors"]
    assert "Stylizer.from_pretrained('owner/name')" in Hub.files["README.md"].decode()
    assert "Bearer hf_abc" in Hub.tokens
