"""From the keys of published state dicts to the layer names of the literature."""

from collections.abc import Mapping

from torch import Tensor

from pystyle.encoders._weights._error import WeightsError

_CLASSIFIER_NAMES = frozenset(("classifier", "fc6", "fc7", "fc8"))


def to_layer_names(
    state_dict: Mapping[str, Tensor], architecture_layers: Mapping[int, str]
) -> dict[str, Tensor]:
    """The state dict with keys of the form ``layer.parameter``, such as ``conv1_1.weight``.

    Known are the keys of torchvision (``features.0.weight``), of its ``features`` alone (``0.weight``), of
    models wrapped for several devices (``module.features.0.weight``), and the names of the literature
    themselves. The classifier and ``num_batches_tracked``, which no encoder uses, are left out. Keys that
    the architecture does not have are kept as they are, for ``load_state_dict`` to name.

    Args:
        state_dict: Tensors under the keys of some publication.
        architecture_layers: The name of the layer at each index of torchvision's ``features``.

    Returns:
        The same tensors under their new keys.

    Raises:
        WeightsError: If no key is of a known form, or if two keys mean the same parameter.

    Example:
        >>> import torch
        >>> from pystyle.encoders._weights import to_layer_names
        >>> to_layer_names({"features.0.bias": torch.ones(2)}, {0: "conv1_1"})
        {'conv1_1.bias': tensor([1., 1.])}
    """
    layers = set(architecture_layers.values())
    renamed: dict[str, Tensor] = {}
    for key, tensor in state_dict.items():
        name, dot, parameter = _unwrapped(key).rpartition(".")
        if parameter == "num_batches_tracked" or name.split(".")[0] in _CLASSIFIER_NAMES:
            continue
        new_key = f"{_layer(name, architecture_layers)}{dot}{parameter}"
        if new_key in renamed:
            raise WeightsError(
                f"The state dict must name each parameter once, got {new_key!r} also as {key!r}."
            )
        renamed[new_key] = tensor
    if not any(key.rpartition(".")[0] in layers for key in renamed):
        seen = ", ".join(repr(key) for key in list(state_dict)[:5]) or "none"
        raise WeightsError(
            "The keys of the state dict must be like 'features.0.weight' (torchvision) or "
            f"'{next(iter(architecture_layers.values()), 'conv1_1')}.weight' (literature), got {seen}. "
            "Rename them, or check that the file belongs to this architecture."
        )
    return renamed


def _unwrapped(key: str) -> str:
    # DataParallel may wrap the model or its `features` only, and puts `module` at that place.
    return ".".join(part for part in key.split(".") if part != "module")


def _layer(name: str, architecture_layers: Mapping[int, str]) -> str:
    index = name.removeprefix("features.")
    if index.isdecimal():
        return architecture_layers.get(int(index), name)
    return name
