"""What a client must not send: a problem document with a sentence, and nothing is painted."""

import io
import struct
import tracemalloc
import zlib

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from pystyle.serving import Limits, Service

KEY, OTHER = "0123456789abcdef", "fedcba9876543210"


def problem(answer):
    """The status and the sentence of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert set(document) == {"type", "title", "status", "detail"}
    assert document["status"] == answer.status_code
    assert "Traceback" not in document["detail"]
    return document["status"], document["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/v1/styles", "/v1/stylize/" + "0" * 64])
def test_an_application_that_was_not_started_says_so(service, path):
    # Without a context the client does not start it, as an application does that another one mounts.
    status, detail = problem(TestClient(service.app).get(path))
    assert status == 503
    assert detail.startswith("The application was not started.")
    assert "`lifespan=service.running`" in detail


def test_a_picture_is_painted_as_soon_as_the_application_is_started(service, flat):
    def paint(client):
        return client.post("/art/v1/paint", files={"content": flat(10)}, data={"style": "black"})

    outer = Starlette(routes=[Mount("/art", app=service.app)], lifespan=service.running)
    assert problem(paint(TestClient(outer)))[0] == 503
    with TestClient(outer) as client:
        assert paint(client).status_code == 200


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, data, *, depth=8):
    """A PNG file whose header says one size and whose pixels may be others."""
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"style": "waves"}, 422, "`style` 'waves' is none of the learned styles black, white"),
        ({"style": "/etc/passwd"}, 422, "No path and no address of the web is opened."),
        ({"style": "https://example.org/a.png"}, 422, "No path and no address of the web is opened."),
        ({"style": "../secret"}, 422, "is none of the learned styles"),
        ({"style": "0" * 64}, 404, "`style` is no address of a style that is kept here."),
        ({"style": ["black", "0" * 64]}, 422, "`style` must be one of black, white for the network named"),
        ({"style": "black", "network": "tint"}, 422, "`style` 'black' is none of the file of a picture"),
        ({"style": "black", "network": "none"}, 422, "`network` must be one of tint, named, got 'none'."),
        ({}, 422, "`style` must be a picture for the network tint, got none."),
        ({"network": "named"}, 422, "`style` must be one of black, white for the network named, got none."),
        ({"style": "black", "strength": "2"}, 422, "`strength` must be a number from 0 to 1, got '2'."),
        ({"style": "black", "strength": "nan"}, 422, "`strength` must be a number from 0 to 1, got 'nan'."),
        ({"style": "black", "size": "4"}, 422, "`size` must be an integer from 16 to "),
        ({"style": "black", "size": "1e400"}, 422, "`size` must be an integer from 16 to "),
        ({"style": "black", "size": "huge"}, 422, " or 'original', got 'huge'."),
        ({"style": "black", "size": "4000"}, 413, "`content` must have at most 4200000 pixels"),
        ({"style": "black", "size": ["20", "30"]}, 422, "`size` must be given once, got it 2 times."),
        ({"style": "black", "colors": "red"}, 422, "`colors` must be one of style, content, luminance"),
        ({"style": "black", "quality": "0"}, 422, "`quality` must be an integer from 1 to 100, got '0'."),
        ({"style": "black", "weights": "1,2"}, 422, "for 1 of them."),
        ({"style": ["black", "white"], "weights": "-1,2"}, 422, "`weights` must be numbers between commas"),
        ({"style": ["black", "white"], "weights": "0,0"}, 422, "none negative and not all 0"),
        ({"stile": "black"}, 422, "Did you mean 'style'?"),
        ({"style": "x" * 5000}, 400, "The form cannot be read: "),
    ],
)
def test_a_field_is_refused_with_a_sentence(client, flat, tint, fields, status, sentence):
    answer = client.post("/v1/paint", files={"content": ("c", flat(1))}, data=fields)
    found, detail = problem(answer)
    assert found == status
    assert sentence in detail
    assert not tint.batches


@pytest.mark.parametrize("path", ["/v1/paint", "/v1/stylize"])
@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        (b"", 415, "`content` must be a picture in one of the formats JPEG, PNG, WebP."),
        (b"GIF89a" + bytes(50), 415, "in one of the formats"),
        (b"II*\0" + bytes(50), 415, "in one of the formats"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "in one of the formats"),
        (b"\xff\xd8\xff" + bytes(50), 422, "Cannot read `content`: "),
        (b"RIFF" + bytes(4) + b"WEBP" + bytes(50), 422, "Cannot read `content`: "),
        (png(100_000, 100_000, b""), 413, "it has 100000 x 100000 = 10000000000 pixels, more than 24000000."),
        (png(2**31 - 1, 2**31 - 1, b""), 413, "more than 24000000."),
        (png(64, 64, zlib.compress(bytes(100_000_000), 9)), None, ""),
        (png(64, 64, zlib.compress(bytes(100_000_000), 9), depth=16), None, ""),
    ],
    ids=["empty", "gif", "tiff", "svg", "jpeg", "webp", "huge", "largest", "bomb", "bomb16"],
)
def test_a_picture_is_refused_or_takes_no_more_than_its_header_says(
    client, flat, path, data, status, sentence
):
    files = {"content": ("c", data), "style": ("s", flat(1, 40, 40))}
    tracemalloc.start()
    answer = client.post(path, files=files, data={"size": "32"})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
    if status is None:
        assert answer.status_code in (200, 202, 422)
        return
    found, detail = problem(answer)
    assert found == status
    assert sentence in detail
    assert "max_pixels" not in detail


def test_a_text_bomb_is_refused(client, flat):
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100_000_000), 9))
    data = flat(1)
    bomb = data[:33] + text + data[33:]
    answer = client.post("/v1/paint", files={"content": ("c", bomb)}, data={"style": "black", "size": "20"})
    assert answer.status_code in (200, 422)


def test_a_style_is_refused_as_a_content_is(client, flat):
    answer = client.post("/v1/styles", files={"style": ("s", png(100_000, 100_000, b""))})
    assert problem(answer)[0] == 413
    answer = client.post("/v1/styles", files={"style": ("s", flat(1, 5, 90))})
    assert problem(answer) == (422, "`style` must have sides of at least 16 pixels, got 5 x 90.")
    answer = client.post("/v1/styles", data={"style": "/etc/passwd"}, files={"x": ("y", b"")})
    assert problem(answer)[0] == 422
    files = {"content": ("c", flat(1)), "style": ("s", flat(1, 16, 9000))}
    answer = client.post("/v1/paint", files=files, data={"style_size": "600"})
    assert problem(answer)[0] == 413


def test_a_path_in_the_place_of_a_file_is_not_opened(client):
    answer = client.post(
        "/v1/paint", data={"content": "/etc/passwd", "style": "black"}, files={"x": ("y", b"")}
    )
    assert problem(answer)[0] == 422
    answer = client.post("/v1/paint", files={"style": ("", b"black"), "content": (None, "/etc/passwd")})
    assert "No path and no address is opened" in problem(answer)[1]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content-type": "text/plain"}, b"{}", 415),
        ({"content-type": "application/json"}, b"{}", 422),
        ({}, b"x", 415),
        ({"content-type": "multipart/form-data"}, b"x", 400),
        ({"content-type": "multipart/form-data; boundary=a"}, b"no form at all", 400),
        ({"content-type": "multipart/form-data; boundary=a"}, b"--a\r\n\r\nx\r\n--a--\r\n", 400),
        ({"content-type": "multipart/form-data; boundary=a"}, b"", 422),
        ({"content-type": "multipart/form-data; boundary=" + "a" * 5000}, b"x", 400),
    ],
)
def test_a_body_that_is_no_form_is_refused(client, headers, body, status):
    assert problem(client.post("/v1/paint", content=body, headers=headers))[0] == status


def test_too_many_files_and_fields_are_refused(client, flat):
    many = [("style", ("s", flat(1)))] * 20
    assert problem(client.post("/v1/paint", files=many))[0] == 400
    fields = {f"field{index}": "1" for index in range(100)}
    assert problem(client.post("/v1/paint", files=many[:1], data=fields))[0] == 400


def test_a_body_that_is_too_large_is_refused_with_and_without_a_length(make):
    with TestClient(make(limits=Limits(upload_bytes=1000)).app) as client:
        files = {"content": ("c", bytes(2000))}
        assert problem(client.post("/v1/paint", files=files)) == (
            413,
            "The body must have at most 1000 bytes. Send a smaller picture.",
        )
        headers = {"content-type": "multipart/form-data; boundary=a"}
        start = b'--a\r\nContent-Disposition: form-data; name="content"; filename="c"\r\n\r\n'
        pieces = iter([start, *[bytes(500)] * 10])
        assert problem(client.post("/v1/paint", content=pieces, headers=headers))[0] == 413


@pytest.mark.parametrize("accept", ["text/html", "image/avif", "image/*;q=0", "image/png;q=none"])
def test_a_format_that_there_is_not_is_refused(client, flat, accept):
    files = {"content": ("c", flat(1)), "style": ("s", flat(2))}
    assert problem(client.post("/v1/paint", files=files, headers={"accept": accept}))[0] == 406


def test_other_paths_and_methods_are_problems_too(client):
    assert problem(client.get("/v1/nothing"))[0] == 404
    answer = client.put("/v1/paint")
    assert problem(answer)[0] == 405
    assert "POST" in answer.headers["allow"]
    for path in ("/v1/stylize", "/v1/jobs", "/v1/styles/" + "0" * 64):
        assert client.get(path).status_code in (404, 405)


def test_without_a_key_nothing_is_answered_but_the_health(make, flat):
    with TestClient(make(api_keys=[KEY, OTHER]).app) as client:
        files = {"content": ("c", flat(1)), "style": ("s", flat(2))}
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {KEY}"}):
            answer = client.post("/v1/paint", files=files, headers=headers)
            assert problem(answer)[0] == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert client.get("/metrics", headers=headers).status_code == 401
            assert client.get("/v1/styles", headers=headers).status_code == 401
        assert client.get("/healthz").status_code == 200
        assert client.get("/openapi.json").json()["security"] == [{"key": []}]
        answer = client.post(
            "/v1/paint", files=files, data={"size": "20"}, headers={"authorization": f"Bearer {OTHER}"}
        )
        assert answer.status_code == 200


def test_who_knows_a_picture_does_not_know_its_address(make, flat):
    with TestClient(make(api_keys=[KEY, OTHER]).app) as client:
        mine, other, again = (
            client.post(
                "/v1/styles", files={"style": ("s", flat(7))}, headers={"authorization": f"Bearer {key}"}
            ).json()["style"]
            for key in (KEY, OTHER, KEY)
        )
    assert mine == again != other
    with TestClient(make().app) as client:
        assert client.post("/v1/styles", files={"style": ("s", flat(7))}).json()["style"] not in (mine, other)


@pytest.mark.parametrize("key", ["", "short", "a" * 15, "with space " * 3, "ü" * 20])
def test_a_key_that_is_no_secret_is_refused(make, key):
    with pytest.raises(ValueError, match="at least 16 printable ASCII characters"):
        make(api_keys=[key])


def test_pages_of_other_sites_are_refused_and_get_no_headers_of_cors(client, flat):
    files = {"content": ("c", flat(1)), "style": ("s", flat(2))}
    for origin in ("https://evil.example", "null", "http://testserver.evil.example"):
        answer = client.post("/v1/paint", files=files, headers={"origin": origin})
        assert problem(answer)[0] == 403
    answer = client.post(
        "/v1/paint", files=files, data={"size": "20"}, headers={"origin": "http://testserver"}
    )
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_an_error_of_the_service_tells_nothing_of_it(make, flat, tint, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("a secret path /srv/x")

    monkeypatch.setattr(tint, "forward", broken)
    with TestClient(make().app) as client:
        files = {"content": ("c", flat(1)), "style": ("s", flat(2))}
        answer = client.post("/v1/paint", files=files, data={"size": "20"})
    assert problem(answer) == (500, "The service failed. Its log has the reason.")
    assert "a secret path" in caplog.text


def test_a_lack_of_memory_is_the_sentence_of_the_library(make, flat, tint, monkeypatch):
    def full(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")

    monkeypatch.setattr(tint, "forward", full)
    with TestClient(make().app) as client:
        files = {"content": ("c", flat(1)), "style": ("s", flat(2))}
        answer = client.post("/v1/paint", files=files, data={"size": "20"})
    status, detail = problem(answer)
    assert status == 413
    assert "Painting the picture takes more memory than was free." in detail


def test_a_service_needs_a_network():
    with pytest.raises(ValueError, match="`networks` must have at least one network"):
        Service({})


@pytest.mark.parametrize("name", ["upload_bytes", "queue_length", "job_seconds", "memory_budget"])
def test_a_limit_is_positive(name):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        Limits(**{name: 0})


def test_a_jpeg_and_a_webp_are_read(client, levels):
    for format in ("JPEG", "WEBP"):
        stream = io.BytesIO()
        Image.new("RGB", (30, 20), (200, 200, 200)).save(stream, format)
        files = {"content": ("c", stream.getvalue())}
        answer = client.post(
            "/v1/paint", files=files, data={"style": "black", "size": "20"}, headers={"accept": "image/png"}
        )
        assert (levels(answer.content) - 100).abs().max() <= 1
