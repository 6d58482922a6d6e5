import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from pystyle.criterion import Criterion, Terms
from pystyle.evaluation._eager import EagerEvaluation
from pystyle.evaluation._evaluation import Evaluator, weighted
from pystyle.evaluation._precision import known_precision
from pystyle.typing import Precision, References

_LOG = logging.getLogger("pystyle")
_WARM_UPS = 3

T = TypeVar("T")


class Capture(Protocol):
    """How a function of fixed tensors becomes a graph; :func:`capture_cuda_graph` is one way.

    Example:
        >>> def call_again(function, *, warm_ups):
        ...     return function(), lambda: function()
        >>> capture: Capture = call_again
    """

    def __call__(self, function: Callable[[], T], *, warm_ups: int) -> tuple[T, Callable[[], None]]:
        """The result, and a function that writes a new one into its tensors."""


def capture_cuda_graph(
    function: Callable[[], T], *, warm_ups: int = _WARM_UPS
) -> tuple[T, Callable[[], None]]:
    """The result of a function of fixed tensors, and a function that computes it anew in one launch.

    While a graph is captured nothing is computed: the result is that of the first replay.

    Args:
        function: Launches the kernels.
        warm_ups: Calls before that. Libraries choose their algorithms and take their memory in the first
            ones, which must not be captured.

    Raises:
        RuntimeError: If the function does something that cannot be captured, such as waiting for the GPU.

    Example:
        >>> import torch
        >>> if torch.cuda.is_available():
        ...     x = torch.zeros(3, device="cuda")
        ...     result, replay = capture_cuda_graph(lambda: x + 1)
    """
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(warm_ups):
            function()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = function()
    return result, graph.replay


@dataclass(frozen=True)
class GraphedEvaluation:
    """On CUDA, the whole evaluation in one launch, and in a run the whole step.

    A pass and its gradient are some hundred kernels; up to a few hundred pixels starting them takes
    longer than they do. Here they are captured once as a CUDA graph, which is then replayed. A
    :class:`~pystyle.runner.Runner` captures its steps whole, with the optimizer, the projection and the
    average, if the optimizer has the option ``capturable``, as :class:`~pystyle.optim.LBFGS` and most of
    torch's have.

    Args:
        precision: Of the encoder; see :class:`EagerEvaluation`.

    Raises:
        ValueError: If there is no such precision.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, TotalVariationLoss
        >>> from pystyle.encoders import vgg19
        >>> criterion = Criterion(vgg19(weights=None), {"smoothness": TotalVariationLoss()})
        >>> evaluator = GraphedEvaluation().bind(criterion, {})
        >>> terms, gradient = evaluator(torch.zeros(1, 3, 8, 8))
        >>> evaluator.fallback
        'images on cpu cannot be captured'

    Note:
        Not measured on a GPU yet.
    """

    precision: Precision = "float32"

    def __post_init__(self) -> None:
        object.__setattr__(self, "precision", known_precision(self.precision))

    def bind(self, criterion: Criterion, references: References) -> "GraphedEvaluator":
        """Represent the references in the same precision."""
        return GraphedEvaluator(EagerEvaluation(self.precision).bind(criterion, references))


class GraphedEvaluator:
    """An evaluator that is captured in a graph, for images of one size at a time.

    What cannot be captured is evaluated as it was, and why is said in `fallback` and logged once.

    Args:
        evaluator: What is captured.
        capture: How; :func:`capture_cuda_graph` or another function with its contract.
        device_type: The devices whose images are captured.

    Attributes:
        evaluator: What is captured.
        capture: How.
        device_type: Where.
        fallback: Why the latest image was not evaluated by a graph; None if it was.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, TotalVariationLoss
        >>> from pystyle.encoders import vgg19
        >>> from pystyle.evaluation import EagerEvaluator
        >>> objective = Criterion(vgg19(weights=None), {"smoothness": TotalVariationLoss()}).bind({})
        >>> evaluator = GraphedEvaluator(EagerEvaluator(objective))
        >>> evaluator.terms(torch.zeros(1, 3, 8, 8))
        smoothness.image  0
        total             0
    """

    def __init__(
        self,
        evaluator: Evaluator,
        *,
        capture: Capture = capture_cuda_graph,
        device_type: str = "cuda",
    ) -> None:
        self.evaluator = evaluator
        self.fallback: str | None = None
        self.capture = capture
        self.device_type = device_type
        self._image: Tensor | None = None
        self._result: tuple[Terms, Tensor] | None = None
        self._replay: Callable[[], None] | None = None

    def weighted(self, factors: Mapping[str, float | Tensor]) -> "GraphedEvaluator":
        """The evaluator with other weights; a graph reads factors that are tensors when it is replayed."""
        return GraphedEvaluator(
            weighted(self.evaluator, factors), capture=self.capture, device_type=self.device_type
        )

    @torch.inference_mode(False)
    def __call__(self, image: Tensor) -> tuple[Terms, Tensor]:
        """The terms of an image without their graph, and the gradient of their total."""
        if image.device.type != self.device_type:
            self.fall_back(f"images on {image.device.type} cannot be captured")
            return self.evaluator(image)
        if self._image is None or not _alike(self._image, image):
            self._prepare(image.detach())
        if self._image is None or self._result is None or self._replay is None:
            return self.evaluator(image)
        self._image.copy_(image.detach())
        self._replay()
        terms, gradient = self._result
        # The next replay writes over them.
        return Terms({name: term.clone() for name, term in terms.items()}), gradient.clone()

    def terms(self, image: Tensor) -> Terms:
        """The terms of an image without their graph."""
        return self.evaluator.terms(image)

    def fall_back(self, reason: str) -> None:
        """Say why something is not captured."""
        if reason != self.fallback:
            _LOG.warning("No graph is used: %s.", reason)
        self.fallback = reason

    def _prepare(self, image: Tensor) -> None:
        self._image = fixed = image.clone()
        try:
            self._result, self._replay = self.capture(lambda: self.evaluator(fixed), warm_ups=_WARM_UPS)
        except RuntimeError as error:
            self._result = self._replay = None
            self.fall_back(f"this evaluation cannot be captured: {error}")
        else:
            self.fallback = None


def _alike(image: Tensor, other: Tensor) -> bool:
    return (image.shape, image.dtype, image.device) == (other.shape, other.dtype, other.device)
