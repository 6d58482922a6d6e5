"""What is done to queries, keys, values and latents."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from pystyle._arguments import number, whole_numbers


def adain(content: Tensor, style: Tensor) -> Tensor:
    """Latents of the content with the mean and deviation of each channel of those of the style, equation 8.

    Args:
        content: What changes.
        style: What it takes them from; its size may be another.

    Raises:
        ValueError: If they have other axes, or different channels.

    Shape:
        - content, output: (batch, channels, height, width)
        - style: (batch or 1, channels, other height, other width)

    Example:
        >>> import torch
        >>> content, style = torch.tensor([[[[1.0, 3.0]]]]), torch.tensor([[[[6.0, 10.0]]]])
        >>> adain(content, style)
        tensor([[[[ 6., 10.]]]])
    """
    if content.ndim != 4 or style.ndim != 4 or content.shape[1] != style.shape[1]:
        raise ValueError(
            "`content` and `style` must have the axes (batch, channels, height, width), and the same "
            f"channels, got {tuple(content.shape)} and {tuple(style.shape)}."
        )
    std, mean = torch.std_mean(content, (2, 3), correction=0, keepdim=True)
    style_std, style_mean = torch.std_mean(style, (2, 3), correction=0, keepdim=True)
    # What is flat stays so: it has nothing that could be stretched.
    least = torch.finfo(content.dtype).tiny
    return (content - mean) / std.clamp_min(least) * style_std + style_mean


def mixed_query(content: Tensor, stylized: Tensor, gamma: float = 0.75) -> Tensor:
    """Queries between those of the content and those of the picture, equation 5.

    Args:
        content: Those of the content.
        stylized: Those of the picture that is painted.
        gamma: The share of the content, γ.

    Raises:
        ValueError: If `gamma` is not in [0, 1].

    Shape:
        - content, stylized, output: the same, any

    Example:
        >>> import torch
        >>> mixed_query(torch.tensor([4.0]), torch.tensor([0.0]))
        tensor([3.])
    """
    return torch.lerp(stylized, content, number(gamma, "`gamma`", least=0, most=1))


def scaled_attention(query: Tensor, key: Tensor, value: Tensor, temperature: float = 1.5) -> Tensor:
    r"""Attention whose scores are multiplied, equation 6.

    .. math:: \operatorname{softmax}(\tau Q K^\top / \sqrt d) \, V

    Args:
        query: Q.
        key: K.
        value: V.
        temperature: τ; above 1 the attention is sharper than the model's own.

    Raises:
        ValueError: If `temperature` is not positive.

    Shape:
        - query, output: (batch, heads, positions, d)
        - key, value: (batch, heads, other positions, d)

    Example:
        >>> import torch
        >>> query, key = torch.tensor([[[[1.0]]]]), torch.tensor([[[[0.0], [1.0]]]])
        >>> value = torch.tensor([[[[0.0], [1.0]]]])
        >>> scaled_attention(query, key, value, 2.0).item() == torch.tensor(2.0).sigmoid().item()
        True
    """
    temperature = number(temperature, "`temperature`", above=0)
    return scaled_dot_product_attention(query, key, value, scale=temperature * query.shape[-1] ** -0.5)


class StyleInjection:
    """An attention processor of diffusers in which a picture asks as its content does, and its style answers.

    The batch has three parts of the same length: contents, styles, and the pictures that are painted.
    The first two attend to themselves as without it. It is for layers of self-attention, whose
    `set_processor` takes it.

    Args:
        gamma: The share of the content in the queries.
        temperature: What scores are multiplied with.

    Raises:
        ValueError: If `gamma` is not in [0, 1], or `temperature` is not positive.

    Example:
        >>> import torch
        >>> from types import SimpleNamespace
        >>> from torch import nn
        >>> same = nn.Identity()
        >>> layer = SimpleNamespace(heads=1, to_q=same, to_k=same, to_v=same, to_out=[same, same])
        >>> content, style, picture = torch.rand(3, 1, 4, 2)
        >>> found = StyleInjection(gamma=1.0)(layer, torch.cat((content, style, picture)))
        >>> torch.allclose(found[2], scaled_attention(content, style, style)[0])
        True
    """

    def __init__(self, *, gamma: float = 0.75, temperature: float = 1.5) -> None:
        self.gamma = number(gamma, "`gamma`", least=0, most=1)
        self.temperature = number(temperature, "`temperature`", above=0)

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """What diffusers calls, with the names that it uses.

        Args:
            attn: The layer of attention, which has the projections.
            hidden_states: The positions, (3 * pictures, positions, channels).
            encoder_hidden_states: None: this is self-attention.
            attention_mask: None.

        Returns:
            What each position gets, in the shape of `hidden_states`.

        Raises:
            ValueError: If the layer attends to something else, there is a mask, or the batch has no three
                parts.
        """
        if encoder_hidden_states is not None or attention_mask is not None:
            raise ValueError(
                "A StyleInjection is for self-attention without a mask; leave other layers as they are."
            )
        if len(hidden_states) % 3:
            raise ValueError(
                "`hidden_states` must be of contents, styles and pictures, as many of each, got a batch of "
                f"{len(hidden_states)}."
            )
        query, key, value = (
            project(hidden_states).unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for project in (attn.to_q, attn.to_k, attn.to_v)
        )
        count = len(hidden_states) // 3
        content, _, stylized = query.chunk(3)
        plain = slice(0, 2 * count)
        found = torch.cat(
            (
                scaled_attention(query[plain], key[plain], value[plain], 1.0),
                scaled_attention(
                    mixed_query(content, stylized, self.gamma),
                    key[count : 2 * count],
                    value[count : 2 * count],
                    self.temperature,
                ),
            )
        )
        output: Tensor = attn.to_out[0](found.transpose(1, 2).flatten(2))
        return attn.to_out[1](output)  # type: ignore[no-any-return]


def decoder_attentions(unet: Any) -> dict[int, Any]:
    """The self-attentions of the decoder by the number of their layer, counted from the deepest.

    Each residual block of the decoder is a layer, whether or not attention comes after it, as the blocks are
    counted in the papers on Stable Diffusion: that has 12, the first three without attention.
    """
    found, index = dict[int, Any](), 0
    for block in unet.up_blocks:
        attentions = getattr(block, "attentions", None)
        for position in range(len(block.resnets)):
            if attentions is not None:
                found[index] = attentions[position].transformer_blocks[0].attn1
            index += 1
    return found


@contextmanager
def injection(unet: Any, layers: Sequence[int], processor: StyleInjection) -> Iterator[None]:
    """A context in which these layers have the processor; they get their own back however it ends.

    Raises:
        ValueError: If there is no attention in one of the layers.
    """
    attentions = decoder_attentions(unet)
    chosen = whole_numbers(layers, "`layers`", least=0)
    for layer in chosen:
        if layer not in attentions:
            raise ValueError(
                f"`layers` must be layers of the decoder with attention, which are {sorted(attentions)} in "
                f"this model, got {layer}."
            )
    before = [(attentions[layer], attentions[layer].processor) for layer in dict.fromkeys(chosen)]
    try:
        for attention, _ in before:
            attention.set_processor(processor)
        yield
    finally:
        for attention, own in before:
            attention.set_processor(own)
