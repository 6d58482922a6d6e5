"""The loop: it moves an image until an objective is small, and tells what happened."""

from pystyle.runner._callbacks import CSVLogger, JSONLogger, Preview, ProgressBar, StopOnPlateau
from pystyle.runner._inits import initial_image
from pystyle.runner._optimize import optimize_image
from pystyle.runner._result import Result
from pystyle.runner._runner import Runner
from pystyle.runner._step import Callback, Step

__all__ = [
    "CSVLogger",
    "Callback",
    "JSONLogger",
    "Preview",
    "ProgressBar",
    "Result",
    "Runner",
    "Step",
    "StopOnPlateau",
    "initial_image",
    "optimize_image",
]
