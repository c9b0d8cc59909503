import pytest

from schemas import Removal
from tests.pipeline.readers.files import counts, documents, letters, read_all, write


def citation(pmid="1", version="1", title="A title.", abstract="<AbstractText>Some words.</AbstractText>", more=""):
    return (
        f'<MedlineCitation Owner="NLM" Status="MEDLINE"><PMID Version="{version}">{pmid}</PMID>'
        "<DateRevised><Year>2015</Year><Month>2</Month><Day>26</Day></DateRevised>"
        "<Article><Journal><JournalIssue><PubDate><MedlineDate>1998 Dec-1999 Jan</MedlineDate></PubDate></JournalIssue>"
        "<Title>Journal of Examples</Title></Journal>"
        f"<ArticleTitle>{title}</ArticleTitle><Abstract>{abstract}</Abstract></Article>{more}</MedlineCitation>\n"
    )


def medline(*records):
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE MedlineCitationSet PUBLIC "-//NLM//DTD" "https://x/y.dtd">\n'
        f"<MedlineCitationSet>\n{''.join(records)}</MedlineCitationSet>"
    )


def test_title_structured_abstract_and_metadata(tmp_path):
    abstract = (
        '<AbstractText Label="AIMS">The &#946;<sub>2</sub>-agonist\n  <i>in vitro</i> &lt;5%</AbstractText>'
        '<AbstractText Label="RESULTS">It works.</AbstractText><AbstractText/>'
    )
    more = (
        '<MeshHeadingList><MeshHeading><DescriptorName UI="D008094">Lithium</DescriptorName></MeshHeading>'
        '<MeshHeading><DescriptorName UI="D000328">Adult</DescriptorName></MeshHeading></MeshHeadingList>'
        '<ChemicalList><Chemical><NameOfSubstance UI="D016651">Lithium Carbonate</NameOfSubstance></Chemical>'
        "</ChemicalList>"
    )
    path = write(tmp_path / "a.xml", medline(citation("17", "2", "The <i>title</i>", abstract, more)))
    [document] = documents(read_all(path))
    assert document.id == "pubmed:17"
    assert document.title == "The title"
    assert document.text == "The title\n\nThe β2-agonist in vitro <5%\n\nIt works."
    assert [(s.title, document.words()[s.start]) for s in document.sections] == [("AIMS", "The"), ("RESULTS", "It")]
    assert document.metadata == (
        ("journal", "Journal of Examples"),
        ("language", "en"),
        ("mesh", "D000328|Adult"),
        ("mesh", "D008094|Lithium"),
        ("substance", "D016651|Lithium Carbonate"),
        ("year", "1998"),
    )
    assert document.version == 2_2015_02_26
    assert len(document.sentences) == 3


def test_roots(tmp_path):
    article = f"<PubmedArticle>{citation('5')}<PubmedData><ArticleIdList/></PubmedData></PubmedArticle>"
    book = "<PubmedBookArticle><BookDocument><PMID>9</PMID></BookDocument></PubmedBookArticle>"
    removal = '<DeleteCitation><PMID Version="1">6</PMID><PMID Version="1">7</PMID></DeleteCitation>'
    contents = {
        medline(citation("5"), removal): {"Document": 1, "Removal": 2},
        f"<PubmedArticleSet>{article}{book}{removal}</PubmedArticleSet>": {
            "Document": 1,
            "PubmedBookArticle is not a citation": 1,
            "Removal": 2,
        },
        article: {"Document": 1},
        citation("5"): {"Document": 1},
    }
    for content, expected in contents.items():
        items = read_all(write(tmp_path / "a.xml", content))
        assert counts(items) == expected
        assert documents(items)[0].id == "pubmed:5"
        if "Removal" in expected:
            removed = [item.document_id for item in items if isinstance(item, Removal)]
            assert removed == ["pubmed:6", "pubmed:7"]


def test_a_citation_without_abstract_is_its_title(tmp_path):
    items = read_all(write(tmp_path / "a.xml", medline(citation(abstract=""), citation("2", title="", abstract=""))))
    [document] = documents(items)
    assert document.text == "A title."
    assert ("abstract", "none") in document.metadata
    assert counts(items) == {"Document": 1, "citation without title and abstract": 1}


def test_wrong_citations_become_dead_letters(tmp_path):
    wrong = [
        citation("twelve"),
        citation("3", title="&alpha; x"),
        citation("4", title="<i>x</b>"),
        "<PubmedArticle><PubmedData/></PubmedArticle>",
    ]
    items = read_all(write(tmp_path / "a.xml", medline(*wrong, citation("8"))))
    assert [document.id for document in documents(items)] == ["pubmed:8"]
    details = [letter.detail for letter in letters(items)]
    for detail, words in zip(details, ["'twelve'", "alpha", "mismatch", "without MedlineCitation"], strict=True):
        assert words in detail


def test_newer_versions_have_higher_numbers(tmp_path):
    records = [citation("1", "1"), citation("1", "2"), citation("1", "1").replace("2015", "2016")]
    versions = [document.version for document in documents(read_all(write(tmp_path / "a.xml", medline(*records))))]
    assert versions[0] < versions[2] < versions[1]


def test_entities_are_refused(tmp_path):
    content = medline(citation()).replace('"https://x/y.dtd"', '"y.dtd" [<!ENTITY a "b">]')
    assert counts(read_all(write(tmp_path / "a.xml", content))) == {"XML entity declarations refused": 1}


def translated(title, article="", more=""):
    made = citation("1", title=title, abstract="", more=more)
    return made.replace("</Article>", f"{article}</Article>")


OWN = "<VernacularTitle>Die alte Mühle.</VernacularTitle>"
GERMAN = "<Language>ger</Language>"
OTHER = '<OtherAbstract Type="Publisher" Language="{}"><AbstractText>{}</AbstractText></OtherAbstract>'


@pytest.mark.parametrize(
    ("record", "text", "metadata"),
    [
        (
            translated("[The old mill].", GERMAN + OWN),
            "[The old mill].",
            {"language": "en", "article_language": "de", "vernacular_title": "Die alte Mühle.", "abstract": "none"},
        ),
        (
            translated("[Not Available].", GERMAN + OWN),
            "Die alte Mühle.",
            {"language": "de", "article_language": "de", "abstract": "none"},
        ),
        (
            translated("[The old mill].", GERMAN, OTHER.format("spa", "El molino.") + OTHER.format("eng", "The mill.")),
            "[The old mill].\n\nThe mill.",
            {"language": "en", "article_language": "de", "other_abstract": "es"},
        ),
        (
            translated("[Not Available].", GERMAN + OWN, OTHER.format("ger", "Sie steht am Fluss.")),
            "Die alte Mühle.\n\nSie steht am Fluss.",
            {"language": "de", "article_language": "de"},
        ),
    ],
)
def test_titles_and_abstracts_in_other_languages(tmp_path, record, text, metadata):
    [document] = documents(read_all(write(tmp_path / "a.xml", medline(record))))
    assert document.text == text
    found = dict(document.metadata)
    assert {name: found.get(name) for name in metadata} == metadata
    assert "vernacular_title" in metadata or "vernacular_title" not in found


def test_an_abstract_in_english_stays_the_only_one(tmp_path):
    record = citation("1", title="The mill.", more=OTHER.format("fre", "Le moulin."))
    [document] = documents(read_all(write(tmp_path / "a.xml", medline(record))))
    assert document.text == "The mill.\n\nSome words."
    assert ("other_abstract", "fr") in document.metadata


@pytest.mark.parametrize(
    "title", ["[Not Available].", "[Not Available]", "[not available].", "[In Process Citation]", ""]
)
def test_a_title_that_is_not_there_is_no_document(tmp_path, title):
    items = read_all(write(tmp_path / "a.xml", medline(translated(title))))
    assert counts(items) == {"citation without title and abstract": 1}


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("10<sup>5</sup> cells, 10<sup>-3</sup> M, 10<sup>−6</sup>", "10^5 cells, 10^-3 M, 10^−6"),
        ("Ca<sup>2+</sup>, <sup>131</sup>I, m<sup>2</sup>, H<sub>2</sub>O<sub>2</sub>", "Ca2+, 131I, m2, H2O2"),
        ("<b>Age: 16</b><b>Sex: male</b> <b>Case</b>", "Age: 16 Sex: male Case"),
        ("in <i>E. <b>coli</b></i><sub>x</sub>y", "in E. colixy"),
        (
            "<math><mrow><msup><mi>x</mi><mn>2</mn></msup><mo>=</mo><mfrac><mn>1</mn><mn>2</mn></mfrac></mrow></math>.",
            "x^2=1/2.",
        ),
    ],
)
def test_inline_markup_keeps_the_sense_of_numbers_and_the_words_apart(tmp_path, markup, text):
    record = citation("1", title="T.", abstract=f"<AbstractText>{markup}</AbstractText>")
    [document] = documents(read_all(write(tmp_path / "a.xml", medline(record))))
    assert document.text == f"T.\n\n{text}"
