import pytest

from pipeline.readers.wiki.rules import RULES
from pipeline.readers.wiki.templates import templates
from pipeline.readers.wiki.text import read_wikitext
from pipeline.readers.wiki.titles import Site
from pipeline.readers.wiki.words import LANGUAGES, load_table, names_of, words

EN, DE, FR = Site(language="en"), Site(language="de"), Site(language="fr")


def text_of(wikitext, site=EN):
    return read_wikitext(wikitext, site).text


def links_of(wikitext, site=EN):
    prose = read_wikitext(wikitext, site)
    return [(prose.text[link.start : link.end], link.target) for link in prose.links]


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        # languages
        ("Mill ({{langx|de|Mühle}})", "Mill (German: Mühle)"),
        ("Mill ({{lang-de|Mühle}})", "Mill (German: Mühle)"),
        ("Mill ({{langx|ru|Мельница|Melnitsa|mill|label=none}})", "Mill (Мельница, romanized: Melnitsa, lit. 'mill')"),
        ("Mill ({{langx|qq|Abc}})", "Mill (Abc)"),
        ("the {{lang|fr|moulin}}, {{transliteration|ru|ISO|melnica}}", "the moulin, melnica"),
        ("the {{nihongo|'''Mill Cup'''|水車杯|Suishahai}} of May", "the Mill Cup (水車杯, Suishahai) of May"),
        ("the {{nihongo||水車|suisha}} of May", "the suisha (水車) of May"),
        # quotations
        (
            "She said: {{quote|The [[mill]] is old.|Ida Falk}} Then",
            "She said:\n\nThe mill is old.\n\n— Ida Falk\n\nThen",
        ),
        ("{{blockquote|text=A = b.|author=Ida|source=Letter}}", "A = b.\n\n— Ida, Letter"),
        # numbers and units
        ("{{convert|5|ft|8|in|m}} or {{cvt|3+1/2|mi|km}}", "5 ft 8 in or 3 1/2 mi"),
        ("{{convert|20|to|30|km2}} and {{convert|5|-|6|C}}", "20 to 30 km² and 5–6 °C"),
        ("{{val|12.5|0.3|u=kg}} or {{val|7|e=3|u=m|up=s}}", "12.5±0.3 kg or 7×10^3 m/s"),
        ("{{frac|1|2}}, {{frac|3|1|2}}, {{frac|4}}", "1/2, 3 1/2, 1/4"),
        ("{{height|ft=6|in=1}}; {{ordinal|3}}, {{ordinal|12}}", "6 ft 1 in; 3rd, 12th"),
        ("{{formatnum:1234.5}} of {{lc:ADA}}", "1234.5 of ada"),
        # money
        ("{{US$|3 million}}, {{£|20}}, {{€|7}}, {{INR|9}}", "US$3 million, £20, €7, ₹9"),
        # dates
        ("born {{birth date|1901|4|3}}, {{start date|1977}}", "born April 3, 1901, 1977"),
        ("on {{start date|1977|8|9|df=y}} and {{date|2001-05-07|mdy}}", "on 9 August 1977 and May 7, 2001"),
        ("died {{death date and age|1990|3|2|1900|4|3}}", "died March 2, 1990 (aged 89)"),
        ("aged {{age|1950|7|2|2010|7|2}}", "aged 60"),
        ("{{circa|1820|1830}}, {{floruit|900}}, {{née|Falk}}", "c. 1820 – c. 1830, fl. 900, née Falk"),
        ("{{As of|2019}}, and {{as of|2010|6|lc=y}}", "As of 2019, and as of June 2010"),
        # chemistry
        ("{{chem|C|6|H|12|O|6}}, {{chem2|NH4(+)}}, {{chem|PO|4|3−}}", "C6H12O6, NH4+, PO4^3−"),
        ("{{H2O}} and {{CO2}}, {{SimpleNuclide2|carbon|14}}", "H2O and CO2, carbon-14"),
        ("<chem>H2O</chem>, <math>x = 5</math>, <math>\\frac{1}{2}</math>", "H2O, x = 5,"),
        # references that stand in the text
        ("{{harvtxt|Falk|Rode|1974|p=5}} and {{harvnb|Falk|1980}}", "Falk & Rode (1974, p. 5) and Falk 1980"),
        # lists, signs, parts
        ("of {{hlist|a|[[b]]|c}}", "of a, b, c"),
        ("press {{key press|Ctrl|C}}", "press Ctrl+C"),
        ("a{{snd}}b {{=}} c{{'s}}", "a – b = c's"),
        ("the {{abbr|WHO|World Health Organization}} {{sic}}, {{sic|teh}}", "the WHO [sic], teh"),
        ("{{nowrap|1=a = b}} {{small|{{nowrap|deep [[Rome]]}}}}", "a = b deep Rome"),
        ("{{Color|red|warm}} {{citation needed span|a claim|date=May 2020}}", "warm a claim"),
    ],
)
def test_words_of_templates(wikitext, text):
    assert text_of(wikitext) == text


@pytest.mark.parametrize(
    ("wikitext", "links"),
    [
        ("{{ill|Ida Falk|de|Ida Falk (Malerin)|lt=Falk}}", [("Falk", "Ida Falk")]),
        ("{{ill|de|Ida Falk}}", [("Ida Falk", "Ida Falk")]),
        ("{{ill|de|Ida Falk|the painter}}", [("the painter", "Ida Falk")]),
        ("{{interlanguage link multi|Ida Falk|de|fr}}", [("Ida Falk", "Ida Falk")]),
        ("{{w|Ida Falk}}", [("Ida Falk", "Ida Falk")]),
        ("{{HMS|Raven|1914|6}}", [("HMS Raven", "HMS Raven (1914)")]),
        ("{{HMS|Raven|1914}}, {{hms|Raven||2}}", [("HMS Raven (1914)", "HMS Raven (1914)"), ("Raven", "HMS Raven")]),
        ("{{ship|Polish ship|Orzel|1938|2}}", [("Orzel", "Polish ship Orzel (1938)")]),
        ("{{sclass|Raven|frigate}}", [("Raven-class frigate", "Raven-class frigate")]),
        ("{{flag|Peru}}, {{flag|GEO}}", [("Peru", "Peru"), ("Georgia", "Georgia (country)")]),
        ("{{USA}}, {{usa}}", [("United States", "United States")]),
        ("{{fb|GER}}", [("Germany", "Germany national football team")]),
        ("{{sortname|Ida|Falk}} {{sortname|Ida|Falk|nolink=1}}", [("Ida Falk", "Ida Falk")]),
        ("{{langx|la|mola}} {{langx|pl|młyn}}", [("Latin", "Latin"), ("Polish", "Polish language")]),
        ("{{quote|[[Ida Falk]] and [[Rome|the city]]}}", [("Ida Falk", "Ida Falk"), ("the city", "Rome")]),
    ],
)  # fmt: skip
def test_links_of_templates(wikitext, links):
    assert links_of(wikitext) == links


@pytest.mark.parametrize(
    ("wikitext", "left_out"),
    [
        ("It is {{strange thing|x}} high.", 1),
        ("{{Strange thing}} is high. It is {{other thing}}.", 2),
        ("{{Infobox mill\n| name = x\n}}\nIt is high.", 0),
        (
            "{{Use dmy dates|date=May}}\n{{Strange box}}\n\nIt is high.{{cn|date=May 2020}}{{sfn|Falk|1980}}",
            0,
        ),
        ("It is {{nowrap|5 m}} high ({{IPA|x}}).", 0),
    ],
)
def test_templates_that_vanish_in_sentences_are_counted(wikitext, left_out):
    assert read_wikitext(wikitext, EN).left_out == left_out


def test_a_wiki_has_the_templates_of_its_language():
    assert text_of("Er ist {{Höhe|93|DE-NN|link=1}} hoch ({{enS|mill}}).", DE) == "Er ist 93 m hoch (englisch mill)."
    assert (
        text_of("Né le {{date|3|avril|1901}} au {{s|XIX}}, {{unité|5|km}}.", FR)
        == "Né le 3 avril 1901 au XIXe siècle, 5 km."
    )
    assert text_of("{{birth date|1901|4|3}} {{langx|de|x}}", Site(language="sv")) == "1901-4-3 x"
    assert text_of("-{zh-hans:软件; zh-hant:軟體}-很-{R|好}-", Site(language="zh")) == "软件很好"


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_are_sound(language):
    table = load_table(f"words/{language}.yaml")
    shown = [name for entries in table["templates"].values() for name in names_of(entries)]
    silent = names_of(table["silent"])
    assert len(shown) == len(set(shown))
    assert len(silent) == len(set(silent))
    assert not set(shown) & set(silent)
    assert [name for name in shown + silent if name != name.lower() or "_" in name] == []
    rules = {form for form in (*table["templates"], *table.get("elsewhere", {}).values()) if form.startswith("=")}
    assert {form[1:] for form in rules} <= set(RULES)
    assert templates(language).known("nowrap") is not None


def test_the_twenty_largest_wikipedias_have_a_table():
    largest = "ar arz ca ceb de en es fa fr it ja nl pl pt ru sv uk vi war zh"
    assert set(largest.split()) <= set(LANGUAGES)
    for language in largest.split():
        table = words(language)
        assert {-1, 1, 2, 6, 10, 14} <= set(table.namespaces.values())
        assert table.redirect
        assert table.appendix
        assert table.listed_titles
        assert table.listed_templates
