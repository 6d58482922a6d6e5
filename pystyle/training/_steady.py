import torch
from torch import Tensor
from torch.nn.functional import interpolate

from pystyle._arguments import number
from pystyle.functional import warp
from pystyle.functional._flow import stays_inside
from pystyle.networks import Stylizer
from pystyle.training._task import Lesson, Painted, Task


class SteadyTask(Task):
    r"""What moves is painted as before, in its new place: a network that paints clips without flicker.

    .. math:: \frac{\sum_p m_p\, | N(W(x) + n)_p - W(N(x))_p |}{\sum_p m_p}

    of the network N, contents x, a warp W that is drawn for each image, noise n, and the places m that come
    from within the image. No clip is needed: the second frame is made of the first one.

    Args:
        noise: The standard deviation of the noise, for values in [0, 1]. A level of 8 bits is 0.004.
        shift: The most that an image is moved in each direction, in pixels.
        bend: The standard deviation of what its parts move besides, in pixels.
        cell: The distance of the points, in pixels, between which that is interpolated.
        weight: Factor of the loss. The paper's is 60, where its style loss counts 20.

    Raises:
        ValueError: If one of the first three is negative, or `cell` not positive.

    Example:
        >>> tasks = {"steady": SteadyTask(weight=60.0)}
        >>> tasks["steady"].terms
        ('difference',)

    Note:
        The gradient goes through both pictures. The paper moves by 8 pixels for each hundredth of the
        height, smooths its warp by a mean over 100 pixels, and fetches the nearest pixel where here it is
        interpolated. Its style target is relaxed and its content has no colours; both are left to the
        criterion.

    References:
        Wang, Yang, Xu, Liu. *Consistent video style transfer via relaxation and regularization*. IEEE TIP
        2020, section III-D, "compound regularization", and its published code.
    """

    terms = ("difference",)

    def __init__(
        self,
        *,
        noise: float = 0.002,
        shift: float = 10.0,
        bend: float = 8.0,
        cell: float = 100.0,
        weight: float = 1.0,
    ) -> None:
        super().__init__(weight=weight)
        self.noise = number(noise, "`noise`", least=0)
        self.shift = number(shift, "`shift`", least=0)
        self.bend = number(bend, "`bend`", least=0)
        self.cell = number(cell, "`cell`", above=0)

    def forward(self, network: Stylizer, painted: Painted) -> Lesson:
        """How far the picture of what has moved is from the picture that has moved."""
        contents, pictures = painted.contents, painted.pictures
        flow = self._flow(contents)
        moved = warp(contents, flow)
        noise = torch.randn(moved.shape, dtype=torch.float32, device="cpu").to(moved)
        again = network((moved + self.noise * noise).clamp(0, 1), painted.code)
        inside = stays_inside(flow).to(pictures)
        differences = (again - warp(pictures, flow)).abs().mean(1, keepdim=True)
        return Lesson({"difference": (inside * differences).sum() / inside.sum().clamp_min(1)})

    def _flow(self, images: Tensor) -> Tensor:
        """Where each image moves, (batch, 2, height, width), in pixels."""
        batch, _, height, width = images.shape
        shift = self.shift * (2 * torch.rand(batch, 2, 1, 1, dtype=torch.float32, device="cpu") - 1)
        points = [max(round(side / self.cell), 1) + 1 for side in (height, width)]
        bend = self.bend * torch.randn(batch, 2, *points, dtype=torch.float32, device="cpu")
        field = shift + interpolate(bend, (height, width), mode="bilinear", align_corners=True)
        return field.to(images)

    def extra_repr(self) -> str:
        """The size of the motion and of the noise."""
        return f"noise={self.noise}, shift={self.shift}, bend={self.bend}, cell={self.cell}"
