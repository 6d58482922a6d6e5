"""Every command in the README and the docs can be typed: its options, files and extras exist."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from pystyle.cli._keyframes import read_keyframes
from pystyle.cli._parser import parse

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "benchmarks/README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands():
    """Each command of a console block: the page and its words, without what it is piped from and into."""
    for path in PAGES:
        for block in re.findall(r"^```console\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S):
            for line in block.replace("\\\n", " ").splitlines():
                for part in re.split(r"&&|\|", line.removeprefix("$ ").partition(" > ")[0]):
                    words = shlex.split(part, comments=True)
                    if words:
                        yield path.relative_to(ROOT).as_posix(), words


def arguments_of(words):
    """What pystyle is given, or None if this is another command."""
    if words[:1] == ["pystyle"]:
        return words[1:]
    for index, word in enumerate(words):
        if words[index : index + 2] == ["-m", "pystyle"] and word:
            return words[index + 2 :]
    return None


COMMANDS = list(commands())


def test_there_are_commands_of_each_kind():
    assert len([words for _, words in COMMANDS if arguments_of(words) is not None]) >= 15
    assert len([words for _, words in COMMANDS if words[:1] == ["python"]]) >= 10


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=[" ".join(words) for _, words in COMMANDS])
def test_every_command_can_be_typed(page, words, tmp_path, monkeypatch):
    arguments = arguments_of(words)
    if arguments is not None:
        monkeypatch.chdir(tmp_path)
        Path("run.toml").write_text('content = "a.jpg"\nstyle = ["b.jpg"]\noutput = "c.png"\n')
        assert parse(arguments).command is not None
    elif words[1:3] == ["-m", "pip"] or words[0] == "pip":
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        for extra in re.findall(r"\[([\w,]+)\]", " ".join(words)):
            assert set(extra.split(",")) <= set(extras), page
    elif words[0] == "python" and words[1].endswith(".py"):
        program = (ROOT / words[1]).read_text(encoding="utf-8")
        for option in (word for word in words[2:] if word.startswith("--")):
            assert f'"{option}"' in program, f"{words[1]} has no option {option}."
    else:
        assert words[:3] == ["python", "-m", "pytest"] or words[0] in ("sphinx-build", "cat"), words


def test_every_option_in_a_config_of_the_docs_exists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    configs = [
        config
        for path in PAGES
        for config in re.findall(r"^```toml\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
    ]
    assert configs
    for config in configs:
        Path("run.toml").write_text(config, encoding="utf-8")
        if "[[keyframe]]" in config:
            assert read_keyframes(Path("run.toml")).end > 0
        else:
            assert parse(["stylize", "--config", "run.toml"]).command is not None


def test_the_readme_names_both_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert 'python -m pip install -e ".[demo]" && python -m pystyle demo' in text
    assert 'python -m pip install -e ".[test]" && python -m pytest' in text
