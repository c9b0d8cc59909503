import json

from tests.pipeline.readers.files import counts, documents, letters, read_all, write

PLAIN = (
    '<doc id="12" revid="99" url="https://en.wikipedia.org/wiki?curid=12" title="Old mill">\n'
    "Old mill\n\n"
    'The old mill is in &lt;a href="Upper%20town"&gt;the upper town&lt;/a&gt; &amp; stands empty.\n\n'
    "It burned in 1901.\n"
    "</doc>\n"
    '<doc id="13" url="https://en.wikipedia.org/wiki?curid=13" title="A "quoted" &amp; odd title">\n'
    "Some words.\n"
    "</doc>\n"
)
JSON = [
    {
        "id": "12",
        "revid": "99",
        "url": "https://en.wikipedia.org/wiki?curid=12",
        "title": "Old mill",
        "text": 'The old mill is in <a href="upper_town#Streets">the upper town</a> & stands empty.'
        "\n\nIt burned in 1901.",
    },
    {
        "id": "13",
        "url": "https://en.wikipedia.org/wiki?curid=13",
        "title": 'A "quoted" & odd title',
        "text": "Some words.",
    },
]


def test_plain_and_json_give_the_same_articles_with_their_links(tmp_path):
    plain = read_all(write(tmp_path / "wiki_00", PLAIN))
    assert read_all(write(tmp_path / "wiki_00", "\n".join(map(json.dumps, JSON)))) == plain
    first, second = documents(plain)
    assert (first.id, first.title) == ("wiki:Old mill", "Old mill")
    assert first.text == "The old mill is in the upper town & stands empty.\n\nIt burned in 1901."
    assert [(first.span_text(m.start, m.end), m.kb_ids) for m in first.mentions] == [
        ("the upper town", ("wiki:Upper town",))
    ]
    assert first.metadata == (
        ("language", "en"),
        ("page", "12"),
        ("revision", "99"),
        ("url", "https://en.wikipedia.org/wiki?curid=12"),
    )
    assert second.title == 'A "quoted" & odd title'


def test_damage_costs_an_article(tmp_path):
    second = PLAIN.index('<doc id="13"')
    torn = PLAIN[: PLAIN.index("It burned")] + PLAIN[second:]
    items = read_all(write(tmp_path / "a", torn))
    assert [document.id for document in documents(items)] == ['wiki:A "quoted" & odd title']
    assert [letter.detail for letter in letters(items)] == ["line 1: <doc> has no end: extract the file again"]
    items = read_all(write(tmp_path / "a", PLAIN + "words outside\n{broken\n" + '{"title": "x"}\n'), "wikiextractor")
    found = counts(items)
    assert found == {"Document": 2, "text outside of <doc>": 1, "not JSON": 1, "no field text": 1}
