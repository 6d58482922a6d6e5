"""How an objective and its gradient are computed: strategies with the same numbers and different costs."""

from pystyle.evaluation._eager import EagerEvaluation, EagerEvaluator
from pystyle.evaluation._evaluation import Evaluation, Evaluator
from pystyle.evaluation._graph import Capture, GraphedEvaluation, GraphedEvaluator, capture_cuda_graph
from pystyle.evaluation._memory import evaluation_memory
from pystyle.evaluation._precision import fastest_precision
from pystyle.evaluation._stored_targets import StoredTargets
from pystyle.evaluation._strips import StripEvaluation, StripEvaluator

__all__ = [
    "Capture",
    "EagerEvaluation",
    "EagerEvaluator",
    "Evaluation",
    "Evaluator",
    "GraphedEvaluation",
    "GraphedEvaluator",
    "StoredTargets",
    "StripEvaluation",
    "StripEvaluator",
    "capture_cuda_graph",
    "evaluation_memory",
    "fastest_precision",
]
