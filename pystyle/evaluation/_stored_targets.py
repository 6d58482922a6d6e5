"""Targets in files: what is computed of the references that are the same in many runs, computed once.

The files have the format of checkpoints, with their checksum. Beside tensors they name types, of which only
named tuples of modules that are imported already are made: nothing in a file can run.
"""

import hashlib
import json
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from pystyle._arguments import path_of
from pystyle._locks import locked_file
from pystyle.checkpoints import CheckpointError, decode, describe, encode, environment
from pystyle.criterion import Criterion, Objective, Targets
from pystyle.criterion._blend import first_image
from pystyle.criterion._objective import Target
from pystyle.criterion._targets import lies_there
from pystyle.evaluation._evaluation import Evaluation, Evaluator
from pystyle.images._atomic import check_writable, replace_file
from pystyle.typing import References

_LOG = logging.getLogger("pystyle")


@dataclass(frozen=True)
class StoredTargets:
    """An evaluation whose styles are represented once, for all runs and processes that share a folder.

    All references are stored but ``"content"``, those that are compared position by position, those of which
    a loss makes its targets together with others, and those of losses that draw anew at each evaluation.
    A file is found again by the hashes of the encoder's weights, the losses, the images and the evaluation,
    the versions and the number of threads, so that a run with it has the same bytes as one without. One that
    is damaged is replaced.

    Args:
        evaluation: What is evaluated how.
        folder: The folder of the files; it is made if there is none.

    Example:
        >>> import tempfile, torch
        >>> from pystyle import Criterion, GramLoss
        >>> from pystyle.encoders import vgg19
        >>> from pystyle.evaluation import EagerEvaluation
        >>> criterion = Criterion(vgg19(weights=None), {"style": GramLoss("relu1_1")})
        >>> evaluation = StoredTargets(EagerEvaluation(), tempfile.mkdtemp())
        >>> painting, image = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)
        >>> computed, stored = (evaluation.bind(criterion, {"style": painting}) for _ in range(2))
        >>> bool(stored.terms(image).total == computed.terms(image).total)
        True
    """

    evaluation: Evaluation
    folder: str | os.PathLike[str]

    def __post_init__(self) -> None:
        # The program may go to another folder meanwhile.
        object.__setattr__(self, "folder", path_of(self.folder).absolute())

    @torch.inference_mode(False)
    def bind(self, criterion: Criterion, references: References) -> Evaluator:
        """Represent the references, or read what others made of them."""
        names = _storable(criterion, references)
        if not names:
            return self.evaluation.bind(criterion, references)
        try:
            description = self._description(criterion, {name: references[name] for name in names})
        except TypeError as error:  # Of what can be told from nothing else.
            _LOG.warning("The targets cannot be stored, and every run computes them. %s", error)
            return self.evaluation.bind(criterion, references)
        device = first_image(references[names[0]]).device
        path = Path(self.folder) / f"targets-{_sha256(description)}.safetensors"
        found = _read(path, device)
        if found is None and not _has_folder(path):
            return self.evaluation.bind(criterion, references)
        if found is None:
            # One computes them; who waits finds the file.
            with locked_file(path.with_suffix(".lock"), wait=True):
                found = _read(path, device)
                if found is None:
                    evaluator = self.evaluation.bind(criterion, references)
                    _write(path, evaluator, names, description)
                    return evaluator
        # An evaluation hands its references to the criterion, which takes targets as well.
        return self.evaluation.bind(criterion, cast(References, {**references, **found}))

    def _description(self, criterion: Criterion, references: References) -> dict[str, str]:
        losses = {
            name: loss
            for name, loss in criterion.named_losses.items()
            if any(reference in references for reference in loss.references)
        }
        image = first_image(next(iter(references.values())))
        return {
            **describe(
                {
                    "encoder": criterion.encoder,
                    "losses": losses,
                    "references": references,
                    "evaluation": self.evaluation,
                }
            ),
            **environment(),
            "device": str(image.device),
        }


def without_store(evaluation: Any) -> Any:
    """What `StoredTargets` evaluate; anything else as it is."""
    while isinstance(evaluation, StoredTargets):
        evaluation = evaluation.evaluation
    return evaluation


def _storable(criterion: Criterion, references: References) -> list[str]:
    """The references that are the same whatever the content is, and whose targets are the same each time."""
    changing = {"content"}
    for loss in criterion.named_losses.values():
        changing.update(name for name in loss.references if lies_there(loss, name))
        # What is made of several references changes with each of them.
        if loss.generators() or len(loss.references) > 1:
            changing.update(loss.references)
    return [name for name in criterion.references if name in references and name not in changing]


def _read(path: Path, device: torch.device) -> dict[str, Targets] | None:
    try:
        state = decode(path.read_bytes())
        return {name: _targets(entries, device) for name, entries in state["references"].items()}
    except FileNotFoundError:
        return None
    except (CheckpointError, OSError, KeyError, ValueError, TypeError) as error:
        _LOG.warning("The stored targets '%s' cannot be read and are computed again. %s", path, error)
        return None


def _has_folder(path: Path) -> bool:
    """Whether a file can be written here, in a folder that is made if need be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        check_writable(path, kind="file")
    except OSError as error:
        _LOG.warning("The targets cannot be stored, and every run computes them: %s", error)
        return False
    return True


def _write(path: Path, evaluator: Evaluator, names: list[str], description: Mapping[str, str]) -> None:
    inner: Any = evaluator
    while not isinstance(getattr(inner, "objective", None), Objective):
        if not hasattr(inner, "evaluator"):
            return  # An evaluator that does not show what it evaluates.
        inner = inner.evaluator
    references = {name: _entries(Targets.of(inner.objective, name)) for name in names}
    try:
        data = encode({"description": description, "references": references})
        replace_file(path, [bytes(piece) for piece in data], kind="file")
    except (TypeError, OSError) as error:
        _LOG.warning("The targets could not be stored, and every run computes them: %s", error)


def _entries(targets: Targets) -> list[Any]:
    return [
        [name, layer, [_packed_target(target) for target in found]]
        for (name, layer), found in targets.targets.items()
    ]


def _packed_target(target: Target) -> list[Any]:
    return [
        _packed(target.value),
        target.weight,
        _packed(target.magnitude),
        target.image,
        _packed(target.origin),
    ]


def _targets(entries: list[Any], device: torch.device) -> Targets:
    def target(value: Any, weight: float, magnitude: Any, image: int | None, origin: Any) -> Target:
        return Target(
            _unpacked(value, device),
            weight,
            _unpacked(magnitude, device),
            image=image,
            origin=_unpacked(origin, device),
        )

    return Targets({(name, layer): tuple(target(*one) for one in found) for name, layer, found in entries})


def _packed(value: Any) -> Any:
    """A representation with its types and the layout of its tensors, on which the last bits may depend."""
    if isinstance(value, Tensor):
        dense = value.is_contiguous() or 0 in value.stride()
        return {"tensor": value, "stride": None if dense else list(value.stride())}
    if isinstance(value, tuple):
        kind = type(value)
        named = f"{kind.__module__}:{kind.__qualname__}" if hasattr(kind, "_fields") else None
        return {"tuple": [_packed(item) for item in value], "type": named}
    return value


def _unpacked(value: Any, device: torch.device) -> Any:
    if not isinstance(value, dict):
        return value
    if "tuple" in value:
        items = [_unpacked(item, device) for item in value["tuple"]]
        return tuple(items) if value["type"] is None else _named_tuple(value["type"])(*items)
    tensor = value["tensor"].to(device)
    if value["stride"] is None:
        return tensor
    return torch.empty_strided(tensor.shape, value["stride"], dtype=tensor.dtype, device=device).copy_(tensor)


def _named_tuple(name: str) -> Any:
    module, _, path = name.partition(":")
    kind: Any = sys.modules.get(module)
    for part in path.split("."):
        kind = getattr(kind, part, None)
    if not (isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")):
        raise ValueError(f"{name} is no named tuple that is known here.")
    return kind


def _sha256(description: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:32]
