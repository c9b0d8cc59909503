"""What a query cannot reach: other servers and other files, by each measure alone and by all together."""

import io
import os
import random
import socketserver
import threading

import pyoxigraph
import pytest

from sinks import CypherWriter, QueryError
from sinks.questions.query_limits import QueryLimits
from sinks.questions.query_process import QueryProcess
from sinks.rdf.prefixes import PREFIXES
from sinks.rdf.store import make_store
from tests.sinks.graphs import SCHEMA, small_graph

HERE = "tests.sinks.questions.engines"
NETWORKED = "tests.sinks.questions.engines_in_network"
SPARQL = "sinks.questions.sparql_engine:SparqlEngine"
# Queries of the fuzzer; a million of them take about ten minutes.
QUERIES = int(os.environ.get("FACTMILL_FUZZ_QUERIES", "3000"))


class Listener(socketserver.ThreadingTCPServer):
    """A server on loopback that counts connections and answers with one row."""

    daemon_threads = True
    ANSWER = b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"literal","value":"INTERNAL"}}]}}'

    def __init__(self):
        self.hits = 0
        super().__init__(("127.0.0.1", 0), None)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/x"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        self.hits += 1
        request.settimeout(5)
        request.recv(65536)
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/sparql-results+json\r\n"
        request.sendall(head + b"Content-Length: %d\r\n\r\n%s" % (len(self.ANSWER), self.ANSWER))


@pytest.fixture(scope="module")
def listener():
    server = Listener()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("isolated")
    CypherWriter().write(small_graph().write(folder), folder / "graph.db", SCHEMA)
    return folder


@pytest.fixture(scope="module")
def store(folder):
    return make_store(folder, SCHEMA)


def asking(process, sparql):
    request = {"sparql": sparql, "default_graphs": [], "named_graphs": []}
    types = {"solutions": "text/csv", "boolean": "application/sparql-results+json", "graph": "text/turtle"}
    output = io.BytesIO()
    process.ask({**request, "media_types": types}, output)
    return output.getvalue()


def bypasses(url):
    """Queries with a SERVICE that a guard by regular expressions did not see."""
    service = f"SERVICE <{url}>"
    return [
        f"SELECT * {{ {service} {{ ?x ?y ?z }} }}",
        f"SELECT * {{ # \\u000A '''\n OPTIONAL {{ ?a <x:\\u0062#> ?b }} {service} {{ ?x ?y ?z }}\n# '''\n}}",
        f"PREFIX t: <{PREFIXES['fm']}Document> SELECT * {{ ?d a t:.{service}{{ ?x ?y ?z }} }}",
        f'SELECT * {{ FILTER(1<2)#>"""a\n{service} {{ ?x ?y ?z }}#a"""\n}}',
        f"SELECT * {{ SERVICE SILENT <{url}> {{ ?x ?y ?z }} }}",
        f"CONSTRUCT {{ ?x ?y ?z }} WHERE {{ {service} {{ ?x ?y ?z }} }}",
    ]


@pytest.mark.parametrize(
    "engine",
    [
        SPARQL,
        f"{HERE}:BlindSparqlEngine",
        f"{NETWORKED}:SealedSparqlEngine",
        f"{NETWORKED}:LandlockSparqlEngine",
        f"{HERE}:NamespaceSparqlEngine",
        f"{NETWORKED}:OpenSparqlEngine",
    ],
)
def test_no_query_reaches_another_server(engine, listener, store):
    process = QueryProcess(engine, store, QueryLimits(seconds=10))
    listener.hits = 0
    missing = {"Landlock": "has no Landlock for TCP", "Namespace": "lets nobody leave its network"}
    for query in bypasses(listener.url):
        try:
            assert b"INTERNAL" not in asking(process, query)
        except QueryError as error:
            assert "INTERNAL" not in str(error)
        for measure, reason in missing.items():
            if listener.hits and measure in engine:
                pytest.skip(f"this kernel {reason}")
    assert listener.hits == 0
    process.close()


def test_queries_without_isolation_do_reach_it(listener, store):
    """The control: what the test above refuses is no query that fails anyway."""
    listener.hits = 0
    opened = pyoxigraph.Store.read_only(str(store))
    for query in bypasses(listener.url):
        result = opened.query(query)
        if not isinstance(result, pyoxigraph.QueryBoolean):
            list(result)
    assert listener.hits == len(bypasses(""))


def test_where_a_system_has_no_measure_the_letters_are_refused(listener, store):
    process = QueryProcess(f"{NETWORKED}:OpenSparqlEngine", store, QueryLimits())
    for query in (*bypasses(listener.url), "SELECT ?service {}", "SELECT * { ?\u017fervice ?a ?b }"):
        with pytest.raises(QueryError, match=r"cannot keep a query from the network, so the letters .* write \\u0053"):
            asking(process, query)
    assert asking(process, 'SELECT ("\\u0053ervice" AS ?x) {}') == b"x\r\nService\r\n"
    process.close()


def test_cypher_is_not_answered_where_files_can_be_opened(folder, monkeypatch):
    process = QueryProcess(f"{NETWORKED}:BlindCypherEngine", folder / "graph.db", QueryLimits())
    process.ask({"cypher": "RETURN 1", "parameters": {}}, io.BytesIO())
    process.close()
    process = QueryProcess("tests.sinks.questions.unsealed:UnsealedCypherEngine", folder / "graph.db", QueryLimits())
    with pytest.raises(QueryError, match="does not let factmill keep queries away from other files"):
        process.ask({"cypher": "RETURN 1", "parameters": {}}, io.BytesIO())
    process.close()


HARMLESS = [
    "SELECT ?service { ?service rdfs:label 'SERVICE' } # SERVICE",
    'SELECT $service { $service rdfs:label """a "SERVICE" b""" }',
    "SELECT ?x { ?x <http://example.org/SERVICE> ?y }",
    "PREFIX service: <http://example.org/> SELECT ?x { ?x service:SERVICE ?y }",
    "PREFIX : <http://example.org/> SELECT ?x { ?x :SERVICE ?y FILTER(?x < 3 && ?y > 4) }",
]


def test_harmless_queries_pass(store):
    process = QueryProcess(SPARQL, store, QueryLimits())
    for query in HARMLESS:
        assert asking(process, query).strip() in {b"service", b"x"}
    process.close()


class Fuzzer:
    """Queries in which SERVICE hides among the tokens that a scanner may cut in another way than the parser."""

    NOISE = (
        *("# c\n", "# '''\n", '# \\u000A """\n', "#>\n", "#\\u0022\n", "\t", "\n", " "),
        *(
            "?a <x:\\u0062#> ?b .",
            "?a <x:#> 'b' .",
            "?a t: ?b .",
            "?a t:. ",
            "?a a t:.",
            "?a <x:p> 1.",
            "?a <x:p> 1e5 .",
        ),
        *("FILTER(1<2)", "FILTER(?a<?b)", 'FILTER(1<2)#>"""a\n', "FILTER(?a<?b#>\n)", "FILTER('a'<\"b\")"),
        *("?a <x:p> 'x'@en .", '?a <x:p> "\\"" .', "?a <x:p> '''a'b''' .", '?a <x:p> """a"b""" .', "?a <x:p> true ."),
        *("OPTIONAL { ?a ?b ?c }", "{ }", "BIND('>' AS ?v)", "VALUES ?w { '#' '<' }", "MINUS { ?a ?b '}' }"),
        *("?a t:\\# ?b .", "?a <x:p>/<x:q>* ?b .", "?a t:%23 ?b .", "_:b t:x-1 ?c .", "[] t:a.b 'c' ."),
    )
    KEYWORDS = ("SERVICE", "service", "SeRvIcE", "SERVICE SILENT", "service\nsilent", "SERVICE#c\n")

    def __init__(self, url, seed=0):
        self.chance = random.Random(seed)
        self.url = url

    def query(self):
        noise = [self.chance.choice(self.NOISE) for _ in range(self.chance.randrange(7))]
        gap = self.chance.choice(("", " ", "\n", "#\n"))
        keyword = self.chance.choice(self.KEYWORDS)
        service = f"{keyword}{gap}<{self.url}>{{ ?x ?y ?z }}"
        noise.insert(self.chance.randrange(len(noise) + 1), service)
        head = self.chance.choice(("SELECT * ", "ASK ", "SELECT*WHERE", "CONSTRUCT { ?x ?y ?z } WHERE "))
        text = "".join(part + self.chance.choice(("", " ", "\n")) for part in noise)
        end = self.chance.choice(("", "# '''", '#"""', " #>"))
        return f"PREFIX t: <x:t> {head}{{ {text} }}\n{end}"


def test_a_fuzzer_finds_no_query_that_reaches_the_listener(listener, store):
    listener.hits = 0
    control, opened = Fuzzer(listener.url), pyoxigraph.Store.read_only(str(store))
    for _ in range(300):
        try:
            result = opened.query(control.query(), prefixes=PREFIXES)
            if not isinstance(result, pyoxigraph.QueryBoolean):
                list(result)
        except (SyntaxError, OSError, ValueError, RuntimeError):
            continue
    assert listener.hits > 50, "the fuzzer makes too few queries that ask another server"
    listener.hits = 0
    process = QueryProcess(f"{HERE}:BlindSparqlEngine", store, QueryLimits(seconds=10))
    fuzzer = Fuzzer(listener.url)
    for _ in range(QUERIES):
        query = fuzzer.query()
        try:
            assert b"INTERNAL" not in asking(process, query), query
        except QueryError as error:
            assert "INTERNAL" not in str(error), query
        assert listener.hits == 0, query
    process.close()
