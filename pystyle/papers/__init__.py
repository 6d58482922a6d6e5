"""Published methods, each in a module that can be read beside its paper.

A module states at its top what the paper says, what its authors' code does, and where each constant
stands. Its functions are made of the public parts of the library: ``criterion`` gives the losses, and the
others run them with the sizes, the start, the optimizer and the finish of the paper as defaults of
keywords. A paper of a network that paints in one pass has ``network``, ``criterion`` and ``training``.
"""

from pystyle.papers import (
    crowson_2022,
    deng_2022,
    dumoulin_2017,
    galerne_2024,
    gatys_2015,
    gatys_2016,
    gatys_2017,
    ghiasi_2017,
    heitz_2021,
    huang_2017,
    johnson_2016,
    kolkin_2019,
    kolkin_2022,
    li_2017,
    li_fang_2017,
    li_wand_2016,
    liu_2021,
    luan_2017,
    mechrez_2018,
    park_lee_2019,
    risser_2017,
    ruder_2016,
    ulyanov_2016,
    ulyanov_2017,
    wang_2023,
    yoo_2019,
)

__all__ = [
    "crowson_2022",
    "deng_2022",
    "dumoulin_2017",
    "galerne_2024",
    "gatys_2015",
    "gatys_2016",
    "gatys_2017",
    "ghiasi_2017",
    "heitz_2021",
    "huang_2017",
    "johnson_2016",
    "kolkin_2019",
    "kolkin_2022",
    "li_2017",
    "li_fang_2017",
    "li_wand_2016",
    "liu_2021",
    "luan_2017",
    "mechrez_2018",
    "park_lee_2019",
    "risser_2017",
    "ruder_2016",
    "ulyanov_2016",
    "ulyanov_2017",
    "wang_2023",
    "yoo_2019",
]
