"""How a loss describes itself in a line."""

from typing import TYPE_CHECKING

from pystyle.losses._arguments import weights_by_layer

if TYPE_CHECKING:
    from pystyle.losses._loss import Loss


def arguments_of(loss: "Loss") -> str:
    """The layers, and the other arguments that are not the default."""
    parts = [repr(loss.layers[0]) if len(loss.layers) == 1 else repr(list(loss.layers))]
    if loss.weight != 1:
        parts.append(f"weight={loss.weight:g}")
    if loss.layer_weights != weights_by_layer(loss.layers, None):
        parts.append(f"layer_weights={list(loss.layer_weights.values())}")
    if loss.relative:
        parts.append("relative=True")
    if loss.reference != type(loss).reference:
        parts.append(f"reference={loss.reference!r}")
    return ", ".join(parts)


def region_of(loss: "Loss") -> str:
    """The call that confined it to its region; nothing if there is none."""
    if loss.region is None:
        return ""
    propagation = "" if loss.propagation == "simple" else f", propagation={loss.propagation!r}"
    dilation = "" if loss.dilation == 0 else f", dilation={loss.dilation}"
    return f".within({loss.region!r}{propagation}{dilation})"
