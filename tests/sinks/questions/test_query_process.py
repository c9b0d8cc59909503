import io
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from sinks import CypherWriter, QueryError
from sinks.questions.query_limits import (
    AnswerTooLarge,
    QueryCancelled,
    QueryCrash,
    QueryLimits,
    QueryTimeout,
    TooManyQueries,
)
from sinks.questions.query_process import QueryPool, QueryProcess
from tests.sinks.graphs import SCHEMA, random_graph

ENGINE = "sinks.questions.cypher_engine:CypherEngine"
ENDLESS = "UNWIND range(1, 9999) AS x UNWIND range(1, 9999) AS y UNWIND range(1, 9999) AS z RETURN sum(x * y % z)"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    folder = tmp_path_factory.mktemp("database")
    CypherWriter().write(random_graph(200, 2000).write(folder), folder / "graph.db", SCHEMA)
    return folder / "graph.db"


@pytest.fixture
def process(database):
    process = QueryProcess(ENGINE, database, QueryLimits(seconds=3, memory=2**28, answer=2**20))
    yield process
    process.close()


def ask(process, cypher, **options):
    output = io.BytesIO()
    process.ask({"cypher": cypher, "parameters": {}}, output, **options)
    return output.getvalue()


def running(process):
    return process._running.process


def test_a_process_stays_for_the_next_query(process):
    assert ask(process, "RETURN 1") == b"[1]\n"
    first = running(process).pid
    with pytest.raises(QueryError):
        ask(process, "RETURN nothing")
    assert ask(process, "RETURN 2") == b"[2]\n"
    assert running(process).pid == first


def test_a_query_is_stopped_when_its_time_is_over(process):
    ask(process, "RETURN 1")
    first = running(process)
    started = time.monotonic()
    with pytest.raises(QueryTimeout, match="longer than 3 seconds and was stopped"):
        ask(process, ENDLESS)
    assert time.monotonic() - started < 10
    assert first.poll() is not None
    assert ask(process, "RETURN 1") == b"[1]\n"


def test_a_query_is_stopped_when_nobody_waits_for_it(process):
    ask(process, "RETURN 1")
    first, started = running(process), time.monotonic()
    with pytest.raises(QueryCancelled):
        ask(process, ENDLESS, cancelled=lambda: time.monotonic() - started > 0.5)
    assert first.poll() is not None


def test_a_query_has_no_more_memory_than_it_may(process):
    with pytest.raises(QueryError) as caught:
        ask(process, "MATCH (a)-[r]->(b), (c)-[s]->(d) RETURN a, r, b, c, s, d ORDER BY d.name")
    assert isinstance(caught.value, QueryTimeout) or "memory" in str(caught.value)


def test_an_answer_is_no_larger_than_it_may(process):
    with pytest.raises(AnswerTooLarge, match="more than 1 MB: ask for less, with a LIMIT"):
        ask(process, "UNWIND range(1, 99999) AS x RETURN x, 'some text of the answer'")
    assert ask(process, "RETURN 1") == b"[1]\n"


def test_a_crash_costs_one_query(process):
    ask(process, "RETURN 1")
    os.kill(running(process).pid, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (running(process).pid, signal.SIGSEGV)).start()
    threading.Timer(0.6, os.kill, (running(process).pid, signal.SIGCONT)).start()
    with pytest.raises(QueryCrash, match=r"ended the process of the database \(SIGSEGV\)"):
        ask(process, ENDLESS)
    assert ask(process, "RETURN 1") == b"[1]\n"


@pytest.mark.parametrize(
    ("query", "message"),
    [("(" * 251, "brackets may be nested 250 deep"), ("x" * 2**21, "2,097,152 characters"), ("\ud800", "surrogate")],
)
def test_size_and_depth_are_checked_before_a_parser_sees_the_query(query, message):
    with pytest.raises(QueryError, match=message):
        QueryLimits().check_text(query)
    QueryLimits().check_text("(" * 250 + ")" * 250 + "()" * 1000)


def test_a_bounded_number_of_queries_runs_at_once(database):
    pool = QueryPool(ENGINE, database, QueryLimits(seconds=3), size=1, patience=0.2)
    ask(pool, "RETURN 1")
    refused = []
    stop = threading.Event()

    def occupy():
        with pytest.raises(QueryCancelled):
            ask(pool, ENDLESS, cancelled=stop.is_set)

    thread = threading.Thread(target=occupy)
    thread.start()
    time.sleep(0.3)
    try:
        with pytest.raises(TooManyQueries) as caught:
            ask(pool, "RETURN 1")
        refused.append(caught.value.retry_after)
    finally:
        stop.set()
        thread.join()
    assert refused == [1]
    assert ask(pool, "RETURN 1") == b"[1]\n"
    pool.close()


def test_many_threads_share_a_pool(database):
    pool = QueryPool(ENGINE, database, QueryLimits(), size=2, patience=30)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask(pool, "RETURN 1"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [b"[1]\n"] * 12
    assert len(pool._idle) <= 2
    pool.close()


SCRIPT = f"""
import io, sys
from pathlib import Path
from sinks.questions.query_limits import QueryLimits
from sinks.questions.query_process import QueryProcess
process = QueryProcess({ENGINE!r}, Path(sys.argv[1]), QueryLimits(seconds=float(sys.argv[2])))
process.ask({{"cypher": "RETURN 1", "parameters": {{}}}}, io.BytesIO())
print(process._running.process.pid, flush=True)
process.ask({{"cypher": {ENDLESS!r}, "parameters": {{}}}}, io.BytesIO())
"""


def start(database, seconds, **options):
    command = [sys.executable, "-c", SCRIPT, str(database), seconds]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    asking = subprocess.Popen(command, **pipes, **options)
    return asking, int(asking.stdout.readline())


def gone(pid, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


def test_ctrl_c_stops_a_query_at_once(database):
    asking, pid = start(database, "60")
    time.sleep(0.5)
    asking.send_signal(signal.SIGINT)
    started = time.monotonic()
    asking.communicate(timeout=10)
    assert time.monotonic() - started < 5
    assert asking.returncode == -signal.SIGINT
    assert gone(pid, 5)


def test_a_process_ends_by_itself_when_the_one_that_asks_is_killed(database):
    asking, pid = start(database, "1")
    asking.kill()
    asking.communicate()
    assert gone(pid, 10)


def test_nothing_is_imported_from_the_working_directory(database, tmp_path):
    for name in ("sinks", "schemas", "ladybug"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('code of the working directory')")
    (tmp_path / "json.py").write_text("raise SystemExit('code of the working directory')")
    code = textwrap.dedent(f"""
        import sys
        sys.path = [place for place in sys.path if place] + [{str(ROOT)!r}]
        from pathlib import Path
        from sinks.questions.cypher import query
        sys.path.insert(0, {str(tmp_path)!r})
        print(query({str(database)!r}, "RETURN 1").rows)
    """)
    command = [sys.executable, "-P", "-c", code]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert answer.stdout == "[(1,)]\n", answer.stderr
