import sys
from collections.abc import Iterator

import pytest
import torch

from pystyle.images import show_image


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figures: list[object] = []
    monkeypatch.setattr(pyplot, "show", lambda: figures.append(pyplot.gcf()))
    yield figures
    pyplot.close("all")


@pytest.mark.parametrize("channels", [1, 3])
def test_show_image_shows_the_pixels_and_the_title(shown: list[object], channels: int) -> None:
    image = torch.full((1, channels, 4, 6), 0.2)
    assert show_image(image, title="a title") is None
    (figure,) = shown
    (axes,) = figure.axes
    assert (axes.images[0].get_array() == 51).all()
    assert axes.images[0].get_clim() == (0, 255)
    assert figure.get_suptitle() == "a title"
    assert not axes.axison


def test_show_image_leaves_the_settings_of_matplotlib_alone(shown: list[object]) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    show_image(torch.rand(3, 4, 6))
    assert dict(matplotlib.rcParams) == before
    assert len(shown) == 1


def test_show_image_says_how_to_install_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "pystyle-nst\[viz\]"'):
        show_image(torch.rand(3, 4, 6))


def test_show_image_refuses_a_batch() -> None:
    with pytest.raises(ValueError, match="must be one image"):
        show_image(torch.rand(2, 3, 4, 6))
