"""Jobs over many images: shared by processes, and gone on with after whatever ended them."""

from pystyle.jobs._dataset_report import DatasetReport
from pystyle.jobs._entry import JobEntry
from pystyle.jobs._error import JobError
from pystyle.jobs._items import LeftOut
from pystyle.jobs._paint_dataset import paint_dataset
from pystyle.jobs._report import JobReport
from pystyle.jobs._stylize_folder import stylize_folder

__all__ = [
    "DatasetReport",
    "JobEntry",
    "JobError",
    "JobReport",
    "LeftOut",
    "paint_dataset",
    "stylize_folder",
]
