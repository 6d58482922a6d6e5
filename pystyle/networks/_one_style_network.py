from torch import Tensor

from pystyle.networks._stylizer import Stylizer


class OneStyleNetwork(Stylizer):
    """A network that paints in one style, which is in all of its weights and has no code of its own.

    Args:
        style: The name of the style.

    Raises:
        TypeError: If the name is no string.
    """

    def __init__(self, style: str) -> None:
        super().__init__()
        if not isinstance(style, str):
            raise TypeError(f"`style` must be the name of the style, got a {type(style).__name__}.")
        self.style = style
        self.styles = (style,)

    def represent_style(self, style: Tensor) -> Tensor:  # noqa: ARG002
        """Not for this network, which has learned its style.

        Raises:
            ValueError: Always, with the name.
        """
        raise ValueError(
            f"`style` must be the name {self.style!r}: a {type(self).__name__} paints in the style that it "
            "has learned. `pystyle.training.train` teaches it."
        )

    def named_code(self, name: str) -> Tensor:
        """A code of no numbers.

        Shape:
            - output: (1, 0)
        """
        if name != self.style:
            raise ValueError(f"`name` must be the learned style {self.style!r}, got {name!r}.")
        weight: Tensor = next(self.parameters())
        return weight.new_zeros(1, 0)
