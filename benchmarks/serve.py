"""Latency of the SPARQL endpoint: one client and many, with connections that are kept and with new ones.

python -m benchmarks.serve GRAPH [--seconds 5]

GRAPH is the output folder of a build. `factmill serve` runs as a process of its own, clients are threads of this one.
Every row states requests per second and the median, 95th and 99th percentile of the time from sending a request to
having its whole answer, and how many answers were not 200.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from benchmarks.machine import processor

RESULTS = Path(__file__).parent / "results" / "serve.json"
QUERIES = {
    "ASK": "ASK {}",
    "100 names": "SELECT ?name { ?node rdfs:label ?name } LIMIT 100",
    "count": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
}
CLIENTS = (1, 20, 100)


@contextmanager
def served(graph: Path) -> Iterator[tuple[str, int, int]]:
    """Yield host, port and process id of an endpoint."""
    command = [sys.executable, "-m", "runners.cli.main", "serve", str(graph), "--sparql", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = None
        while found is None:
            found = re.search(r"http://([\d.]+):(\d+)/sparql", process.stderr.readline())
        threading.Thread(target=process.stderr.read, daemon=True).start()
        try:
            yield found[1], int(found[2]), process.pid
        finally:
            process.terminate()


def ask(host: str, port: int, query: str, keep: bool, until: float, times: list[float], failed: list[float]) -> None:
    """Send a query again and again, and note how long each answer takes."""
    connection = http.client.HTTPConnection(host, port, timeout=60)
    while time.monotonic() < until:
        started = time.monotonic()
        connection.request("GET", f"/sparql?query={quote(query)}")
        answer = connection.getresponse()
        answer.read()
        (times if answer.status == 200 else failed).append(time.monotonic() - started)
        if not keep:
            connection.close()
    connection.close()


def measure(host: str, port: int, query: str, keep: bool, clients: int, seconds: float) -> dict[str, float]:
    times: list[float] = []
    failed: list[float] = []
    started = time.monotonic()
    arguments = (host, port, query, keep, started + seconds, times, failed)
    threads = [threading.Thread(target=ask, args=arguments) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    quantiles = statistics.quantiles(times, n=100) if len(times) > 1 else [0.0] * 99
    return {
        "requests_per_second": round(len(times) / (time.monotonic() - started), 1),
        "p50_ms": round(1000 * quantiles[49], 2),
        "p95_ms": round(1000 * quantiles[94], 2),
        "p99_ms": round(1000 * quantiles[98], 2),
        "not_200": len(failed),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/serve.json")
    told = parser.parse_args()
    rows = []
    with served(told.graph) as (host, port, _):
        for name, query in QUERIES.items():
            for clients in CLIENTS:
                for keep in (True, False):
                    row = {"query": name, "clients": clients, "connection": "kept" if keep else "new"}
                    rows.append({**row, **measure(host, port, query, keep, clients, told.seconds)})
                    print("  ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    if told.write:
        machine = {"processor": processor(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
        RESULTS.write_text(json.dumps({"machine": machine, "seconds": told.seconds, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
