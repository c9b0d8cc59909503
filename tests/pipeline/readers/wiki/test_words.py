import pytest

from pipeline.readers.wiki.words import words


@pytest.mark.parametrize(
    ("language", "heading", "is_appendix"),
    [
        ("en", "See Also", True),
        ("en", "External links and sources", True),
        ("en", "Notes / References", True),
        ("en", "References in film", False),
        ("en", "Works", False),
        ("en", "", False),
        ("de", "Siehe auch", True),
        ("de", "Literatur und Weblinks", True),
        ("de", "References", True),
        ("de", "Geschichte", False),
        ("fr", "Notes et références", True),
        ("ru", "См. также", True),
        ("ja", "脚注", True),
        ("lv", "References", True),
        ("lv", "Siehe auch", False),
        ("", "Einzelnachweise", True),
    ],
)
def test_appendices(language, heading, is_appendix):
    assert words(language).is_appendix(heading) is is_appendix


@pytest.mark.parametrize(
    ("language", "text", "target"),
    [
        ("en", "#REDIRECT [[Mill]]", "Mill"),
        ("en", "  #redirect: [[Old mill#Wheel|x]]", "Old mill#Wheel"),
        ("de", "#WEITERLEITUNG [[Mühle]]", "Mühle"),
        ("de", "#REDIRECT [[Mühle]]", "Mühle"),
        ("ru", "#перенаправление [[Мельница]]", "Мельница"),
        ("fa", "#تغییر_مسیر [[آسیاب]]", "آسیاب"),
        ("", "#OMDIRIGERING [[Kvarn]]", "Kvarn"),
        ("en", "#WEITERLEITUNG [[Mühle]]", None),
        ("en", "A #redirect [[Mill]]", None),
    ],
)
def test_redirects(language, text, target):
    match = words(language).redirection.match(text)
    assert (match and match[1]) == target


@pytest.mark.parametrize(
    ("language", "template", "is_listed"),
    [
        ("en", "disambiguation", True),
        ("en", "human name disambiguation", True),
        ("en", "place name disambiguation cleanup", True),
        ("en", "disambiguation cleanup", True),
        ("en", "school disambig", True),
        ("en", "surname", True),
        ("en", "disambiguation needed", False),
        ("en", "disambiguation link", False),
        ("en", "surname clarification", False),
        ("en", "other uses", False),
        ("de", "begriffsklärung", True),
        ("de", "begriffsklärungshinweis", False),
        ("fr", "homonymie", True),
        ("ru", "неоднозначность", True),
        ("zh", "消歧义", True),
    ],
)
def test_templates_of_disambiguation_pages(language, template, is_listed):
    assert words(language).lists_pages_by_template(template) is is_listed


def test_titles_and_categories_of_disambiguation_pages():
    assert words("en").lists_pages("Mill (disambiguation)")
    assert not words("en").lists_pages("Disambiguation (mill)")
    assert words("pl").lists_pages("Młyn (ujednoznacznienie)")
    assert words("en").lists_pages_by_category("Human name disambiguation pages")
    assert not words("en").lists_pages_by_category("Word-sense disambiguation")
