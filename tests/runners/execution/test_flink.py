"""Builds on a real Flink cluster: JobManager, two TaskManagers and their Python workers are processes of their own."""

import json
from base64 import b64decode
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import randbytes
from threading import Thread

import apache_beam as beam
import pytest
from apache_beam.coders import VarIntCoder
from click.testing import CliRunner

from pipeline.beam.bucketed_group_by_key import BucketedGroupByKey, ValueType
from pipeline.beam.run import choose_runner, run
from pipeline.store.store import FOLDER
from runners.cli.main import main
from runners.execution.flink import submission
from runners.execution.server_process import free_port
from schemas import TABLES
from sinks import GraphTables
from tests.runners.graph_files import written

# With so many behind it every value fills a block, which is then as small as what does not compress.
ZEROS = 1 << 20
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@pytest.fixture
def there(flink):
    """What sends a command to the cluster."""
    cluster, endpoint = flink
    return ("--runner", "flink", "--flink-master", cluster.master, f"--job_endpoint={endpoint}")


def factmill(*args):
    result = CliRunner().invoke(main, [*map(str, args), "--debug"])
    assert result.exit_code == 0, f"{result.output}\n{result.exception}"
    return result


def beam_counters(cluster, jobs):
    """Our counters as Flink's REST API tells them, among the accumulators of jobs: sums by stage and name."""
    found = Counter()
    for job in jobs:
        (kept,) = cluster.ask(f"/jobs/{job['jid']}/accumulators")["user-task-accumulators"]
        for metric in json.loads(kept["value"])["metrics"]["attempted"]:
            if metric["urn"] == "beam:metric:user:sum_int64:v1":
                stage, name = metric["labels"]["NAMESPACE"].removeprefix("factmill."), metric["labels"]["NAME"]
                found[stage, name] += VarIntCoder().decode(b64decode(metric["payload"]))
    return found


@pytest.mark.server
def test_a_build_leaves_what_this_machine_leaves(flink, there, tmp_path):
    cluster = flink[0]
    earlier = {job["jid"] for job in cluster.ask("/jobs/overview")["jobs"]}
    for folder, where in (("local", ("--runner", "memory")), ("flink", there)):
        told = factmill("build", EXAMPLES / "encyclopedia.xml", "--limit", 12, "--out", tmp_path / folder, *where)
    assert written(tmp_path / "flink") == written(tmp_path / "local")

    # What Flink says, what Beam counts there, what the report, the tables and the summary say is the same.
    jobs = [job for job in cluster.ask("/jobs/overview")["jobs"] if job["jid"] not in earlier]
    assert [job["state"] for job in jobs] == ["FINISHED", "FINISHED"]
    assert all(job["tasks"]["finished"] == job["tasks"]["total"] for job in jobs)
    rows = {name: GraphTables.open(tmp_path / "flink").count(name) for name in TABLES}
    report, local = (json.loads((tmp_path / name / "run.json").read_text()) for name in ("flink", "local"))
    assert report["counts"] == local["counts"]
    assert {name: report["counts"]["rows"].get(name, 0) for name in TABLES} == rows
    assert rows["documents"] == 12
    counted = beam_counters(cluster, jobs)
    assert counted["read", "records"] == sum(report["counts"]["read"].values()) == 12
    assert counted["extract", "documents"] == report["counts"]["extracted"]["now"] == 12
    assert {name: counted["write", name] for name in TABLES} == rows
    shards = len(list((tmp_path / "flink" / FOLDER).glob("shard-*")))
    vertices = [vertex for job in jobs for vertex in cluster.ask(f"/jobs/{job['jid']}")["vertices"]]
    (grouped,) = [
        vertex
        for vertex in vertices
        if vertex["name"] == "GroupReduce (GroupReduce at Assign shards/group by shard/bucket)"
    ]
    (extracted,) = [vertex for vertex in vertices if "{Extract, " in vertex["name"]]
    assert grouped["metrics"]["write-records"] == extracted["metrics"]["read-records"] == shards
    assert f"merged into {rows['edges']:,} edges" in told.stdout


@pytest.mark.server
def test_an_update_leaves_what_this_machine_leaves(there, checkpoint, texts, tmp_path):
    where = ("--model", checkpoint, "--runner", "memory", "--no-link", "--no-resolve")
    for name, files in (("both", texts), ("one", texts / "ada.txt")):
        factmill("build", files, "--out", tmp_path / name, *where)
    factmill("update", tmp_path / "one", texts / "alan.txt", "--workers", 1, *there)
    assert written(tmp_path / "one") == written(tmp_path / "both")


def answering(body: bytes, status: int = 200) -> HTTPServer:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"flink-version": "2.2.1", "slots-total": 4}', "runs Flink 2.2.1, and the job server that factmill starts"),
        (b'{"flink-version": "1.19.3", "slots-total": 0}', "has no slot: start a TaskManager"),
        (b'{"flink-version": "1.19.3", "slots-total": 2}', "--workers 3: the Flink cluster at"),
        (b'{"status": "well"}', "is not Flink: give the address of Flink's REST API"),
        (b"<html>", "Flink does not answer at"),
    ],
)
def test_what_cannot_take_a_pipeline_is_told_before_any_work(body, message, checkpoint, texts, tmp_path):
    server = answering(body)
    arguments = ["--model", checkpoint, "--runner", "flink", "--flink-master", f"127.0.0.1:{server.server_port}"]
    assert_refused(texts, tmp_path, [*arguments, "--workers", 3], message)
    server.shutdown()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--runner", "flink"], "the address of Flink is missing: add --flink-master HOST:PORT"),
        (["--runner", "flink", "--flink-master", "localhost"], "--flink-master takes HOST:PORT"),
        (["--runner", "flink", "--flink-master", f"127.0.0.1:{free_port()}"], "Flink does not answer at"),
        (["--flink-master", "localhost:8081"], "--flink-master goes with --runner flink, not with --runner local"),
    ],
)
def test_mistakes_are_told_before_any_work(arguments, message, texts, tmp_path):
    assert_refused(texts, tmp_path, arguments, message)


def test_a_machine_without_java_is_told_what_to_install(texts, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    message = "'java' is not on the PATH: install a Java 17 runtime"
    assert_refused(texts, tmp_path, ["--runner", "flink", "--flink-master", "[local]"], message, code=1)


@pytest.mark.parametrize("command", [("update", "graph", "a.txt"), ("merge", "a", "b", "--out", "c")])
def test_commands_that_change_a_graph_take_the_same_options(command):
    result = CliRunner().invoke(main, [*command, "--runner", "flink"])
    assert "the address of Flink is missing: add --flink-master HOST:PORT" in result.stderr
    assert result.exit_code == 2


def assert_refused(texts, tmp_path, arguments, message, code=2):
    result = CliRunner().invoke(main, ["build", str(texts), "--out", str(tmp_path / "out"), *map(str, arguments)])
    assert message in result.stderr
    assert result.exit_code == code
    assert not (tmp_path / "out").exists()


@dataclass
class Shuffles:
    """A flow of many shuffles, which share the memory; one has a bucket of more than it can sort."""

    sizes: list[int]
    out: str
    others: int = 11

    def construct(self, pipeline):
        random, zeros, out = randbytes, bytes(ZEROS), self.out
        for number, sizes in enumerate([self.sizes, *[[1]] * self.others]):
            pairs = (
                pipeline
                | f"sizes {number}" >> beam.Create(sizes)
                | f"of {number}" >> beam.Map(lambda size: (0, random(size) + zeros))
            )
            _ = (
                (pairs,)
                | f"shuffle {number}" >> BucketedGroupByKey(1, ValueType(bytes))
                | f"write {number}"
                >> beam.Map(
                    lambda group, file: Path(file).write_text(json.dumps([len(value) for value in group[1]])),
                    f"{out}/{number}",
                )
            )


@pytest.mark.server
def test_a_bucket_may_have_more_than_the_memory_to_sort_it(flink, tmp_path):
    cluster, endpoint = flink
    sizes = [50_000] * 240
    with submission(cluster.master, None, [f"--job_endpoint={endpoint}"]) as beam_options:
        run(Shuffles(sizes, str(tmp_path)), *choose_runner("flink", 2, beam_options))
    assert json.loads((tmp_path / "0").read_text()) == [size + ZEROS for size in sizes]
