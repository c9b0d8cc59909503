import pytest

from pipeline.readers.streams.encoding import decode

WESTERN = "Das Café in der Straße hat geöffnet – sagt Frédéric."
CZECH = "Starý mlýn stojí u řeky a patří městu; dnes je v něm škola, kterou navštěvují děti z okolí. " * 3
RUSSIAN = "Старая мельница стоит у реки и принадлежит городу; сегодня в ней находится школа."
JAPANESE = "古い水車小屋は川のそばにあり、町のものです。今日では学校として使われています。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_exactly(encoding):
    decoded = decode((WESTERN + RUSSIAN + "👍").encode(encoding))
    assert (decoded.text, decoded.undecodable) == (WESTERN + RUSSIAN + "👍", 0)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(WESTERN, "cp1252"), (CZECH, "cp1250"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (JAPANESE, "shift_jis")],
)
def test_other_encodings_are_recognised_by_the_words_they_give(text, encoding):
    assert decode(text.encode(encoding)).text == text


def test_damaged_utf_8_stays_utf_8_and_is_counted():
    decoded = decode("Füße, Größe, Äpfel".encode() + b" \xff and \xfe")
    assert decoded.text == "Füße, Größe, Äpfel \ufffd and \ufffd"
    assert (decoded.encoding, decoded.undecodable) == ("utf-8", 2)
    assert decode(b"x \xff y").undecodable == 1
