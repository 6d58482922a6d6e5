"""What a prompt is as a vector: templates, blends of texts, and of a text and a painting."""

import pytest
import torch

from pystyle.text import IMAGENET_TEMPLATES, text_embedding


class Table:
    """Texts of two letters are two numbers."""

    def encode_images(self, images):
        return images[:, :2, 0, 0]

    def encode_texts(self, texts):
        return torch.tensor([[float(letter) / 10 for letter in text] for text in texts])


def test_a_prompt_is_the_mean_over_its_templates_of_length_1():
    # 0.6 0.8 and 0.8 0.6 have the mean 0.7 0.7.
    found = text_embedding(Table(), "6", templates=["{}8", "8{}"])
    torch.testing.assert_close(found, torch.full((1, 2), 0.5**0.5))


def test_blends_are_weighted_means():
    found = text_embedding(Table(), [("68", 3), ("86", 1), ("00", 0)])
    torch.testing.assert_close(found, torch.nn.functional.normalize(torch.tensor([[0.65, 0.75]])))


def test_a_text_and_a_painting_are_blended():
    painting = torch.tensor([0.6, 0.8, 0.0]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
    torch.testing.assert_close(text_embedding(Table(), painting), torch.tensor([[0.6, 0.8]]))
    found = text_embedding(Table(), [(painting, 0.5), ("86", 0.5)])
    torch.testing.assert_close(found, torch.full((1, 2), 0.5**0.5))


def test_the_published_templates_are_80_with_a_place_for_the_prompt():
    assert len(set(IMAGENET_TEMPLATES)) == 80
    assert all(template.count("{}") == 1 for template in IMAGENET_TEMPLATES)
    assert "a photo of many {}." in IMAGENET_TEMPLATES


def test_braces_in_a_prompt_are_letters():
    class Recorder(Table):
        def encode_texts(self, texts):
            self.seen = texts
            return torch.ones(len(texts), 2)

    encoder = Recorder()
    text_embedding(encoder, "a {b} {0}", templates=["the {}."])
    assert encoder.seen == ["the a {b} {0}."]


@pytest.mark.parametrize(
    ("text", "options", "error", "message"),
    [
        (" ", {}, ValueError, "`text` must say something"),
        (5, {}, TypeError, "`text` must be a text, an image, or a list"),
        (["fire", "ice"], {}, TypeError, "`text` must be a text, an image, or a list"),
        ([("68",)], {}, ValueError, "`text` must have a weight for each prompt"),
        ([("68", -1)], {}, ValueError, "A weight of `text` must not be negative"),
        ([("68", 0)], {}, ValueError, "The weights of `text` must have a sum above 0"),
        ([], {}, ValueError, "The weights of `text` must have a sum above 0"),
        ([(None, 1)], {}, TypeError, "`text` must have texts and images"),
        (torch.rand(2, 3, 4, 4), {}, ValueError, "must be a single one, got a batch of 2"),
        (torch.rand(1, 3, 4, 4) * 255, {}, ValueError, r"An image of `text` must be in \[0, 1\]"),
        ("68", {"templates": "a {}"}, TypeError, "`templates` must be a sequence of texts"),
        ("68", {"templates": []}, ValueError, "`templates` must have at least one"),
        ("68", {"templates": [1]}, TypeError, "`templates` must be texts"),
        ("68", {"templates": ["a"]}, ValueError, r"`templates` must have \{\}"),
    ],
)
def test_what_is_no_prompt_is_refused(text, options, error, message):
    with pytest.raises(error, match=message):
        text_embedding(Table(), text, **options)


@pytest.mark.parametrize(("encoder", "got"), [(Table, "the class Table"), (torch.nn.ReLU(), "a ReLU")])
def test_an_encoder_has_both_methods(encoder, got):
    with pytest.raises(TypeError, match=f"`encoder` must have the methods.*got {got}"):
        text_embedding(encoder, "68")
