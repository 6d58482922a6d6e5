"""The loop: it moves an image until an objective is small, and tells what happened."""

from pystyle.runner._choose import choose_evaluation
from pystyle.runner._factory import RunnerFactory
from pystyle.runner._inits import initial_image
from pystyle.runner._interrupted import RunInterrupted
from pystyle.runner._invert import invert_features
from pystyle.runner._keeper import Keeper
from pystyle.runner._loggers import CSVLogger, JSONLogger
from pystyle.runner._memory import estimate_memory, explained_memory_errors, largest_size
from pystyle.runner._optimize import optimize_image
from pystyle.runner._plateau import StopOnPlateau
from pystyle.runner._preview import Preview
from pystyle.runner._progress import ProgressBar
from pystyle.runner._result import Result
from pystyle.runner._runner import Runner
from pystyle.runner._schedules import CosineSchedule, InverseSchedule, LinearSchedule
from pystyle.runner._signals import Interruption, interrupt_on_signals
from pystyle.runner._step import Callback, Step
from pystyle.runner._tensorboard import TensorBoardLogger

__all__ = [
    "CSVLogger",
    "Callback",
    "CosineSchedule",
    "Interruption",
    "InverseSchedule",
    "JSONLogger",
    "Keeper",
    "LinearSchedule",
    "Preview",
    "ProgressBar",
    "Result",
    "RunInterrupted",
    "Runner",
    "RunnerFactory",
    "Step",
    "StopOnPlateau",
    "TensorBoardLogger",
    "choose_evaluation",
    "estimate_memory",
    "explained_memory_errors",
    "initial_image",
    "interrupt_on_signals",
    "invert_features",
    "largest_size",
    "optimize_image",
]
