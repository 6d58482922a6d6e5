"""How many pictures does `pystyle serve` paint in a second, how long do clients wait, and is any mixed up?

    python benchmarks/load.py --sizes 256 512 --clients 1 8 32 --requests 64
    python benchmarks/load.py --memory-requests 10000

The service is a process of its own on the loopback, with the networks that come with pystyle. Each client has
a photograph and a learned style of its own, sends every other request as JSON, and compares each picture with
the one that it got while it was alone. The second form watches the resident memory of the service while four
clients send requests of 64 pixels, of which each tenth brings a painting; the slope is that of a straight
line through the second half.
"""

import argparse
import base64
import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from records import Line, append, machine, table
from soak import slope
from torch import Tensor

from pystyle.images import read_image, write_image
from pystyle.networks import pretrained

NETWORK = "masters"
SAMPLES = 40
MEMORY_SIZE, MEMORY_CLIENTS = 64, 4
SAME = 2.0
"""Levels of 255 by which two files of JPEG of one picture differ at most on average."""


class Answer(NamedTuple):
    """What came of a request: 0 is a status of none, and the distance is that to the expected picture."""

    status: int
    seconds: float
    distance: float = 0.0


class Client:
    """A client with a connection, a photograph and a style.

    Args:
        port: Of the service.
        number: Of the client; each has other pictures.
        size: Of its pictures, in pixels.
    """

    def __init__(self, port: int, number: int, size: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        names = pretrained(NETWORK).styles
        self.photograph, self.painting = picture(number, size), picture(10_000 + number, size)
        self.fields = {"network": NETWORK, "style": names[number % len(names)], "size": str(size)}
        self.expected: Tensor | None = None
        self.count = 0

    def ask(self, *, painting: bool = False) -> Answer:
        """Send a request, and compare the picture."""
        self.count += 1
        style = self.painting if painting else self.fields["style"]
        fields = {**self.fields, "content": self.photograph, "style": style}
        if painting:
            fields["network"] = "any-style-light"
        body, kind = (as_json if self.count % 2 else as_form)(fields)
        start = time.perf_counter()
        try:
            self.connection.request("POST", "/v1/paint", body, {"Content-Type": kind})
            answer = self.connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return Answer(0, time.perf_counter() - start)
        seconds = time.perf_counter() - start
        if answer.status != 200 or painting:
            return Answer(answer.status, seconds)
        found = 255 * read_image(io.BytesIO(data))
        if self.expected is None:
            self.expected = found
        same = found.shape == self.expected.shape
        return Answer(200, seconds, float((found - self.expected).abs().mean()) if same else 255.0)


def picture(seed: int, size: int) -> bytes:
    """The file of a picture of soft spots that no other seed has, 4:3."""
    noise = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(seed))
    stream = io.BytesIO()
    image = torch.nn.functional.interpolate(noise, (size, size * 4 // 3), mode="bicubic")
    write_image(image.clamp(0, 1), stream, format="jpeg")
    return stream.getvalue()


def as_json(fields: dict[str, str | bytes]) -> tuple[bytes, str]:
    """A body of JSON, and its type."""
    texts = {name: base64.b64encode(v).decode() if isinstance(v, bytes) else v for name, v in fields.items()}
    return json.dumps(texts).encode(), "application/json"


def as_form(fields: dict[str, str | bytes]) -> tuple[bytes, str]:
    """A body of a form, and its type."""
    parts = []
    for name, value in fields.items():
        file = '; filename="f"' if isinstance(value, bytes) else ""
        data = value if isinstance(value, bytes) else value.encode()
        head = f'--b0undary\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + b"--b0undary--\r\n", "multipart/form-data; boundary=b0undary"


@contextmanager
def serving(*options: str) -> Iterator[tuple[int, int]]:
    """A service in a process of its own: its port, and the id of its process."""
    command = [
        sys.executable,
        "-m",
        "pystyle",
        "serve",
        "--port",
        "0",
        "--network",
        NETWORK,
        "any-style-light",
    ]
    process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r":(\d+)\. ", line)
        if found is None:
            raise RuntimeError(f"The service did not start: {line}")
        yield int(found[1]), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=120)


def load(port: int, process: int, size: int, num_clients: int, requests: int) -> Line:
    """The figures of some clients that send requests one after the other, all at once."""
    clients = [Client(port, number, size) for number in range(num_clients)]
    alone = [client.ask() for client in clients for _ in range(2)]
    assert all(answer.status == 200 and answer.distance < SAME for answer in alone), alone
    pictures = [client.expected for client in clients if client.expected is not None]
    nearest = min(
        (float((a - b).abs().mean()) for a in pictures for b in pictures if a is not b), default=255.0
    )
    assert nearest > 2 * SAME, f"The pictures of two clients differ by {nearest} levels only."
    for client in clients:
        client.connection.close()  # The service does not hold one for long that says nothing.
    each = max(1, requests // num_clients)
    with ThreadPoolExecutor(num_clients) as pool:
        start, used = time.perf_counter(), processor_seconds(process)
        found = list(pool.map(lambda client: [client.ask() for _ in range(each)], clients))
        seconds, used = time.perf_counter() - start, processor_seconds(process) - used
    answers = [answer for some in found for answer in some]
    statuses = Counter(answer.status for answer in answers)
    durations = torch.tensor([answer.seconds for answer in answers])
    return {
        "size": size,
        "clients": num_clients,
        "requests": len(answers),
        "requests_per_second": len(answers) / seconds,
        "processor_seconds_each": used / len(answers),
        "seconds_alone": float(torch.tensor([answer.seconds for answer in alone]).median()),
        "p50": float(durations.quantile(0.5)),
        "p95": float(durations.quantile(0.95)),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "mixed_up": sum(answer.distance >= SAME for answer in answers),
        "largest_distance": max(answer.distance for answer in answers),
        "nearest_other": nearest,
    }


def memory(port: int, process: int, requests: int, most_seconds: float) -> Line:
    """How the resident memory of the service grows over many requests, or over what there is time for."""
    clients = [Client(port, number, MEMORY_SIZE) for number in range(MEMORY_CLIENTS)]
    lock, samples, statuses, mixed = threading.Lock(), [], Counter[int](), 0
    counts = iter(range(1, requests + 1))

    def work(client: Client) -> None:
        nonlocal mixed
        while True:
            with lock:
                number = next(counts, None)
            if number is None or time.perf_counter() - start > most_seconds:
                return
            answer = client.ask(painting=number % 10 == 0)
            with lock:
                statuses[answer.status] += 1
                mixed += answer.distance >= SAME
                if number % max(1, requests // SAMPLES) == 0:
                    samples.append((number, resident(process)))
                    print(*samples[-1], file=sys.stderr, flush=True)

    start = time.perf_counter()
    with ThreadPoolExecutor(MEMORY_CLIENTS) as pool:
        list(pool.map(work, clients))
    settled = sorted(samples)[len(samples) // 2 :]
    return {
        "size": MEMORY_SIZE,
        "clients": MEMORY_CLIENTS,
        "requests": sum(statuses.values()),
        "seconds": time.perf_counter() - start,
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "mixed_up": mixed,
        "resident_bytes": [memory for _, memory in sorted(samples)],
        "resident_bytes_per_1000_requests": slope([m for _, m in settled], [n for n, _ in settled]),
    }


def resident(process: int) -> int:
    """Bytes of memory that a process has, on Linux."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (kibibytes,) = (line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(kibibytes) * 1024


def processor_seconds(process: int) -> float:
    """Seconds that a process has computed, on Linux."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--requests", type=int, default=64, help="of all clients together")
    parser.add_argument("--memory-requests", type=int, help="watch the memory over this many requests")
    parser.add_argument("--memory-seconds", type=float, default=3600, help="after which no more are sent")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/load.jsonl"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # The clients are to leave the processor to the service.
    lines = []
    with serving() as (port, process):
        if arguments.memory_requests:
            figures = memory(port, process, arguments.memory_requests, arguments.memory_seconds)
            lines.append({"kind": "memory", **figures})
            append(arguments.output, {**lines[-1], "machine": machine(torch.device("cpu"))})
        else:
            for size in arguments.sizes:
                for count in arguments.clients:
                    lines.append({"kind": "load", **load(port, process, size, count, arguments.requests)})
                    append(arguments.output, {**lines[-1], "machine": machine(torch.device("cpu"))})
    if arguments.memory_requests:
        found = lines[0]["resident_bytes"]
        sizes = [f"{found[index] / 2**20:.0f}" for index in (0, len(found) // 2, -1)]
        growth = f"{lines[0]['resident_bytes_per_1000_requests'] / 1024:.0f}"
        row = [lines[0]["requests"], *sizes, growth, lines[0]["statuses"], lines[0]["mixed_up"]]
        columns = ["requests", "MiB at first", "half", "end", "KiB per 1,000", "statuses", "mixed up"]
        print(table(columns, [row]))
        return
    rows = [
        [line["size"], line["clients"], line["requests"], f"{line['requests_per_second']:.2f}"]
        + [f"{line[name]:.2f}" for name in ("processor_seconds_each", "seconds_alone", "p50", "p95")]
        + [f"{line['p95'] / line['seconds_alone']:.1f}", line["statuses"], line["mixed_up"]]
        for line in lines
    ]
    columns = ["pixels", "clients", "requests", "per second", "processor", "alone", "p50", "p95"]
    print(table([*columns, "p95 / alone", "statuses", "mixed up"], rows))


if __name__ == "__main__":
    main()
