"""What the documentation has for the same: a test holds these figures to its tables."""

from pystyle.typing import Precision

MACHINE = "two shared cores of an Intel Xeon with AMX, 2 threads, torch 2.14.1, pystyle 0.1.0"
"""Where all figures in half precision, and those of the networks in float32, were measured."""

OTHER_MACHINE = "two cores of an AMD EPYC"
"""Where `stylize` in float32 was measured."""

SECONDS: dict[tuple[str, int, Precision], float] = {
    ("any-style", 256, "float32"): 0.195,
    ("any-style", 512, "float32"): 0.801,
    ("any-style", 256, "bfloat16"): 0.081,
    ("any-style", 512, "bfloat16"): 0.266,
    ("any-style-light", 256, "float32"): 0.053,
    ("any-style-light", 512, "float32"): 0.186,
    ("any-style-light", 256, "bfloat16"): 0.030,
    ("any-style-light", 512, "bfloat16"): 0.088,
    ("masters", 256, "float32"): 0.083,
    ("masters", 512, "float32"): 0.255,
    ("masters", 256, "bfloat16"): 0.037,
    ("masters", 512, "bfloat16"): 0.160,
    ("masters-light", 256, "float32"): 0.027,
    ("masters-light", 512, "float32"): 0.101,
    ("masters-light", 256, "bfloat16"): 0.021,
    ("masters-light", 512, "bfloat16"): 0.072,
    ("stylize", 256, "float32"): 15.0,
    ("stylize", 512, "float32"): 33.0,
    ("stylize", 256, "bfloat16"): 7.7,
    ("stylize", 512, "bfloat16"): 17.0,
}
"""By what was measured, the edge in pixels and the precision.

Networks: `docs/networks.md`, "How fast". `stylize` at 256 pixels in bfloat16: "How it compares" there, a mean
of eight pairs; at 512 the mean of the six pairs in `docs/performance.md`, "Where the time of a run goes",
and in float32 the pair astronaut-cypresses there. Those of that page are processor seconds.
"""
