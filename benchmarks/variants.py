"""The ways to compute a step that the benchmarks compare, and a check that they compute the same.

    python benchmarks/variants.py --edge-size 128

prints for each variant the errors of its loss and its gradient relative to ours, in float32 and evaluated
eagerly. A ratio of times means something only where they are small.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch
from crowson import crowson
from objectives import crowson_criterion, gatys_criterion, iterate, square_pair
from peers import neural_style, pastiche, pystiche
from records import table
from steps import Step
from strategies import EAGER, evaluator
from torch import Tensor
from tutorial import tutorial

from pystyle import Criterion
from pystyle.encoders import HypercolumnEncoder, SequentialEncoder, vgg19
from pystyle.papers import kolkin_2019


class Joined(HypercolumnEncoder):
    """Gives hypercolumns at all positions, whether a loss looks at them or not."""

    def members(self, layer: str) -> tuple[str, ...]:
        """The group itself."""
        return (layer,)


def strotss_joined(encoder: SequentialEncoder) -> Criterion:
    """STROTSS, with hypercolumns at all positions."""
    criterion = kolkin_2019.criterion(encoder)
    groups = criterion.encoder
    assert isinstance(groups, HypercolumnEncoder)
    return Criterion(Joined(encoder, groups.groups), criterion.named_losses)


CRITERIA: dict[str, Callable[[SequentialEncoder], Criterion]] = {
    "gatys": gatys_criterion,
    "crowson": crowson_criterion,
    "strotss": kolkin_2019.criterion,
    "strotss-joined": strotss_joined,
}


@dataclass(frozen=True)
class Variant:
    """One way to compute a step.

    Attributes:
        build: Gives the step for an encoder, the content and the style.
        objective: What it computes; the key of one of `CRITERIA`.
        package: What must be installed for it.
        accelerator: Whether it is something else than another variant on accelerators only.
    """

    build: Callable[[SequentialEncoder, Tensor, Tensor], Step]
    objective: str = "gatys"
    package: str = "pystyle"
    accelerator: bool = False

    def missing(self, device: torch.device) -> str:
        """Why it cannot run there; empty if it can."""
        if find_spec(self.package) is None:
            return f"{self.package} is not installed"
        return "it is for accelerators" if self.accelerator and device.type == "cpu" else ""


def ours(
    encoder: SequentialEncoder,
    content: Tensor,
    style: Tensor,
    *,
    objective: str = "gatys",
    strategy: str = EAGER,
    options: dict[str, Any] | None = None,
) -> Step:
    """pystyle, by one of its strategies with these arguments."""
    references = {"content": content, "style": style}
    evaluate = evaluator(CRITERIA[objective](encoder), references, strategy, **(options or {}))

    def step(image: Tensor) -> tuple[Tensor, Tensor]:
        terms, gradient = evaluate(image)
        return terms.total, gradient

    return step


def _ours(strategy: str, *, accelerator: bool = False, **options: object) -> Variant:
    build = partial(ours, strategy=strategy, options=options)
    return Variant(build, accelerator=accelerator)


VARIANTS: dict[str, Variant] = {
    "pystiche": Variant(pystiche, package="pystiche"),
    "pystiche-frozen": Variant(partial(pystiche, frozen=True), package="pystiche"),
    "tutorial-unfrozen": Variant(partial(tutorial, frozen=False)),
    "tutorial": Variant(tutorial),
    "neural-style": Variant(neural_style, package="neural_style"),
    "pastiche": Variant(pastiche, package="pastiche"),
    "pystyle": Variant(ours),
    "pystyle-tf32": _ours("EagerEvaluation", precision="tf32", accelerator=True),
    "pystyle-bfloat16": _ours("EagerEvaluation", precision="bfloat16"),
    "pystyle-strips": _ours("StripEvaluation"),
    "pystyle-strips-bfloat16": _ours("StripEvaluation", precision="bfloat16"),
    "crowson": Variant(crowson, "crowson"),
    "pystyle-crowson": Variant(partial(ours, objective="crowson"), "crowson"),
    "pystyle-strotss": Variant(partial(ours, objective="strotss"), "strotss"),
    "pystyle-strotss-joined": Variant(partial(ours, objective="strotss-joined"), "strotss"),
}
"""Those of pystyle by their strategy: a new one is one more line."""


def available(names: list[str] | None, device: torch.device) -> dict[str, Variant]:
    """The variants of these names, or all, that can run there. What cannot is printed with the reason."""
    reasons = {name: VARIANTS[name].missing(device) for name in names or VARIANTS}
    for name, reason in reasons.items():
        if reason:
            print(f"{name} is left out: {reason}.")
    return {name: VARIANTS[name] for name, reason in reasons.items() if not reason}


def errors(step: Step, reference: Step, image: Tensor) -> dict[str, float]:
    """How far the loss and the gradient are from those of a reference, relative to it.

    The median over the pixels tells whether two steps compute the same. The Euclidean norm sees every
    pooling window in which rounding decides which value is the largest: one of them is about 1e-3.
    """
    (loss, gradient), (true_loss, true_gradient) = step(image), reference(image)
    a, b = gradient.double().flatten(), true_gradient.double().flatten()
    return {
        "loss_error": abs(float(loss) / float(true_loss) - 1),
        "gradient_error": float((a - b).norm() / b.norm()),
        "gradient_median_error": float((a - b).abs().median() / b.abs().median()),
        "gradient_cosine": float(a @ b / (a.norm() * b.norm())),
    }


def main() -> None:
    """Print the errors of all variants that can run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--edge-size", type=int, default=128)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    arguments = parser.parse_args()
    encoder = vgg19().to(arguments.device)
    content, style = (image.to(arguments.device) for image in square_pair(arguments.edge_size))
    image, rows = iterate(content, style), []
    for name, variant in available(arguments.variants, arguments.device).items():
        found = errors(
            variant.build(encoder, content, style),
            ours(encoder, content, style, objective=variant.objective),
            image,
        )
        rows.append([name, variant.objective, *(f"{value:.2g}" for value in found.values())])
    print(table(["variant", "objective", "loss", "gradient", "median pixel", "cosine"], rows))


if __name__ == "__main__":
    main()
