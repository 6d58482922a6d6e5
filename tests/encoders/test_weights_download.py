import errno
import fcntl
import os
import socket
import stat
import urllib.request
from http.client import HTTPConnection

import pytest

from pystyle.encoders._weights import WeightsError, download_weights


def fetch(server, path, directory, **changes):
    options = {"file_name": "tiny.pth", "sha256": server.sha256, "directory": directory, "timeout": 10.0}
    return download_weights(server.url(path), **(options | changes))


@pytest.mark.parametrize("path", ["right", "right_of_unknown_length", "to_right"])
@pytest.mark.parametrize("digits", [8, 64])
def test_a_right_file_is_downloaded_once_and_leaves_nothing_else(weights_server, tmp_path, path, digits):
    directory = tmp_path / "not" / "yet"
    for _ in range(2):
        target = fetch(weights_server, path, directory, sha256=weights_server.sha256[:digits].upper())
        assert target == directory / "tiny.pth"
        assert target.read_bytes() == weights_server.content
    assert os.listdir(directory) == ["tiny.pth"]
    assert weights_server.hits.count(path) == 1


def test_a_downloaded_file_has_the_permissions_of_the_umask(weights_server, tmp_path):
    previous = os.umask(0o027)
    try:
        target = fetch(weights_server, "right", tmp_path)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("closes_early", "16384 bytes, the connection ended after 8192"),
        ("closes_early_of_unknown_length", "must have the SHA-256"),
        ("announces_less", "must have the SHA-256"),
        ("announces_nonsense", "many"),
        ("flipped", "must have the SHA-256"),
        ("longer", "must have the SHA-256"),
        ("to_flipped", "must have the SHA-256"),
        ("to_ftp", "a redirect to 'ftp://127.0.0.1/right' was refused"),
        ("missing", "404"),
        ("broken", "500"),
        ("no_http", "BadStatusLine"),
        ("hangs", "timed out"),
        ("hangs_at_half", "timed out"),
    ],
)
def test_a_failed_download_says_how_to_help_and_leaves_nothing(weights_server, tmp_path, path, reason):
    with pytest.raises(WeightsError) as caught:
        fetch(weights_server, path, tmp_path, timeout=0.2 if path.startswith("hangs") else 10.0)
    message = str(caught.value)
    assert reason in message
    for needed in (
        weights_server.url(path),
        str(tmp_path / "tiny.pth"),
        weights_server.sha256,
        "TORCH_HOME",
        "XDG_CACHE_HOME",
        "weights=<path>",
    ):
        assert needed in message
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("closes_early_of_unknown_length", "the connection ended after 8192"),
        ("longer", "the server sent more"),
    ],
)
def test_a_known_size_is_compared_where_the_server_announces_none(weights_server, tmp_path, path, reason):
    with pytest.raises(WeightsError, match=f"must have 16384 bytes, {reason}"):
        fetch(weights_server, path, tmp_path, size=len(weights_server.content))
    assert os.listdir(tmp_path) == []


def test_an_announced_length_that_is_not_the_known_size_is_refused(weights_server, tmp_path):
    with pytest.raises(WeightsError, match="must have 16383 bytes, the server announced 16384"):
        fetch(weights_server, "right", tmp_path, size=16383)


def test_a_redirect_from_https_to_http_is_refused(weights_server, tmp_path, monkeypatch):
    # The server of the tests has no certificate: https is spoken without encryption here.
    def open_without_tls(handler, request):
        return handler.do_open(HTTPConnection, request)

    monkeypatch.setattr(urllib.request.HTTPSHandler, "https_open", open_without_tls)
    options = {"file_name": "tiny.pth", "sha256": weights_server.sha256, "directory": tmp_path}
    with pytest.raises(WeightsError, match=r"a redirect to 'http://.*/right' was refused"):
        download_weights(weights_server.url("to_plain_http", "https"), **options)
    assert weights_server.hits == ["to_plain_http"]
    assert download_weights(weights_server.url("to_right", "https"), **options).is_file()


def test_without_a_network_the_error_names_the_address_and_the_place(tmp_path, monkeypatch):
    def no_name(*_args, **_options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    with pytest.raises(WeightsError, match=r"https://example\.org/a\.pth.*Name or service not known.*a\.pth"):
        download_weights("https://example.org/a.pth", file_name="a.pth", sha256="0" * 64, directory=tmp_path)


def test_offline_mode_never_uses_the_network(weights_server, tmp_path, monkeypatch):
    monkeypatch.setenv("PYSTYLE_OFFLINE", "1")
    with pytest.raises(WeightsError, match="PYSTYLE_OFFLINE is set"):
        fetch(weights_server, "right", tmp_path / "new")
    assert weights_server.hits == []
    assert os.listdir(tmp_path) == []
    monkeypatch.setenv("PYSTYLE_OFFLINE", "0")
    assert fetch(weights_server, "right", tmp_path).is_file()


def test_a_full_disk_gives_a_named_error_and_leaves_nothing(weights_server, tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WeightsError, match=r"cannot be written to .*No space left.*TORCH_HOME"):
        fetch(weights_server, "right", tmp_path)
    assert os.listdir(tmp_path) == []


def test_an_interrupted_download_leaves_nothing(weights_server, tmp_path, monkeypatch):
    def interrupt(_descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(weights_server, "right", tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_file_system_without_locks_still_gives_the_right_file(weights_server, tmp_path, monkeypatch):
    def no_locks(_descriptor, _operation):
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / ".tiny.pth.0123456789abcdef.part").write_bytes(b"of a process that may be alive")
    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert fetch(weights_server, "right", tmp_path).read_bytes() == weights_server.content
    assert (tmp_path / ".tiny.pth.0123456789abcdef.part").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"url": "file:///etc/passwd"},
            "`url` must start with https:// or http://, got 'file:///etc/passwd'",
        ),
        ({"file_name": "../a.pth"}, "`file_name` must be a name without directories"),
        ({"file_name": ".."}, "`file_name` must be a name without directories"),
        ({"file_name": ""}, "`file_name` must be a name without directories"),
        ({"sha256": "c0ffee"}, "`sha256` must be 64 hexadecimal digits, or their first 8 or more"),
        ({"sha256": "x" * 64}, "`sha256` must be 64 hexadecimal digits"),
        ({"sha256": "0" * 65}, "`sha256` must be 64 hexadecimal digits"),
    ],
)
def test_a_malformed_argument_is_named(tmp_path, changes, message):
    options = {"url": "https://example.org/a.pth", "file_name": "a.pth", "sha256": "0" * 64}
    with pytest.raises(ValueError, match=message):
        download_weights(**(options | {"directory": tmp_path} | changes))
