"""The tests of components, run again with double precision as torch's default type."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
# All tests of these name no precision themselves.
PATHS = [
    "colors",
    "criterion/test_batches.py",
    "criterion/test_blends.py",
    "criterion/test_offsets.py",
    "encoders/test_encoder_contract.py",
    "encoders/test_encoder_geometry.py",
    "functional/test_attention_features.py",
    "functional/test_local_affine.py",
    "functional/test_matting.py",
    "functional/test_maximum_mean_discrepancy.py",
    "functional/test_patches.py",
    "functional/test_self_similarity.py",
    "functional/test_total_variation.py",
    "functional/test_transport.py",
    "functional/test_wavelet_norm.py",
    "losses/test_loss_arguments.py",
    "losses/test_loss_contract.py",
    "losses/test_loss_values.py",
    "losses/test_lpips_loss.py",
    "losses/test_mmd_loss.py",
    "parametrizations",
]


@pytest.mark.slow
def test_components_keep_their_promises_with_double_precision_as_the_default(tmp_path):
    (tmp_path / "double_precision.py").write_text("import torch\n\ntorch.set_default_dtype(torch.float64)\n")
    search = os.pathsep.join([str(tmp_path), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "double_precision", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, *(str(TESTS / path) for path in PATHS)],
        cwd=TESTS.parent,
        env={**os.environ, "PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:]
