import pytest

from pipeline.readers.language import _is_english, canonical, detect

TEXTS = {
    "en": "The mill beside the river was bought by the council in 1901, and it has been a school ever since.",
    "de": "Die Mühle am Fluss wurde 1901 von der Gemeinde gekauft und ist seither eine Schule.",
    "fr": "Le moulin près de la rivière fut acheté par la commune en 1901 et il est depuis une école.",
    "es": "El molino junto al río fue comprado por el ayuntamiento en 1901 y desde entonces es una escuela.",
    "ru": "Мельница у реки была куплена городом в 1901 году, и с тех пор в ней находится школа.",
    "it": "Il mulino fu comprato dal comune nel 1901.",
    "pt": "O moinho foi comprado pela cidade em 1901.",
    "ar": "اشترت المدينة الطاحونة عام 1901.",
    "zh": "磨坊在河边，现在是学校。",
    "ja": "川のそばの水車小屋は1901年に町に買われ、それ以来学校として使われている。",
    "ltg": "Ezers ir Latgolys dīnvydu puorā, pi reitu rubeža, i vosorā jī ir cylvāku īmeileita vīta.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_the_language_of_running_text_is_found(language):
    assert detect(TEXTS[language]) == language


@pytest.mark.parametrize("language", [*TEXTS, "sco", "nl", "da"])
def test_the_short_way_to_english_takes_no_other_language(language):
    others = {
        "en": TEXTS["en"] + " It is at the end of a street with old houses.",
        "sco": "The toon is in the sooth, an it wis kent for its mill by the watter, that the laird had biggit for aw.",
        "nl": "De molen was in 1901 door de gemeente gekocht en is sindsdien een school of een huis voor de kinderen.",
        "da": "Den gamle kirke ved åen blev købt af kommunen i 1901 og er for børn, der kan have en have.",
    }
    assert _is_english({**TEXTS, **others}[language]) == (language == "en")


@pytest.mark.parametrize("text", ["", "1901", "Ada Kern", "p53 V600E", "...", "\u200f\u200f", "x = 5 + 7 / (3 * 9)"])
def test_the_language_of_a_name_or_a_formula_is_not_guessed(text):
    assert detect(text) == ""


def test_a_lone_surrogate_is_no_obstacle():
    assert detect("\ud800" + TEXTS["en"]) == "en"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("eng", "en"), ("en-GB", "en"), ("EN", "en"), ("simple", "en"), ("ger", "de"), ("deu", "de"), ("zh-Hant", "zh"),
        ("ltg", "ltg"), ("pt_BR", "pt"), ("be-x-old", "be"), ("und", ""), ("mul", ""), ("", ""), ("klingon", ""),
    ],
)  # fmt: skip
def test_one_code_for_each_language(code, expected):
    assert canonical(code) == expected
