from torch import Tensor

from pystyle.criterion import Terms
from pystyle.runner import Runner
from pystyle.surfaces._evaluation import ViewEvaluator


class ViewRunner(Runner):
    """A runner that looks at another sheet of views at each step.

    The evaluation has to be a :class:`ViewEvaluation`. Which sheet it is depends on the seed of its views and
    on the step alone, so a run that goes on from a checkpoint sees what the first would have seen.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, TotalVariationLoss, optimize_image
        >>> from pystyle.surfaces import ViewEvaluation, Views, sphere
        >>> mesh = sphere(8, texture=torch.rand(1, 3, 32, 64))
        >>> result = optimize_image(
        ...     Criterion(None, {"smoothness": TotalVariationLoss()}),
        ...     {"content": mesh.texture},
        ...     evaluation=ViewEvaluation(mesh, Views(sheets=2, views=2)),
        ...     runner=ViewRunner,
        ...     optimizer="adam",
        ...     num_steps=3,
        ... )
        >>> mesh.with_texture(result.image)
        Mesh(45 vertices, 48 faces, a texture of 32 x 64 pixels)

    Note:
        A step with several evaluations sees the same sheet in all of them; from step to step the objective is
        another one. So take Adam, or another optimizer for noisy gradients. With the usual runner each step
        takes the mean over all sheets, which suits L-BFGS, and takes as many times as long.
    """

    def evaluate(self, image: Tensor) -> tuple[Terms, Tensor]:
        """The terms of a texture through the sheet of this step, and the gradient of their total."""
        if not isinstance(self.evaluator, ViewEvaluator):
            raise TypeError(
                "A ViewRunner needs the evaluator of a ViewEvaluation, got "
                f"{type(self.evaluator).__name__}. Give both to the run: `ViewEvaluation(mesh)` as well."
            )
        return self.evaluator.at(self._loop.done)(image)
