"""Many clients at once, over a real connection: nothing is lost, mixed up, or left behind."""

import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import torch

from pystyle.networks import Painter, TransformNetwork
from pystyle.serving import Limits

BOUNDARY = "b0"
KIND = f"multipart/form-data; boundary={BOUNDARY}"


def form(**fields):
    """The body of a form."""
    parts = []
    for name, value in fields.items():
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, bytes):
            parts.append(f'{head}; filename="f"\r\n\r\n'.encode() + value + b"\r\n")
        else:
            parts.append(f"{head}\r\n\r\n{value}\r\n".encode())
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def post(port, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body, {"Content-Type": KIND, "Accept": "image/png"})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def number(port, name):
    """A number of `/metrics`; 0 where there is none yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} ")), 0.0)


def eventually(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@contextmanager
def held(tint):
    """A context in which the network has begun to paint and does not end."""
    tint.gate.clear()
    try:
        yield
    finally:
        tint.gate.set()


def test_clients_at_once_get_their_own_pictures(service, listening, flat, levels):
    def one(index):
        level, size = 2 * index, (20, 24)[index % 2]
        status, data, _ = post(port, "/v1/paint", form(content=flat(level), style=flat(100), size=size))
        return status, data, level // 2 + 50, size

    with listening(service) as port, ThreadPoolExecutor(8) as pool:
        for status, data, level, size in pool.map(one, range(60)):
            assert status == 200
            assert levels(data).shape[2] == size
            assert (levels(data) == level).all()
        assert number(port, "pystyle_pictures_total") == 60
        assert number(port, "pystyle_requests") == 0


def test_equal_sizes_are_painted_at_once_in_the_style_of_each(service, listening, flat, levels, tint):
    with listening(service) as port, ThreadPoolExecutor(8) as pool:
        with held(tint):
            first = pool.submit(post, port, "/v1/paint", form(content=flat(0), style=flat(0), size=20))
            assert tint.entered.wait(20)
            equal = [
                pool.submit(post, port, "/v1/paint", form(content=flat(10), style=flat(40 * index), size=20))
                for index in range(1, 5)
            ]
            other = pool.submit(post, port, "/v1/paint", form(content=flat(10), style=flat(30), size=21))
            eventually(lambda: len(service.worker._tasks) == 5)
        assert first.result()[0] == other.result()[0] == 200
        for index, one in enumerate(equal, 1):
            assert (levels(one.result()[1]) == 5 + 20 * index).all()
    assert sorted(tint.batches) == [1, 1, 4]


def test_a_batch_has_no_more_pixels_than_it_may_have(make, listening, flat, tint):
    limits = Limits(batch_pixels=2 * 20 * 30)
    with listening(make(limits=limits)) as port, ThreadPoolExecutor(8) as pool:
        with held(tint):
            jobs = [
                pool.submit(
                    post, port, "/v1/paint", form(content=flat(9), style=flat(9), size=20, style_size=20)
                )
                for _ in range(6)
            ]
            time.sleep(0.5)
        assert [job.result()[0] for job in jobs] == [200] * 6
    assert max(tint.batches) <= 2


def test_what_is_wrong_with_one_picture_of_a_batch_costs_no_other(service, listening, flat, levels, tint):
    forward = tint.forward

    def choosy(content, code):
        if (content == 0).any():
            raise RuntimeError("no black")
        return forward(content, code)

    tint.forward = choosy
    with listening(service) as port, ThreadPoolExecutor(8) as pool:
        with held(tint):
            pool.submit(post, port, "/v1/paint", form(content=flat(50), style=flat(0), size=20))
            assert tint.entered.wait(20)
            answers = [
                pool.submit(post, port, "/v1/paint", form(content=flat(level), style=flat(0), size=20))
                for level in (20, 0, 40)
            ]
            eventually(lambda: len(service.worker._tasks) == 3)
        assert [answer.result()[0] for answer in answers] == [200, 500, 200]
        assert (levels(answers[2].result()[1]) == 20).all()


def test_a_full_queue_says_when_to_come_back(make, listening, flat, tint):
    body = form(content=flat(1), style=flat(2), size=20)
    with listening(make(limits=Limits(queue_length=2))) as port, ThreadPoolExecutor(8) as pool:
        with held(tint):
            taken = [pool.submit(post, port, "/v1/paint", body) for _ in range(2)]
            eventually(lambda: number(port, "pystyle_requests") == 2)
            status, data, headers = post(port, "/v1/paint", body)
            assert status == 429
            assert int(headers["retry-after"]) >= 1
            assert "no more are taken" in json.loads(data)["detail"]
        assert [one.result()[0] for one in taken] == [200, 200]
        assert post(port, "/v1/paint", body)[0] == 200


def test_who_waits_too_long_is_told(make, listening, flat, tint):
    body = form(content=flat(1), style=flat(2), size=20)
    with listening(make(limits=Limits(seconds=0.3))) as port, ThreadPoolExecutor(2) as pool:
        with held(tint):
            first = pool.submit(post, port, "/v1/paint", body)
            assert tint.entered.wait(20)
            late = pool.submit(post, port, "/v1/paint", body)
            time.sleep(0.8)
        assert first.result()[0] == 200
        status, data, headers = late.result()
        assert (status, headers["retry-after"]) == (503, "10")
        assert "was not begun within 0.3 s" in json.loads(data)["detail"]


def raw(port, start):
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(start)
    return connection


def head(length):
    lines = ["POST /v1/paint HTTP/1.1", "Host: x", f"Content-Type: {KIND}", f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


def test_a_connection_that_is_closed_in_the_middle_of_an_upload_frees_its_place(
    make, listening, flat, caplog
):
    body = form(content=flat(1, 100, 100), style=flat(2), size=20)
    with listening(make(limits=Limits(queue_length=1))) as port:
        for cut in (0, 10, len(body) // 2, len(body) - 1):
            connection = raw(port, head(len(body)) + body[:cut])
            eventually(lambda: number(port, "pystyle_requests") == 1)
            connection.close()
            eventually(lambda: number(port, "pystyle_requests") == 0)
        assert post(port, "/v1/paint", body)[0] == 200
    assert "Traceback" not in caplog.text


def test_a_picture_that_nobody_waits_for_is_not_painted(service, listening, flat, tint):
    body = form(content=flat(1), style=flat(2), size=20)
    with listening(service) as port, ThreadPoolExecutor(1) as pool:
        with held(tint):
            first = pool.submit(post, port, "/v1/paint", body)
            assert tint.entered.wait(20)
            connection = raw(port, head(len(body)) + body)
            eventually(lambda: len(service.worker._tasks) == 1)
            connection.close()
            eventually(lambda: number(port, "pystyle_requests") == 1)
        assert first.result()[0] == 200
        assert post(port, "/v1/paint", form(content=flat(1), style=flat(2), size=21))[0] == 200
    assert tint.batches == [1, 1]


def test_a_slow_upload_ends(make, listening):
    with listening(make(limits=Limits(seconds=0.3))) as port:
        connection = raw(port, head(1000) + b"--b0\r\n")
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 408")
        connection.close()
        eventually(lambda: number(port, "pystyle_requests") == 0)


def test_a_declared_size_is_refused_before_the_body_comes(make, listening):
    with listening(make(limits=Limits(upload_bytes=1000))) as port:
        connection = raw(port, head(10**15))
        # The service reads as much as it would take, in case it comes, and no more.
        connection.sendall(bytes(2000))
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")
        connection.close()
        assert post(port, "/v1/paint", bytes(900_000))[0] == 413
        assert number(port, "pystyle_requests") == 0


def test_what_was_begun_is_answered_while_the_service_ends(service, listening, flat, tint):
    body = form(content=flat(1), style=flat(2), size=20)
    with ThreadPoolExecutor(1) as pool:
        with listening(service) as port, held(tint):
            first = pool.submit(post, port, "/v1/paint", body)
            assert tint.entered.wait(20)
            service.drain()
            status, _, headers = post(port, "/v1/paint", body)
            assert (status, headers["retry-after"]) == (503, "5")
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 503
            connection.close()
        assert first.result()[0] == 200


def test_a_batch_of_a_network_is_its_single_pictures():
    torch.manual_seed(0)
    network = TransformNetwork(width=1, styles=["a", "b"])
    torch.nn.init.normal_(network.codes)
    contents = torch.rand(2, 3, 16, 20)
    codes = [network.bind(name).codes[None] for name in "ab"]
    both = Painter(network, {None: torch.cat(codes)})(contents)
    for index, name in enumerate("ab"):
        assert (both[index] - network.bind(name)(contents[index : index + 1])[0]).abs().max() < 1e-4


@pytest.mark.parametrize(
    "bytes_sent", [b"\0" * 100, b"GET / HTTP/9\r\n\r\n", b"POST /v1/paint HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_request_is_refused(service, listening, bytes_sent):
    with listening(service) as port:
        connection = raw(port, bytes_sent)
        assert b" 4" in connection.recv(4096)[:20]
        connection.close()
        assert number(port, "pystyle_requests") == 0
