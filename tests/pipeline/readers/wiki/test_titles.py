import pytest

from pipeline.readers.wiki.titles import Kind, Site

EN = Site({"file": 6, "category": 14, "talk": 1}, language="en")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("_old__mill_#wheel", "Old mill"),
        ("Caf%C3%A9", "Café"),
        ("100%25 wool", "100% wool"),
        ("50% wool", "50% wool"),
        ("Bad %E9 byte", "Bad %E9 byte"),
        ("C%23 (language)", "C"),
        ("\u200eOld\u200f mill\u202c", "Old mill"),
        ("Old&nbsp;mill", "Old mill"),
        ("Old\u3000mill", "Old mill"),
        ("Cafe\u0301", "Café"),
        ("ß", "ß"),
        ("ŉ", "ŉ"),
        ("éclair", "Éclair"),
        ("თბილისი", "თბილისი"),
        ("R&amp;B", "R&B"),
        ("", ""),
    ],
)
def test_titles(name, title):
    assert EN.title(name) == title


def test_the_first_letter_depends_on_the_wiki():
    assert Site(first_letter=False).title("mill") == "mill"
    assert Site(language="tr").title("ilk") == "İlk"


@pytest.mark.parametrize(
    ("target", "kind", "title"),
    [
        ("re:publica", Kind.PAGE, "Re:publica"),
        ("Mill: the film", Kind.PAGE, "Mill: the film"),
        (":Mill", Kind.PAGE, "Mill"),
        ("fr:Moulin", Kind.HIDDEN, ""),
        ("DE:Mühle", Kind.HIDDEN, ""),
        ("zh-yue:x", Kind.HIDDEN, ""),
        (":fr:Moulin", Kind.LABEL, ""),
        ("::fr:Moulin", Kind.LABEL, ""),
        ("en:Mill", Kind.LABEL, ""),
        ("wikt:mill", Kind.LABEL, ""),
        ("imdbname:0001", Kind.LABEL, ""),
        ("orphanet:12", Kind.LABEL, ""),
        ("File:Mill.jpg", Kind.HIDDEN, ""),
        ("File%3AMill.jpg", Kind.HIDDEN, ""),
        ("\u200eCategory:Mills", Kind.HIDDEN, ""),
        (":Category:Mills", Kind.LABEL, ""),
        ("Media:Mill.ogg", Kind.LABEL, ""),
        ("Talk:Mill", Kind.LABEL, ""),
        ("#Wheel", Kind.LABEL, ""),
    ],
)
def test_links(target, kind, title):
    assert EN.link(target) == (kind, title)


@pytest.mark.parametrize(
    ("language", "file", "category"),
    [
        ("de", "Bild:M.jpg", "Kategorie:M"),
        ("fr", "Fichier:M.jpg", "Catégorie:M"),
        ("ru", "Изображение:M.jpg", "К:M"),
        ("ja", "画像:M.jpg", "カテゴリ:M"),
        ("pt", "Arquivo:M.jpg", "Categoria:M"),
        ("fa", "تصویر:M.jpg", "رده:M"),
        ("", "Datei:M.jpg", "Kategorie:M"),
    ],
)
def test_namespaces_that_the_header_does_not_name(language, file, category):
    site = Site(language=language)
    assert site.link(file) == (Kind.HIDDEN, "")
    assert site.category(category) == "M"


def test_the_namespaces_of_the_header_go_first():
    assert Site({"bild": 4}, language="de").link("Bild:x") == (Kind.LABEL, "")
