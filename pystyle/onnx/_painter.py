import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystyle.onnx._pictures import as_array, check_range

Pixels = NDArray[Any]


class OnnxPainter:
    """A network in files of ONNX with a style: a function of the content, without torch.

    The files come from :meth:`pystyle.networks.Stylizer.export`. As :meth:`~pystyle.networks.Stylizer.bind`
    does, it looks at the style once. It may be called from any number of threads.

    Args:
        path: The file of the network.
        style: The style, if it is not in the file: for a network of learned styles a name, or several as a
            list of ``(name, weight)``; for one of any style a painting, as pixels, as an image of Pillow or
            as a file, or several with weights.
        style_path: The file that looks at paintings; if not given, ``net-style.onnx`` beside ``net.onnx``.
        threads: How many threads paint; if not given, ONNX Runtime decides.

    Attributes:
        metadata: What the file says of itself: ``"class"``, ``"name"``, ``"licence"``, ``"card"`` and more.
        styles: The names of the styles that the network has learned.
        smallest: The smallest side of a content or a painting, in pixels.

    Raises:
        ImportError: If `onnxruntime` is missing.
        OSError: If a file is missing.
        ValueError: If a file is not one of pystyle, or the style is none for it.

    Example:
        >>> paint = OnnxPainter("net.onnx")  # doctest: +SKIP
        >>> as_picture(paint("photo.jpg")).save("painted.png")  # doctest: +SKIP
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        style: Any = None,
        style_path: str | os.PathLike[str] | None = None,
        threads: int | None = None,
    ) -> None:
        self._session, self.metadata = _opened(path, "painting", threads)
        self.styles: tuple[str, ...] = tuple(json.loads(self.metadata["styles"]))
        self.smallest = int(self.metadata["smallest"])
        chosen = self.metadata["style"]
        if chosen == "fixed":
            if style is not None:
                raise ValueError(f"`style` must not be given, since the one of '{os.fspath(path)}' is in it.")
            self._code: dict[str, Pixels] = {}
        elif style is None:
            known = f"one of the names {self.styles}" if self.styles else "a painting"
            raise ValueError(f"`style` must be {known}, got none: it is not in '{os.fspath(path)}'.")
        elif chosen == "shares":
            self._code = {"shares": self._shares(style)}
        else:
            place = Path(path)
            looking = style_path or place.with_stem(f"{place.stem}-style")
            self._code = self._looked_at(style, looking, threads)

    def __call__(self, content: Any, *, strength: float = 1.0) -> NDArray[np.float32]:
        """Paint the content.

        Args:
            content: Pixels, an image of Pillow, or a file.
            strength: How much of the style: 1 is the style alone, 0 the content as it is; in between they
                are mixed pixel by pixel.

        Returns:
            The pixels of the pictures.

        Raises:
            ValueError: If the content is too small, has another shape or leaves [0, 1], or the strength does.
            OSError: If the file cannot be read, or is no picture.

        Shape:
            - content, output: (batch, 3, height, width), RGB in [0, 1]
        """
        if not 0 <= strength <= 1:
            raise ValueError(f"`strength` must be from 0 to 1, got {strength}.")
        # A number of numpy would make float64 of the pictures.
        strength = float(strength)
        pixels = self._pixels(content, "content")
        self._check_size(pixels)
        (picture,) = self._session.run(["picture"], {"content": pixels, **self._code})
        painted: NDArray[np.float32] = picture if strength == 1 else pixels + strength * (picture - pixels)
        return painted

    def _check_size(self, pixels: Pixels) -> None:
        wanted, size = self.metadata["size"], " x ".join(map(str, pixels.shape[2:]))
        if wanted not in ("any", size):
            raise ValueError(f"`content` must have {wanted} pixels, for which the file was made, got {size}.")
        if self.metadata["batch"] == "1" and len(pixels) != 1:
            raise ValueError(f"`content` must be one image for this file, got a batch of {len(pixels)}.")

    def _pixels(self, image: Any, name: str) -> NDArray[np.float32]:
        pixels = image if isinstance(image, np.ndarray) else as_array(image)
        if pixels.ndim != 4 or pixels.shape[1] != 3 or not len(pixels):
            raise ValueError(f"`{name}` must have the shape (batch, 3, height, width), got {pixels.shape}.")
        if not np.issubdtype(pixels.dtype, np.floating):
            raise ValueError(f"`{name}` must be floating-point, got {pixels.dtype}. `as_array` makes it.")
        height, width = pixels.shape[2:]
        if min(height, width) < self.smallest:
            raise ValueError(
                f"`{name}` must have sides of at least {self.smallest} pixels, got {height} x {width}."
            )
        check_range(pixels, name)
        return np.ascontiguousarray(pixels, dtype=np.float32)

    def _shares(self, style: Any) -> Pixels:
        shares = np.zeros((1, len(self.styles)), np.float32)
        for name, share in _weighted(style):
            if name not in self.styles:
                raise ValueError(f"`style` must be one of the learned styles {self.styles}, got {name!r}.")
            shares[0, self.styles.index(name)] += share
        return shares

    def _looked_at(self, style: Any, path: str | os.PathLike[str], threads: int | None) -> dict[str, Pixels]:
        session, metadata = _opened(path, "style", threads)
        own, other = (
            {key: of[key] for key in ("class", "configuration", "code")} for of in (self.metadata, metadata)
        )
        if own != other:
            raise ValueError(f"`style_path` must be a file of the same network, got '{os.fspath(path)}'.")
        names: list[str] = json.loads(self.metadata["code"])
        code: dict[str, Pixels] = {}
        for painting, share in _weighted(style):
            pixels = self._pixels(painting, "style")
            if len(pixels) != 1:
                raise ValueError(f"`style` must be one painting, got a batch of {len(pixels)}.")
            for name, tensor in zip(names, session.run(names, {"style": pixels}), strict=True):
                code[name] = code.get(name, 0) + np.float32(share) * tensor
        return code


def _weighted(style: Any) -> list[tuple[Any, float]]:
    """The styles with their shares, 1 together."""
    if not isinstance(style, Sequence) or isinstance(style, str):
        return [(style, 1.0)]
    try:
        pairs = [(one, float(weight)) for one, weight in style]
    except (TypeError, ValueError) as error:
        raise ValueError(f"`style` must be a style, or a list of (style, weight), got {style!r}.") from error
    total = sum(weight for _, weight in pairs)
    if not 0 < total < float("inf") or any(weight < 0 for _, weight in pairs):
        raise ValueError(f"The weights of `style` must be at least 0, and above 0 together, got {style!r}.")
    return [(one, weight / total) for one, weight in pairs if weight]


def _opened(path: str | os.PathLike[str], part: str, threads: int | None) -> tuple[Any, Mapping[str, str]]:
    """A file in ONNX Runtime, and what it says of itself."""
    runtime = _runtime()
    place = Path(os.path.expanduser(path))
    if not place.is_file():
        raise FileNotFoundError(f"There is no file '{place}'. `Stylizer.export` writes one.")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        session = runtime.InferenceSession(os.fspath(place), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ValueError(f"'{place}' must be a file of ONNX that is complete: {error}") from error
    metadata: dict[str, str] = dict(session.get_modelmeta().custom_metadata_map)
    if metadata.get("part") != part or "pystyle" not in metadata:
        wanted = "paints" if part == "painting" else "looks at styles"
        raise ValueError(f"'{place}' must be a file of `Stylizer.export` that {wanted}, and is another one.")
    return session, metadata


def _runtime() -> ModuleType:
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            'Painting with ONNX needs ONNX Runtime. Install it with `pip install "pystyle-nst[onnx]"`, or '
            "`pip install onnxruntime` where no network is exported."
        ) from error
    module: ModuleType = onnxruntime
    return module
