"""The page at `/` as what is sent; `test_browser.py` uses it in a browser."""

import re
from importlib.resources import files

import pytest
from starlette.testclient import TestClient

PAGE = files("pystyle.serving").joinpath("page")


@pytest.fixture
def sources():
    """The texts of the files of the page."""
    return {path.name: path.read_text(encoding="utf-8") for path in PAGE.iterdir()}


def test_the_page_and_its_files_are_sent_with_their_types(client, sources):
    assert client.get("/").text == sources["index.html"]
    types = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    for name, text in sources.items():
        answer = client.get(f"/page/{name}")
        assert answer.text == text
        assert answer.headers["content-type"] == f"{types[name.rpartition('.')[2]]}; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_may_load_nothing_from_elsewhere(client):
    for path in ("/", "/page/page.js"):
        headers = client.get(path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == "'none'"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"


def test_no_file_names_another_site_or_needs_what_the_policy_forbids(sources):
    for name, text in sources.items():
        text = text.replace("http://www.w3.org/2000/svg", "")  # A name, which nothing loads.
        assert not re.search(r"https?://|//\w+\.\w+/", text), name
        assert not re.search(r"\binnerHTML\b|\beval\(|\sstyle=\"|\son\w+=\"", text), name


def test_every_name_that_is_referred_to_is_there(sources):
    index = sources["index.html"]
    for path in re.findall(r'(?:href|src)="([^"]+)"', index):
        assert path.removeprefix("page/") in sources
    ids = re.findall(r'\bid="([\w-]+)"', index)
    assert len(ids) == len(set(ids))
    for name, text in sources.items():
        for module in re.findall(r'from "\./([^"]+)"', text):
            assert module in sources
        used = re.findall(r'\$\("([\w-]+)"\)', text) + re.findall(r'(?:for|describedby)="([\w-]+)"', text)
        assert set(used) <= set(ids), name


def test_every_control_has_a_label(sources):
    index = sources["index.html"]
    labelled = set(re.findall(r'<label for="([\w-]+)"', index))
    for attributes in re.findall(r"<(?:input|select|progress)\b([^>]*)>", index):
        name = re.search(r'id="([\w-]+)"', attributes)[1]
        inside = re.search(rf'<label[^>]*>\s*<input id="{name}"', index)
        assert name in labelled or inside or "aria-label" in attributes, name


def test_a_file_that_has_not_changed_is_not_sent_again(client):
    for path in ("/", "/page/style.css"):
        answer = client.get(path)
        assert answer.headers["cache-control"] == "no-cache"
        tag = answer.headers["etag"]
        for header in (tag, f'"other", W/{tag}'):
            again = client.get(path, headers={"if-none-match": header})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
        assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200
    assert client.get("/").headers["etag"] != client.get("/page/style.css").headers["etag"]


@pytest.mark.parametrize("name", ["none.js", "..%2f_app.py", "%2e%2e/_app.py", "page.js%00", "index"])
def test_no_other_file_is_sent(client, name):
    answer = client.get(f"/page/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_page_needs_no_key_and_what_it_asks_for_does(make):
    with TestClient(make(api_keys=["0123456789abcdef"]).app) as client:
        assert client.get("/").status_code == 200
        assert client.get("/page/page.js").status_code == 200
        assert client.get("/v1/styles").status_code == 401


def test_there_is_none_if_it_is_not_wanted(make):
    with TestClient(make(page=False).app) as client:
        assert client.get("/").status_code == 404
        assert client.get("/page/page.js").status_code == 404
        assert client.get("/healthz").status_code == 200
