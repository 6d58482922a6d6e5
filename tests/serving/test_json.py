"""Bodies of JSON: the same fields as those of a form, with pictures in base64."""

import base64

import pytest
from starlette.testclient import TestClient

from pystyle.serving import Limits

PNG = {"accept": "image/png"}


def text(data):
    return base64.b64encode(data).decode()


def sent(client, path="/v1/paint", **fields):
    return client.post(path, json=fields, headers=PNG)


def refused(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["detail"]


def test_a_picture_is_that_of_the_form_with_the_same_fields(client, flat):
    fields = {"size": 20, "strength": 0.5, "colors": "style"}
    files = {"content": ("c", flat(50)), "style": ("s", flat(150))}
    expected = client.post("/v1/paint", files=files, data=fields, headers=PNG)
    answer = sent(client, content=text(flat(50)), style=text(flat(150)), **fields)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == expected.content


def test_base64_may_have_line_breaks(client, flat, levels):
    broken = base64.encodebytes(flat(150)).decode()
    assert "\n" in broken.strip()
    content = broken.replace("\n", "\r\n")
    answer = sent(client, content=content, style=[broken, f"data:image/png;base64,{broken}"], size=20)
    assert (levels(answer.content) == 150).all()


@pytest.mark.parametrize("weights", [[1, 3], "1,3"])
def test_styles_are_blended(client, flat, levels, weights):
    styles = [f"data:image/png;base64,{text(flat(level))}" for level in (0, 200)]
    answer = sent(client, content=text(flat(100)), style=styles, weights=weights, size=20, quality=None)
    assert (levels(answer.content) == 125).all()  # (100 + 150) / 2


def test_a_learned_style_and_an_address_are_texts(client, flat, levels):
    assert (levels(sent(client, content=text(flat(51)), style="white", size=20).content) == 153).all()
    address = sent(client, "/v1/styles", style=text(flat(150))).json()["style"]
    answer = sent(client, content=text(flat(50)), style=address, size=20, style_size=20)
    assert (levels(answer.content) == 100).all()


def test_a_job_begins(client, flat):
    pictures = {"content": text(flat(1, 40, 40)), "style": [text(flat(2, 40, 40))]}
    answer = sent(client, "/v1/stylize", **pictures, size=32, steps=2, strength="subtle")
    assert answer.status_code == 202, answer.text
    assert answer.json()["num_steps"] == 2
    assert client.delete(f"/v1/stylize/{answer.json()['id']}").status_code == 204


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        (
            {"content": "photo.jpg"},
            422,
            "`content` must be the file of a picture in base64, got 'photo.jpg'.",
        ),
        ({"content": "/etc/passwd"}, 422, "No path and no address is opened."),
        ({"content": "R0lGODlh"}, 415, "`content` must be a picture in one of the formats"),
        ({"content": "é"}, 422, "No path and no address is opened."),
        ({"content": {"file": "x"}}, 422, "`content` must be a text, a number or a list of these, got"),
        ({"content": ["", ""]}, 422, "`content` must be given once, got it 2 times."),
        ({"style": "/9j/!"}, 422, "`style` must be the file of a picture in base64"),
        ({"style": "data:text/plain,hello"}, 422, "`style` must be the file of a picture in base64"),
        ({"style": "x" * 5000}, 400, "`style` has more than 4096 bytes."),
        ({"style": ["black"] * 50}, 400, "it has 52 values, more than 41."),
        ({"strength": True}, 422, "`strength` must be a text, a number or a list of these, got true."),
        ({"strength": 2}, 422, "`strength` must be a number from 0 to 1, got '2'."),
        ({"size": 20.5}, 422, "`size` must be an integer from 16 to "),
        ({"stile": "black"}, 422, "Did you mean 'style'?"),
    ],
)
def test_a_field_is_refused_with_a_sentence(client, flat, fields, status, sentence):
    found, detail = refused(
        sent(client, **{"content": text(flat(1)), "style": "black", "size": 20, **fields})
    )
    assert found == status
    assert sentence in detail


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"", 400, "The body cannot be read as JSON: "),
        (b"{", 400, "The body cannot be read as JSON: "),
        (b"\xff\xfe\xff", 400, "The body cannot be read as JSON: "),
        (b"[" * 200_000, 400, "The body cannot be read as JSON: "),
        (b'{"size": ' + b"9" * 5000 + b"}", 400, "The body cannot be read as JSON: "),
        (b'"text"', 422, "The body must be an object of JSON with the fields of the form."),
        (b"[1]", 422, "The body must be an object of JSON with the fields of the form."),
        (b'{"content": "", "style": "black", "size": NaN}', 422, "`size` must be an integer from 16 to "),
        (b'{"size": 20, "size": 30, "content": ""}', 422, "`size` must be given once, got it 2 times."),
        (b'{"content": "\\ud800"}', 422, "in base64"),
    ],
)
def test_a_body_is_refused_with_a_sentence(client, body, status, sentence):
    found, detail = refused(
        client.post("/v1/paint", content=body, headers={"content-type": "application/json; charset=utf-8"})
    )
    assert found == status
    assert sentence in detail


def test_a_body_has_its_limit(make, flat):
    with TestClient(make(limits=Limits(upload_bytes=2000)).app) as client:
        found, detail = refused(sent(client, content="A" * 2000, style="black"))
        assert (found, detail[:40]) == (413, "The body must have at most 2000 bytes. S")
        assert sent(client, content=text(flat(1)), style="black", size=20).status_code == 200


@pytest.mark.parametrize("path", ["/v1/paint", "/v1/styles", "/v1/stylize"])
def test_the_document_says_what_is_taken(client, path):
    document = client.get("/openapi.json").json()["paths"][path]["post"]
    kinds = document["requestBody"]["content"]
    form, found = (kinds[name]["schema"] for name in ("multipart/form-data", "application/json"))
    assert set(form["properties"]) == set(found["properties"])
    assert form["required"] == found["required"]
    pictures = found["properties"]["style"]
    first = pictures["anyOf"][0] if "anyOf" in pictures else pictures
    assert first["contentEncoding"] == "base64"
    assert "contentEncoding" not in str(form)
    assert set(kinds["application/json"]["example"]) >= set(found["required"])
