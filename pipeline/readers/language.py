"""Languages of documents: detection from the text, and one code for each language."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_SAMPLE = 600  # characters; more do not change the answer for running text
_FEWEST = 20  # bytes of letters in UTF-8; the language of a name or a formula is a guess
_LEAST = 0.4  # probability below which a language is not reported

# Frequent words of English; the second and the third set have next to none of other languages, the third none of Scots.
_ENGLISH = frozenset("the and to a in is as an it at on or be he his was not".split())  # noqa: SIM905
_ENGLISH_ALONE = frozenset("by for that this after than its are has have been their these who when".split())  # noqa: SIM905
_NOT_SCOTS = frozenset("of with from which were between".split())  # noqa: SIM905
_ALL_ENGLISH = _ENGLISH | _ENGLISH_ALONE | _NOT_SCOTS
_ENGLISH_SAMPLES = (250, 1000)  # characters; most texts are decided by the first few
_DISTINCT = 3
_SHARE = 0.1

# Varieties and ancient forms that take probability from a language of today which a short text is rather in.
_EXCLUDED = {"an", "ary", "arz", "ext", "gcf", "gcr", "grc", "hbo", "lij", "pcm", "vec", "wa", "wuu"}

# Codes of ISO 639-2 as MEDLINE writes them, and names that MediaWiki uses for the codes of some of its languages.
_SYNONYMS = {
    "afr": "af", "alb": "sq", "ara": "ar", "arm": "hy", "aze": "az", "baq": "eu", "bel": "be", "ben": "bn", "bos": "bs",
    "bul": "bg", "cat": "ca", "chi": "zh", "cze": "cs", "dan": "da", "dut": "nl", "eng": "en", "epo": "eo", "est": "et",
    "fin": "fi", "fre": "fr", "geo": "ka", "ger": "de", "gla": "gd", "gle": "ga", "glg": "gl", "gre": "el", "heb": "he",
    "hin": "hi", "hrv": "hr", "hun": "hu", "ice": "is", "ind": "id", "ita": "it", "jpn": "ja", "kaz": "kk", "kor": "ko",
    "kur": "ku", "lat": "la", "lav": "lv", "lit": "lt", "mac": "mk", "mal": "ml", "mao": "mi", "may": "ms", "mlt": "mt",
    "nor": "no", "per": "fa", "pol": "pl", "por": "pt", "pus": "ps", "rum": "ro", "rus": "ru", "san": "sa", "slo": "sk",
    "slv": "sl", "spa": "es", "srp": "sr", "swe": "sv", "tam": "ta", "tha": "th", "tur": "tr", "ukr": "uk", "urd": "ur",
    "uzb": "uz", "vie": "vi", "wel": "cy",
    # ISO 639-2/T and 639-3
    "bod": "bo", "ces": "cs", "cym": "cy", "deu": "de", "ell": "el", "eus": "eu", "fas": "fa", "fra": "fr", "hye": "hy",
    "isl": "is", "kat": "ka", "mkd": "mk", "mri": "mi", "msa": "ms", "mya": "my", "nld": "nl", "ron": "ro", "slk": "sk",
    "sqi": "sq", "zho": "zh", "swa": "sw", "tel": "te", "mar": "mr", "guj": "gu", "kan": "kn", "amh": "am", "hau": "ha",
    "mon": "mn", "nep": "ne", "pan": "pa", "sin": "si", "tgl": "tl", "yor": "yo", "zul": "zu", "xho": "xh", "lao": "lo",
    "khm": "km", "kir": "ky", "tgk": "tg", "tuk": "tk", "ltz": "lb", "oci": "oc", "bre": "br", "fao": "fo", "nno": "nn",
    "nb": "no", "nob": "no", "simple": "en", "cmn": "zh", "arb": "ar", "iw": "he", "in": "id",
    # codes of Wikipedias that are none of ISO 639
    "be-x-old": "be", "be-tarask": "be", "zh-min-nan": "nan", "zh-yue": "yue", "zh-classical": "lzh", "als": "gsw",
    "bat-smg": "sgs", "fiu-vro": "vro", "roa-rup": "rup",
    # no language, several, or unknown
    "und": "", "mul": "", "zxx": "", "mis": "",
}  # fmt: skip
_CODE = re.compile(r"[a-z]{2,3}")


def detect(text: str) -> str:
    """Return the ISO 639 code of the language of a text, empty when the text is too short or odd to tell."""
    if any(_is_english(text[:length]) for length in _ENGLISH_SAMPLES):
        return "en"
    sample = text[:_SAMPLE]
    if len("".join(filter(str.isalpha, sample)).encode("utf-8", "replace")) < _FEWEST:
        return ""
    code, _ = _identifier().classify(sample)
    return canonical(code)


def _is_english(sample: str) -> bool:
    """Tell whether the words of a text are surely English: the detector takes longer than most texts take to read."""
    words = sample.lower().split()
    found = [word for word in words if word in _ALL_ENGLISH]
    kinds = set(found)
    if len(found) < _SHARE * len(words) or kinds.isdisjoint(_NOT_SCOTS):
        return False
    return len(kinds - _ENGLISH) >= _DISTINCT


def canonical(code: str) -> str:
    """Return the ISO 639-1 code for any code of a language, the ISO 639-3 code where there is none, or an empty text.

    `eng`, `en-GB`, `EN` and `simple` are all `en`; what is no code of a language gives an empty text.
    """
    code = code.strip().lower().replace("_", "-")
    code = _SYNONYMS.get(code, code)
    code = code.partition("-")[0]
    code = _SYNONYMS.get(code, code)
    return code if _CODE.fullmatch(code) else ""


@cache
def _identifier() -> LanguageIdentifier:
    """Return the detector, loaded when the first text without a declared language is read."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True, min_confidence=_LEAST)
    identifier.set_languages([label for label in identifier.labels if label not in _EXCLUDED])
    return identifier
