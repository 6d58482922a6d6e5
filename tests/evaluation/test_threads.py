"""Evaluations in several threads of a program, which have one setting of the products of GPUs."""

from threading import Barrier, Event, Thread

import pytest
import torch

from pystyle import Criterion, GramLoss
from pystyle.evaluation import EagerEvaluation

IMAGE = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(0))


def settings():
    return torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision


class Doing(GramLoss):
    """Does something in the middle of an evaluation."""

    during = staticmethod(lambda: None)

    def represent(self, features):
        self.during()
        return super().represent(features)


def evaluate(precision, during):
    loss = Doing("image")
    evaluator = EagerEvaluation(precision).bind(Criterion(None, {"style": loss}), {"style": IMAGE})
    loss.during = during
    evaluator(IMAGE)


def started(*arguments):
    thread = Thread(target=evaluate, args=arguments, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def before():
    """A setting of the program that is neither of what evaluations set."""
    was = settings()
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    torch.backends.cudnn.conv.fp32_precision = "ieee"
    yield settings()
    torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision = was


def test_the_last_of_several_threads_brings_back_the_setting_of_the_program(before):
    both, first_is_over, seen = Barrier(2), Event(), []

    def second():
        both.wait(10)
        first_is_over.wait(10)
        seen.append(settings())

    threads = started("float32", lambda: both.wait(10)), started("bfloat16", second)
    threads[0].join(10)
    first_is_over.set()
    threads[1].join(10)
    assert seen == [("ieee", "ieee")]
    assert settings() == before


def test_a_thread_that_wants_other_products_waits(before):
    begun, go_on, seen = Event(), Event(), []

    def exact():
        begun.set()
        go_on.wait(10)
        seen.append(settings())

    first = started("float32", exact)
    begun.wait(10)
    second = started("tf32", lambda: seen.append(settings()))
    second.join(0.05)
    assert second.is_alive()
    go_on.set()
    first.join(10)
    second.join(10)
    assert seen == [("ieee", "ieee"), ("tf32", "tf32")]
    assert settings() == before


def test_one_within_another_has_the_same_products_or_is_refused(before):
    evaluate("float32", lambda: evaluate("bfloat16", lambda: None))
    with pytest.raises(RuntimeError, match="`precision` must be 'tf32' both around and within"):
        evaluate("float32", lambda: evaluate("tf32", lambda: None))
    assert settings() == before
