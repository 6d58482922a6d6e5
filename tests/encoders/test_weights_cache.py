import hashlib
import os
import pwd
from pathlib import Path

import pytest
import torch

from pystyle.encoders._weights import WeightsError, download_weights, load_weights_file

# Nothing listens there: a test that comes to the network fails at once.
NOWHERE = "http://127.0.0.1:9/net.pth"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    for name in ("TORCH_HOME", "XDG_CACHE_HOME", "PYSTYLE_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


def place_network(directory: Path) -> tuple[Path, str]:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "net.pth"
    torch.save({"features.0.bias": torch.arange(3.0)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return path.rename(directory / f"net-{digest[:8]}.pth"), digest


@pytest.mark.parametrize(
    ("environment", "cache"),
    [
        ({"TORCH_HOME": "torch_home", "XDG_CACHE_HOME": "xdg"}, "torch_home/hub/checkpoints"),
        ({"XDG_CACHE_HOME": "xdg"}, "xdg/torch/hub/checkpoints"),
        ({"TORCH_HOME": "", "XDG_CACHE_HOME": ""}, "home/.cache/torch/hub/checkpoints"),
        ({"TORCH_HOME": "~/models"}, "home/models/hub/checkpoints"),
    ],
)
def test_a_file_of_torch_hub_is_found_without_network(tmp_path, monkeypatch, environment, cache):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in environment.items():
        monkeypatch.setenv(name, str(tmp_path / value) if value and value[0] != "~" else value)
    path, digest = place_network(tmp_path / cache)
    if all(environment.values()):
        assert Path(torch.hub.get_dir(), "checkpoints") == path.parent
    found = download_weights(NOWHERE, file_name=path.name, sha256=digest[:8])
    assert found == path
    assert load_weights_file(found)["features.0.bias"].tolist() == [0.0, 1.0, 2.0]


def test_a_ready_file_in_a_read_only_directory_is_used_without_writing(tmp_path):
    path, digest = place_network(tmp_path)
    tmp_path.chmod(0o555)
    before = tmp_path.stat().st_mtime_ns
    assert download_weights(NOWHERE, file_name=path.name, sha256=digest, directory=tmp_path) == path
    assert tmp_path.stat().st_mtime_ns == before
    tmp_path.chmod(0o755)


def test_an_edited_file_in_the_cache_is_refused_and_left_untouched(weights_server, tmp_path):
    path = tmp_path / "tiny.pth"
    options = {"file_name": path.name, "sha256": weights_server.sha256, "directory": tmp_path}
    download_weights(weights_server.url("right"), **options)
    edited = weights_server.content[:-1] + b"!"
    path.write_bytes(edited)
    found = hashlib.sha256(edited).hexdigest()
    with pytest.raises(WeightsError, match=f"{weights_server.sha256}, got {found} .*Delete it"):
        download_weights(weights_server.url("right"), **options)
    assert path.read_bytes() == edited
    assert weights_server.hits == ["right"]


def test_a_directory_in_the_place_of_the_file_gives_a_named_error(tmp_path):
    (tmp_path / "net.pth").mkdir()
    with pytest.raises(WeightsError, match="cannot be read"):
        download_weights(NOWHERE, file_name="net.pth", sha256="0" * 64, directory=tmp_path)


def test_a_cache_below_a_regular_file_gives_an_error_with_the_other_places(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no directory")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "file" / "torch"))
    with pytest.raises(
        WeightsError, match=r"cannot be written to .*TORCH_HOME or XDG_CACHE_HOME.*weights=<path>"
    ):
        download_weights(NOWHERE, file_name="net.pth", sha256="0" * 64)
    assert os.listdir(tmp_path) == ["file"]


def test_an_unknown_home_gives_an_error_with_the_other_places(tmp_path, monkeypatch):
    def unknown_user(uid):
        raise KeyError(uid)

    path, digest = place_network(tmp_path)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown_user)
    with pytest.raises(WeightsError, match=r"HOME must be set.*TORCH_HOME or XDG_CACHE_HOME.*weights=<path>"):
        download_weights(NOWHERE, file_name=path.name, sha256=digest)
    assert download_weights(NOWHERE, file_name=path.name, sha256=digest, directory=tmp_path) == path
