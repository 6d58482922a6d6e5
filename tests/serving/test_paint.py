"""`POST /v1/paint` and `/v1/styles`: what comes back is what the library paints."""

import io

import pytest
import torch
from PIL import Image

from pystyle.colors import match_colors
from pystyle.images import read_image, resize, write_image
from pystyle.networks import AnyStyleNetwork, TransformNetwork

PNG = {"accept": "image/png"}


def noise(height, width, seed):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def file_of(image):
    stream = io.BytesIO()
    write_image(image, stream)
    return stream.getvalue()


def painted(client, content, *styles, **fields):
    files = [("content", ("c", content)), *(("style", ("s", style)) for style in styles)]
    answer = client.post("/v1/paint", files=files, data=fields, headers=PNG)
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_picture_is_the_mean_of_content_and_style(client, flat, levels):
    found = levels(painted(client, flat(50), flat(150), size="20"))
    assert found.shape == (1, 3, 20, 30)
    assert (found == 100).all()


def test_a_picture_is_that_of_the_network_of_the_library(make, levels):
    from starlette.testclient import TestClient

    torch.manual_seed(0)
    network = AnyStyleNetwork(width=2, features="light")
    content, style = file_of(noise(40, 60, 0)), file_of(noise(50, 48, 1))
    with TestClient(make(networks={"any": network}).app) as client:
        fields = {"size": "37", "style_size": "33", "strength": "0.6", "colors": "content"}
        data = painted(client, content, style, **fields)
    photograph, painting = (read_image(io.BytesIO(data)) for data in (content, style))
    small = resize(photograph, 37)
    expected = match_colors(network.bind(resize(painting, 33))(small, strength=0.6), small)
    assert (levels(data) - (255 * expected).round()).abs().max() <= 1


def test_a_learned_style_is_found_by_its_name_alone(client, flat, levels):
    assert (levels(painted(client, flat(51), style="white", size="20")) == 153).all()
    assert (levels(painted(client, flat(50), style="black", size="20")) == 25).all()


@pytest.mark.parametrize(("weights", "level"), [("1,3", 121), ("1,0", 25), ("2,2", 89)])
def test_styles_are_blended_by_their_weights(client, flat, levels, weights, level):
    answer = painted(client, flat(50), style=["black", "white"], weights=weights, size="20")
    assert (levels(answer) - level).abs().max() <= 1


def test_styles_of_files_are_blended_in_their_order(client, flat, levels):
    found = levels(painted(client, flat(100), flat(0), flat(200), weights="1,3", size="20"))
    assert (found == 125).all()  # (100 + 150) / 2


def test_strength_mixes_with_the_content(client, flat, levels):
    assert (levels(painted(client, flat(50), flat(150), size="20", strength="0.5")) == 75).all()


def test_the_luminance_alone_is_painted(client, flat, levels):
    red = file_of(torch.tensor([0.8, 0.2, 0.2]).reshape(1, 3, 1, 1).expand(1, 3, 20, 20).clone())
    found = levels(painted(client, red, flat(255), size="20", colors="luminance"))[0, :, 0, 0]
    assert found[0] > found[1] + 100


def test_size_original_leaves_the_size(client, flat, levels):
    assert levels(painted(client, flat(9, 33, 21), flat(9), size="original")).shape == (1, 3, 33, 21)
    assert levels(painted(client, flat(9, 33, 21), flat(9), size="42")).shape == (1, 3, 66, 42)


def test_a_photograph_is_upright(client, flat, levels):
    stream, picture = io.BytesIO(), Image.new("RGB", (40, 20))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(stream, "JPEG", exif=exif)
    assert levels(painted(client, stream.getvalue(), flat(0), size="original")).shape == (1, 3, 40, 20)


@pytest.mark.parametrize(
    ("accept", "media_type", "format"),
    [
        ("image/png", "image/png", "PNG"),
        ("image/webp,*/*;q=0.5", "image/webp", "WEBP"),
        ("text/html, image/*;q=0.8", "image/jpeg", "JPEG"),
        ("*/*", "image/jpeg", "JPEG"),
        ("image/jpeg;q=0.1, image/png;q=0.2", "image/png", "PNG"),
        ("image/jpeg;q=0, */*", "image/png", "PNG"),
    ],
)
def test_the_client_chooses_the_format(client, flat, accept, media_type, format):
    files = {"content": ("c", flat(1)), "style": ("s", flat(2))}
    answer = client.post("/v1/paint", files=files, data={"size": "20"}, headers={"accept": accept})
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"] == "no-store"
    assert Image.open(io.BytesIO(answer.content)).format == format


def test_an_uploaded_style_is_addressed_by_its_hash(client, flat, levels):
    answers = [client.post("/v1/styles", files={"style": ("s", flat(level))}) for level in (150, 150, 151)]
    assert [answer.status_code for answer in answers] == [201] * 3
    first, again, other = (answer.json()["style"] for answer in answers)
    assert first == again != other
    assert answers[0].json() == {"style": first, "width": 30, "height": 20}
    for _ in range(2):
        assert (levels(painted(client, flat(50), style=first, size="20", style_size="20")) == 100).all()


def test_a_style_is_looked_at_once(make, flat):
    from starlette.testclient import TestClient

    class Counting(AnyStyleNetwork):
        looked = 0

        def represent_style(self, style):
            type(self).looked += 1
            return super().represent_style(style)

    with TestClient(make(networks={"any": Counting(width=1, features="light")}).app) as client:
        address = client.post("/v1/styles", files={"style": ("s", flat(9, 32, 32))}).json()["style"]
        for size in ("32", "32", "40"):
            painted(client, flat(5, 32, 32), style=address, size="32", style_size=size)
    assert Counting.looked == 2


def test_styles_outlive_a_restart_and_the_oldest_goes(make, flat, tmp_path):
    from starlette.testclient import TestClient

    from pystyle.serving import Limits

    limits, addresses = Limits(num_styles=2), []
    for levels in ((1, 2), (3,)):
        with TestClient(make(limits=limits, folder=tmp_path / "state").app) as client:
            for level in levels:
                answer = client.post("/v1/styles", files={"style": ("s", flat(level))})
                addresses.append(answer.json()["style"])
                assert "pystyle_styles " in client.get("/metrics").text
            kept = [
                client.post(
                    "/v1/paint", files={"content": ("c", flat(9))}, data={"style": one, "size": "20"}
                ).status_code
                for one in addresses
            ]
    assert kept == [404, 200, 200]


def test_networks_and_learned_styles_are_listed_and_nothing_else(client, flat):
    client.post("/v1/styles", files={"style": ("s", flat(1))})
    assert client.get("/v1/styles").json() == {
        "networks": [
            {"name": "tint", "styles": [], "smallest": 16},
            {"name": "named", "styles": ["black", "white"], "smallest": 16},
        ]
    }


def test_a_shipped_network_paints(make, levels):
    from starlette.testclient import TestClient

    torch.manual_seed(0)
    network = TransformNetwork(width=1, styles=["waves"])
    content = file_of(noise(32, 40, 0))
    with TestClient(make(networks={"one": network}).app) as client:
        # The only style of a network need not be named.
        found = levels(painted(client, content, size="32", network="one"))
    expected = network.bind("waves")(read_image(io.BytesIO(content)))
    assert (found - (255 * expected).round()).abs().max() <= 1
