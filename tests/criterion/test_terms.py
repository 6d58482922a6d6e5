from collections.abc import Mapping

import pytest
import torch

from pystyle import Terms


def terms() -> Terms:
    return Terms(
        {"content.a": torch.tensor(1.0), "style.a": torch.tensor(2.0), "style.vgg.b": torch.tensor(0.125)}
    )


def test_terms_are_a_mapping_in_the_order_of_the_losses() -> None:
    assert isinstance(terms(), Mapping)
    assert list(terms()) == ["content.a", "style.a", "style.vgg.b"]
    assert len(terms()) == 3
    assert terms()["style.a"] == 2
    assert "style.a" in terms()
    assert "style" not in terms()
    assert terms().get("style") is None
    assert [float(value) for value in terms().values()] == [1, 2, 0.125]


def test_the_total_is_the_sum_of_the_terms() -> None:
    assert terms().total == 3.125


def test_by_loss_adds_up_the_terms_of_each_loss() -> None:
    assert {name: float(value) for name, value in terms().by_loss().items()} == {"content": 1, "style": 2.125}


def test_an_unknown_term_is_named_with_those_that_exist() -> None:
    with pytest.raises(
        KeyError, match=r"There is no term 'style'; there are content\.a, style\.a, style\.vgg\.b"
    ):
        terms()["style"]


def test_terms_are_shown_one_per_line_with_their_total() -> None:
    lines = ["content.a    1", "style.a      2", "style.vgg.b  0.125", "total        3.125"]
    assert repr(terms()) == "\n".join(lines)


def test_terms_do_not_change_with_the_mapping_they_were_made_of() -> None:
    values = {"a.b": torch.tensor(1.0)}
    made = Terms(values)
    values["a.c"] = torch.tensor(1.0)
    assert list(made) == ["a.b"]


def test_detached_terms_have_the_same_values_and_no_graph() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    attached = Terms({"a.b": x * 3, "a.c": x})
    detached = attached.detach()
    assert not detached.total.requires_grad
    assert not any(value.requires_grad for value in detached.values())
    assert dict(detached) == {"a.b": 6, "a.c": 2}
    attached.total.backward()
    assert x.grad == 4
