"""Two processes share the work of an evaluation and get the numbers of one."""

import subprocess
import sys

import pytest
import torch

from pystyle import Criterion, GramLoss
from pystyle.encoders import vgg11
from pystyle.evaluation import StripEvaluation

PROGRAM = """
import sys
import torch
import torch.distributed as distributed
from pystyle import ContentLoss, Criterion, GramLoss, TotalVariationLoss, optimize_image
from pystyle.encoders import vgg11
from pystyle.evaluation import EagerEvaluation, StripEvaluation

rank, folder = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
generator = torch.Generator().manual_seed(0)
image, content, style = (torch.rand(1, 3, 70, 36, generator=generator).double() for _ in range(3))
references = {"content": content, "style": style}
losses = {
    "content": ContentLoss("relu2_1"),
    "style": GramLoss(["image", "relu1_1", "relu3_1"], relative=True),
    "smoothness": TotalVariationLoss(),
}
encoder = vgg11(weights=None, padding="replicate").double()
criterion = Criterion(encoder, losses)
normalizing = Criterion(encoder, losses, normalize_gradients=["content", "style"])
for size in (70, 7):  # Seven rows are too few to be shared.
    x, references = image[:, :, :size], {"content": content[:, :, :size], "style": style}
    for each in (criterion, normalizing):
        whole = EagerEvaluation().bind(each, references)
        shared = StripEvaluation(rows=16, distributed=True).bind(each, references)
        (terms, gradient), (other_terms, other_gradient) = whole(x), shared(x)
        assert list(terms) == list(other_terms)
        for found in (other_terms, shared.terms(x)):
            for name, term in terms.items():
                assert abs(float(found[name] / term) - 1) < 1e-12, name
        error = (gradient - other_gradient).abs().max() / gradient.abs().max()
        assert error < 1e-12, float(error)
result = optimize_image(
    criterion, references, num_steps=5, evaluation=StripEvaluation(rows=16, distributed=True)
)
torch.save(result.image, f"{folder}/{rank}.pt")
distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_have_the_gradient_of_one_and_end_in_the_same_picture(tmp_path):
    processes = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, str(rank), str(tmp_path)], stderr=subprocess.PIPE)
        for rank in (0, 1)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors.decode()
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert torch.equal(first, second)


def test_without_a_process_group_it_is_said_how_to_make_one():
    criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu1_1")})
    with pytest.raises(RuntimeError, match=r"needs a process group. Start the program with `torchrun`"):
        StripEvaluation(distributed=True).bind(criterion, {"style": torch.rand(1, 3, 16, 16)})
