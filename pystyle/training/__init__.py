"""Training of networks that paint, by the same criterion that paints one image."""

from pystyle.training._crop_file import CropFile
from pystyle.training._draws import Images
from pystyle.training._image_folder import ImageFolder
from pystyle.training._phase import Phase
from pystyle.training._previews import Previews
from pystyle.training._result import TrainingResult
from pystyle.training._step import TrainingStep
from pystyle.training._train import train

__all__ = [
    "CropFile",
    "ImageFolder",
    "Images",
    "Phase",
    "Previews",
    "TrainingResult",
    "TrainingStep",
    "train",
]
