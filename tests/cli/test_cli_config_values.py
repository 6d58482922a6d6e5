"""Files of options as editors and people write them."""

import tomllib
from pathlib import Path

import pytest
import torch

from pystyle.cli import main
from pystyle.images import write_image


@pytest.fixture(autouse=True)
def folder(pictures):
    return pictures


def write(text: str, path: str = "run.toml") -> None:
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_config_is_read_whatever_an_editor_put_before_it(calls, encoding):
    mark = {"utf-16-le": "\ufeff", "utf-16-be": "\ufeff"}.get(encoding, "")
    text = f'{mark}content = "content.png"\r\nstyle = "style.png"\r\noutput = "o\u00fct.png"\r\nsize = 99\r\n'
    Path("run.toml").write_bytes(text.encode(encoding))
    assert main(["stylize", "--config", "run.toml", "--quiet"]) == 0
    assert calls[0]["edge_size"] == 99
    assert Path("o\u00fct.png").exists()


def test_a_config_has_paths_and_values_as_people_write_them(calls, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder / "home"))
    (folder / "home").mkdir()
    write_image(torch.ones(1, 3, 40, 60), folder / "home" / "start, with a comma.png")
    write(
        'content = "content.png"\nstyle = "style.png"\noutput = "~/out.png"\nsize = "99px"\n'
        'memory = "4GB"\ninit = "~/start, with a comma.png"\n'
    )
    assert main(["stylize", "--config", "run.toml", "--quiet"]) == 0
    assert calls[0]["edge_size"] == 99
    assert calls[0]["memory_budget"] == 4 * 10**9
    assert float(calls[0]["init"].min()) == 1
    assert (folder / "home" / "out.png").exists()


def test_the_original_size_is_kept_in_a_config(calls):
    options = ["-o", "out.png", "--size", "original", "--save-config", "run.toml", "--quiet"]
    assert main(["stylize", "content.png", "style.png", *options]) == 0
    assert tomllib.loads(Path("run.toml").read_text())["size"] == "original"
    assert main(["stylize", "--config", "run.toml", "-o", "again.png", "--quiet"]) == 0
    assert [call["edge_size"] for call in calls] == ["original", "original"]


def test_two_numbers_of_steps_come_back_from_a_config():
    from pystyle.cli import _video
    from pystyle.cli._config import config_text
    from pystyle.cli._parser import parse

    options = parse(["video", "clip.mkv", "style.png", "-o", "out.mkv", "--optimise", "--steps", "50,20"])
    write(config_text(options, Path(), _video.CONFIG_KEYS))
    assert tomllib.loads(Path("run.toml").read_text())["steps"] == [50, 20]
    assert parse(["video", "--config", "run.toml"]).steps == (50, 20)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_key_frames_are_read_whatever_an_editor_put_before_them(encoding):
    from pystyle.cli._keyframes import read_keyframes

    Path("keys.toml").write_bytes("[[keyframe]]\r\ntime = 2\r\nstrength = 1\r\n".encode(encoding))
    assert read_keyframes(Path("keys.toml")).end == 2


@pytest.mark.parametrize(
    ("command", "original"),
    [
        ("stylize", "CONTENT"),
        ("paint", "CONTENT"),
        ("demo", "the photograph"),
        ("video", "CLIP"),
        ("live", "the source"),
    ],
)
def test_help_names_what_has_the_original_size(capsys, command, original):
    assert main([command, "--help"]) == 0
    assert f"or original: that of {original} (default" in " ".join(capsys.readouterr().out.split())
