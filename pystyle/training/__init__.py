"""Training of networks that paint, by the same criterion that paints one image."""

from pystyle.training._adversary import Adversary
from pystyle.training._contrast import ContrastTask, FeatureNetwork
from pystyle.training._crop_file import CropFile
from pystyle.training._cycle import CycleTask
from pystyle.training._draws import Images
from pystyle.training._held_out import HeldOut
from pystyle.training._image_folder import ImageFolder
from pystyle.training._phase import Phase
from pystyle.training._previews import Previews
from pystyle.training._result import TrainingResult
from pystyle.training._steady import SteadyTask
from pystyle.training._step import TrainingStep
from pystyle.training._task import Lesson, Painted, Task
from pystyle.training._train import train

__all__ = [
    "Adversary",
    "ContrastTask",
    "CropFile",
    "CycleTask",
    "FeatureNetwork",
    "HeldOut",
    "ImageFolder",
    "Images",
    "Lesson",
    "Painted",
    "Phase",
    "Previews",
    "SteadyTask",
    "Task",
    "TrainingResult",
    "TrainingStep",
    "train",
]
