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
