"""What programs read about a service: OpenAPI and numbers for Prometheus."""

import pytest
from starlette.testclient import TestClient

from pystyle.serving import Limits


def test_the_document_has_every_path_and_method_and_no_other(make):
    service = make(page=False)  # Which is for people, and no part of the document.
    with TestClient(service.app) as client:
        document = client.get("/openapi.json").json()
    documented = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    answered = {
        (method, route.path) for route in service.app.routes for method in route.methods if method != "HEAD"
    }
    assert documented == answered


@pytest.mark.parametrize("path", ["/v1/paint", "/v1/styles", "/v1/stylize"])
def test_the_fields_of_a_form_are_those_that_are_taken(client, path):
    document = client.get("/openapi.json").json()["paths"][path]["post"]
    schema = document["requestBody"]["content"]["multipart/form-data"]["schema"]
    answer = client.post(path, data={"none of them": "x"}, files={"content": ("c", b"")})
    known = answer.json()["detail"].partition("; there are ")[2].partition(".")[0].split(", ")
    assert sorted(schema["properties"]) == sorted(known)
    assert set(schema["required"]) <= set(known)


@pytest.mark.parametrize("path", ["/v1/paint", "/v1/stylize"])
def test_the_defaults_and_bounds_of_the_document_are_taken(client, flat, path):
    document = client.get("/openapi.json").json()["paths"][path]["post"]
    schema = document["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    files = {"content": ("c", flat(1, 40, 40)), "style": ("s", flat(2, 40, 40))}
    fields = {name: str(value["default"]) for name, value in schema.items() if "default" in value}
    answer = client.post(path, files=files, data={**fields, "size": "32"})
    assert answer.status_code in (200, 202), answer.text
    for name, value in schema.items():
        for bound in ("minimum", "maximum"):
            for kind in value.get("anyOf", [value]):
                if bound in kind and (name, bound) not in [("size", "maximum"), ("style_size", "maximum")]:
                    beyond = kind[bound] + (1 if bound == "maximum" else -1)
                    data = {"size": "32", name: str(beyond)}
                    assert client.post(path, files=files, data=data).status_code == 422


def test_every_status_that_a_client_meets_is_documented(client, flat):
    paths = client.get("/openapi.json").json()["paths"]
    files = {"content": ("c", flat(1)), "style": ("s", flat(2))}
    sent = [
        {"files": files, "data": {"size": "20"}},
        {"files": files, "data": {"size": "none"}},
        {"files": files, "headers": {"accept": "text/html"}},
        {"files": files, "headers": {"origin": "https://evil.example"}},
        {"files": {"content": ("c", b"x")}, "data": {"style": "black"}},
        {"content": b"x"},
        {"data": {"style": "0" * 64}, "files": {"content": ("c", flat(1))}},
    ]
    found = {client.post("/v1/paint", **request).status_code for request in sent}
    assert found == {200, 403, 404, 406, 415, 422}
    assert {str(status) for status in found} <= set(paths["/v1/paint"]["post"]["responses"])


def test_numbers_are_in_the_format_of_prometheus(client, flat):
    files = {"content": ("c", flat(1)), "style": ("s", flat(2))}
    for size in ("20", "21", "none"):
        client.post("/v1/paint", files=files, data={"size": size})
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'pystyle_requests_total{path="/v1/paint",status="200"} 2' in lines
    assert 'pystyle_requests_total{path="/v1/paint",status="422"} 1' in lines
    assert "pystyle_pictures_total 2" in lines
    assert "pystyle_requests 0" in lines
    assert 'pystyle_paint_seconds_bucket{le="+Inf"} 2' in lines
    assert "pystyle_paint_seconds_count 2" in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    buckets = [int(line.split()[1]) for line in lines if line.startswith("pystyle_paint_seconds_bucket")]
    assert buckets == sorted(buckets)


def test_paths_of_clients_make_no_labels(client):
    for index in range(5):
        client.get(f"/nothing/{index}")
        client.get(f"/v1/stylize/{index}")
    text = client.get("/metrics").text
    assert 'pystyle_requests_total{path="other",status="404"} 5' in text
    assert 'pystyle_requests_total{path="/v1/stylize/{job}",status="404"} 5' in text
    assert "/nothing" not in text


def test_the_limits_are_in_the_document(make):
    with TestClient(make(limits=Limits(job_steps=7)).app) as client:
        text = client.get("/openapi.json").text
    assert '"maximum":7' in text
    assert '"securitySchemes"' not in text
