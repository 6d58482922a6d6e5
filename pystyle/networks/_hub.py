"""Networks in folders and on the hub of Hugging Face."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, Self

from pystyle._arguments import path_of
from pystyle.encoders._weights._download import is_offline
from pystyle.images._atomic import replace_file
from pystyle.networks._file import class_of_the_library, public_module
from pystyle.networks._licences import licence_lines

_FILE = "network.safetensors"
_CARD = "README.md"


class HubMixin(ABC):
    """A network in a folder and on the hub of Hugging Face: as ``from_pretrained`` and its kin elsewhere.

    A folder, as a repository of the hub, has two files: the network as its method ``save`` writes it, and a
    page about it, which says what its card says. Nothing in them can run. What needs the hub needs the extra
    ``hub``.

    Example:
        >>> import tempfile
        >>> from pystyle.networks import AnyStyleNetwork
        >>> folder = tempfile.mkdtemp()
        >>> AnyStyleNetwork(width=2).save_pretrained(folder)
        >>> AnyStyleNetwork.from_pretrained(folder).width
        2

    References:
        The names are those of ``ModelHubMixin`` of `huggingface_hub`, which writes a configuration and
        weights into files of their own; here both are in one.
    """

    card: dict[str, Any]

    @abstractmethod
    def save(self, path: str | os.PathLike[str], *, half: bool = False, card: Mapping[str, Any] = {}) -> None:
        """Write the network to one file."""

    @classmethod
    @abstractmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The network of a file."""

    def save_pretrained(self, folder: str | os.PathLike[str], *, half: bool = False) -> None:
        """Write the network and a page about it into a folder, which is made if there is none.

        Args:
            folder: The folder.
            half: Store the weights in half the bytes (float16).

        Raises:
            OSError: If it cannot be written.
        """
        _write(self, path_of(folder), half=half, name=os.fspath(folder))

    @classmethod
    def from_pretrained(
        cls, name: str | os.PathLike[str], *, revision: str | None = None, token: str | None = None
    ) -> Self:
        """The network in a folder, or in a repository of the hub, which is downloaded once.

        Args:
            name: The folder, or the repository: ``"owner/name"``. A folder comes first.
            revision: Of the repository: a branch, a tag or a commit; by default the newest on ``main``.
            token: For a repository that is not public; by default the one that `huggingface_hub` keeps.

        Raises:
            ImportError: If it is not a folder, and `huggingface_hub` is not installed.
            OSError: If the hub has none, or cannot be reached. With ``PYSTYLE_OFFLINE=1`` only what was
                downloaded before is found.
            ValueError: If the file holds no network, or one of another class; or the name is that of a
                network that comes with this version.
        """
        # It is built on this class.
        from pystyle.networks._pretrained import pretrained_names

        folder = path_of(name)
        if folder.is_dir():
            return cls.load(folder / _FILE)
        if name in pretrained_names():
            raise ValueError(
                f"`name` must be a folder or a repository of the hub, got {name!r}, which comes with this "
                f"version. Write `pretrained({name!r})`."
            )
        hub = _hub("from_pretrained")
        try:
            path = hub.hf_hub_download(
                os.fspath(name), _FILE, revision=revision, token=token, local_files_only=is_offline()
            )
        except (OSError, ValueError) as error:
            raise OSError(
                f"`name` must be a folder with a network, or a repository of the hub that has one, got "
                f"'{os.fspath(name)}': {error}"
            ) from error
        return cls.load(path)

    def push_to_hub(
        self, name: str, *, half: bool = False, private: bool = False, token: str | None = None
    ) -> str:
        """Upload the network and a page about it to a repository of the hub, which is made if there is none.

        Args:
            name: The repository: ``"owner/name"``.
            half: Store the weights in half the bytes (float16).
            private: Whether a new repository is one that others cannot see.
            token: That of your account; by default the one that `huggingface_hub` keeps.

        Returns:
            The address of what was uploaded.

        Raises:
            ImportError: If `huggingface_hub` is not installed.
            OSError: If the hub cannot be reached, or refuses.
        """
        api = _hub("push_to_hub").HfApi(token=token)
        with TemporaryDirectory() as folder:
            _write(self, Path(folder), half=half, name=name)
            api.create_repo(name, private=private, exist_ok=True)
            message = f"A {type(self).__name__} of pystyle"
            commit = api.upload_folder(repo_id=name, folder_path=folder, commit_message=message)
        return str(commit.commit_url)


def _write(network: HubMixin, folder: Path, *, half: bool, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    network.save(folder / _FILE, half=half)
    text = page(type(network), network.card, name=name)
    replace_file(folder / _CARD, text.encode(), kind="page")


def page(kind: type, card: Mapping[str, Any], *, name: str) -> str:
    """The page about a network of a class, with what its card says.

    Args:
        kind: The class.
        card: The card.
        name: What `from_pretrained` takes.
    """
    head = ["---", "library_name: pystyle", "pipeline_tag: image-to-image", "tags: [style-transfer]"]
    head += licence_lines(str(card.get("licence", "")))
    rows = [f"| {name} | {_cell(value)} |" for name, value in card.items()]
    table = ["", "| | |", "|---|---|", *rows] if rows else []
    return "\n".join(
        [
            *head,
            "---",
            "",
            f"# A {kind.__name__} of pystyle",
            "",
            "A network that paints photographs in one pass. After "
            '`pip install "pystyle-nst[hub]"` it is loaded so:',
            "",
            "```python",
            *_loading(kind, name),
            "```",
            *table,
            "",
        ]
    )


def _loading(kind: type, name: str) -> list[str]:
    """The lines of a program that loads it: a class that is not of this library by its own name."""
    module, own = public_module(kind), kind.__name__
    if class_of_the_library(module, own) is kind:
        return ["from pystyle.networks import Stylizer", "", f"network = Stylizer.from_pretrained({name!r})"]
    line = f"from {module} import {own}"
    if module in ("", "__main__"):
        # A script has another name where it is imported from.
        line = f"# Import {own} from the program that defines it."
    return [line, "", f"network = {own}.from_pretrained({name!r})"]


def _cell(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text.replace("|", r"\|").replace("\n", " ")


def _hub(method: str) -> ModuleType:
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            f'`{method}` needs the package huggingface_hub. Install it with `pip install "pystyle-nst[hub]"`.'
        ) from error
    return huggingface_hub
