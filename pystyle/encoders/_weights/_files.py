"""Reading a file of weights without ever executing what it holds."""

import os
import pickle
import re
import warnings
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor

from pystyle._arguments import path_of
from pystyle.encoders._weights._error import WeightsError

_TORCH_SUFFIXES = (".pth", ".pt", ".bin")
_SAFETENSORS_SUFFIX = ".safetensors"


def load_weights_file(path: str | PathLike[str]) -> dict[str, Tensor]:
    """The tensors of a weights file by name, on the CPU.

    Files of `torch.save` (``.pth``, ``.pt``, ``.bin``) are read with ``weights_only=True``, so a file that
    asks for code to be run is refused. ``.safetensors`` needs the extra ``safetensors``.

    Args:
        path: The file. A state dict below the key ``"state_dict"``, as training checkpoints have it, is
            unwrapped.

    Returns:
        The tensors under the keys of the file, none of which requires a gradient.

    Raises:
        WeightsError: If the file is missing, damaged, unsafe or no mapping of names to tensors.
        ImportError: If the file is a ``.safetensors`` and the package safetensors is missing.

    Example:
        >>> import tempfile, torch
        >>> from pathlib import Path
        >>> from pystyle.encoders._weights import load_weights_file
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = Path(directory) / "weights.pth"
        ...     torch.save({"conv1_1.bias": torch.ones(2)}, path)
        ...     load_weights_file(path)
        {'conv1_1.bias': tensor([1., 1.])}

    Note:
        Neither format protects its payload: a changed weight within an intact file is found by the SHA-256
        only, which `download_weights` checks.
    """
    path = path_of(path)
    if not os.path.isfile(path):
        raise WeightsError(
            f"The weights file `{path}` is missing or no file. Check the path, or download the file."
        )
    suffix = path.suffix.lower()
    if suffix == _SAFETENSORS_SUFFIX:
        _check_start(path, is_safetensors=True)
        return _tensors_of(_read_safetensors(path), path)
    if suffix in _TORCH_SUFFIXES:
        _check_start(path, is_safetensors=False)
        return _tensors_of(_read_torch(path), path)
    known = ", ".join((*_TORCH_SUFFIXES, _SAFETENSORS_SUFFIX))
    raise WeightsError(f"The weights file `{path}` must end in one of {known}, got {path.suffix!r}.")


def _check_start(path: Path, *, is_safetensors: bool) -> None:
    """Tell a file that may not be read, or is of another format, from one that is damaged."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise WeightsError(
            f"The weights file `{path}` cannot be read: {error.strerror}. Change its permissions, or name "
            "another one."
        ) from error
    # The header of JSON after its length; an archive or a pickle, which torch wrote until 2020.
    known = start[8:9] in (b"{", b"") if is_safetensors else start[:1] in (b"P", b"\x80", b"")
    if not known:
        raise WeightsError(
            f"The weights file `{path}` has not the format of its name: it begins with {start!r}. Download "
            "the file itself, not a page about it, or give it the name of its format."
        )


def _read_torch(path: Path) -> object:
    try:
        # The warnings concern the age of the format. As errors they would pass for damage.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded: object = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # Unchained: torch advises to load with weights_only=False, which must not reach the user.
        raise _refusal(path, error) from None
    except Exception as error:
        if "TorchScript" in str(error):
            raise WeightsError(
                f"The weights file `{path}` is a TorchScript archive, which holds a program. Save its "
                "tensors alone: `torch.save(torch.jit.load(path).state_dict(), other_path)`."
            ) from None
        # A damaged pickle can raise nearly anything: EOFError, RuntimeError, ValueError, KeyError, ...
        raise _damage(path, error) from error
    return loaded


def _read_safetensors(path: Path) -> object:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ImportError(
            f"The weights file `{path}` needs the package safetensors. "
            'Install it with `pip install "pystyle-nst[safetensors]"`.'
        ) from error
    try:
        loaded: object = load_file(path, device="cpu")
    except Exception as error:
        raise _damage(path, error) from error
    return loaded


def _tensors_of(loaded: object, path: Path) -> dict[str, Tensor]:
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, Mapping):
        raise WeightsError(
            f"The weights file `{path}` must map names to tensors, got {type(loaded).__name__}. "
            "Save it with `torch.save(model.state_dict(), path)`."
        )
    if not loaded:
        raise WeightsError(f"The weights file `{path}` must hold tensors, got an empty mapping.")
    tensors = {}
    for name, value in loaded.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            # Other names are only said to be there: that of a storage has all its values.
            shown = repr(name) if isinstance(name, str | int) else f"a {type(name).__name__}"
            raise WeightsError(
                f"The weights file `{path}` must map names to tensors, "
                f"got {type(value).__name__} for {shown}. "
                "Save it with `torch.save(model.state_dict(), path)`."
            )
        tensors[name] = value.detach()
    return tensors


def _refusal(path: Path, error: pickle.UnpicklingError) -> WeightsError:
    wanted = re.search(r"GLOBAL ([\w.]+)", str(error))
    found = wanted.group(1) if wanted else "instructions that no tensors need"
    return WeightsError(
        f"The weights file `{path}` must hold tensors only, got {found}, which could run code. It was not "
        "loaded: it is unsafe, damaged or no weights file. Get it again from a source that you trust."
    )


def _damage(path: Path, error: Exception) -> WeightsError:
    lines = str(error).strip().splitlines()
    reason = lines[0][:200] if lines else "no reason given"
    return WeightsError(
        f"The weights file `{path}` ({path.stat().st_size} bytes) is damaged or of another format "
        f"({type(error).__name__}: {reason}). Delete it and download it again."
    )
