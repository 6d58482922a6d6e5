"""Textures of meshes, painted through pictures of them."""

from pystyle.surfaces._camera import Camera
from pystyle.surfaces._errors import MeshReadError
from pystyle.surfaces._evaluation import SURFACE, ViewEvaluation, ViewEvaluator
from pystyle.surfaces._fragments import Fragments
from pystyle.surfaces._mesh import Mesh
from pystyle.surfaces._rasterize import rasterize
from pystyle.surfaces._read import read_mesh
from pystyle.surfaces._render import render, turntable
from pystyle.surfaces._runner import ViewRunner
from pystyle.surfaces._sampling import TextureSampler
from pystyle.surfaces._shapes import sphere, torus, vase
from pystyle.surfaces._stylize import PaintedMesh, stylize_texture
from pystyle.surfaces._views import Views
from pystyle.surfaces._write import write_mesh

__all__ = [
    "Camera",
    "Fragments",
    "Mesh",
    "MeshReadError",
    "PaintedMesh",
    "SURFACE",
    "TextureSampler",
    "ViewEvaluation",
    "ViewEvaluator",
    "ViewRunner",
    "Views",
    "rasterize",
    "read_mesh",
    "render",
    "sphere",
    "stylize_texture",
    "torus",
    "turntable",
    "vase",
    "write_mesh",
]
