import bz2
import gzip
import lzma
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.streams.compression import CHUNK, Damage, EndOfRange, bz2_streams, chunks, compression_of, head
from pipeline.readers.streams.lines import Line, lines
from tests.pipeline.readers.files import write

DATA = b"".join(b"line %d of a text that does not repeat itself %d\n" % (n, n * n * 7919 % 10007) for n in range(20000))


def content(path, start=None, end=None):
    return b"".join(chunk for chunk in chunks(path, start, end) if isinstance(chunk, bytes))


def damages(path):
    return [chunk.message for chunk in chunks(path) if isinstance(chunk, Damage)]


@pytest.mark.parametrize(
    ("kind", "packed"),
    [
        ("none", DATA),
        ("gzip", gzip.compress(DATA)),
        ("gzip", gzip.compress(DATA[:999]) + gzip.compress(DATA[999:]) + b"\0" * 600),
        ("xz", lzma.compress(DATA)),
        ("xz", lzma.compress(DATA[:999]) + lzma.compress(DATA[999:]) + b"\0" * 8),
        ("zstd", zstandard.compress(DATA)),
        ("zstd", zstandard.compress(DATA[:999]) + zstandard.compress(DATA[999:])),
        ("bzip2", bz2.compress(DATA)),
        ("bzip2", bz2.compress(DATA[:999]) + bz2.compress(b"") + bz2.compress(DATA[999:])),
    ],
)
def test_whatever_the_compression_the_bytes_are_the_same(tmp_path, kind, packed):
    path = write(tmp_path / "file", packed)
    assert compression_of(path) == kind
    assert content(path) == DATA
    assert damages(path) == []
    assert all(len(chunk) <= CHUNK for chunk in chunks(path) if isinstance(chunk, bytes))
    assert head(path, 5000) == DATA[:5000]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_highly_compressible_data_comes_in_small_chunks(tmp_path, pack):
    path = write(tmp_path / "file", pack(b"a" * (8 * CHUNK)))
    sizes = [len(chunk) for chunk in chunks(path) if isinstance(chunk, bytes)]
    assert sum(sizes) == 8 * CHUNK
    assert max(sizes) <= CHUNK


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_gzip_cut_short_gives_what_is_there_and_one_damage(tmp_path, share):
    packed = gzip.compress(DATA)
    cut = packed[: int(len(packed) * share)]
    path = write(tmp_path / "file", cut)
    assert content(path) == zlib.decompressobj(wbits=31).decompress(cut)
    [message] = damages(path)
    assert f"byte {len(cut)}" in message


def test_damaged_bzip2_goes_on_with_the_next_stream(tmp_path):
    first, second, third = (bz2.compress(DATA[at : at + 300_000]) for at in (0, 300_000, 600_000))
    broken = second[: len(second) // 2] + b"\xff" * 40 + second[len(second) // 2 + 40 :]
    path = write(tmp_path / "file", first + broken + third)
    got = content(path)
    assert got.startswith(DATA[:300_000])
    assert got.endswith(DATA[600_000:900_000])
    [message] = damages(path)
    assert f"byte {len(first)}" in message
    assert content(write(path, first + broken)).startswith(DATA[:300_000])
    assert len(damages(path)) == 1
    assert len(damages(write(path, first + second[:-20]))) == 1


def test_bzip2_ranges_together_are_the_file(tmp_path):
    pieces = [DATA[at : at + 100_000] for at in range(0, len(DATA), 100_000)]
    path = write(tmp_path / "file", b"".join(map(bz2.compress, pieces)))
    starts = bz2_streams(path)
    assert len(starts) == len(pieces)
    ends = [*starts[1:], None]
    for piece, start, end in zip(pieces, starts, ends, strict=True):
        own = b""
        for chunk in chunks(path, start, end):
            if isinstance(chunk, EndOfRange):
                break
            own += chunk
        assert own == piece


@given(st.binary(max_size=300), st.sampled_from([b"\x1f\x8b\x08\x00", b"BZh91AY&SY", b""]))
def test_arbitrary_bytes_never_raise(tmp_path_factory, data, magic):
    path = write(tmp_path_factory.getbasetemp() / "any", magic + data)
    assert all(isinstance(chunk, bytes | Damage) for chunk in chunks(path))


@given(st.lists(st.binary(max_size=9).map(lambda data: data.replace(b"\n", b"")), max_size=12), st.data())
def test_ranges_hold_every_line_once(tmp_path_factory, rows, data):
    rows = [b"plain", *rows]  # bytes that begin like a compressed file would be read as one
    path = write(tmp_path_factory.getbasetemp() / "rows", b"\n".join(rows))
    cut = data.draw(st.integers(1, max(1, path.stat().st_size)))
    parts = [(None, cut), (cut, None)]
    found = [
        line.data
        for start, end in parts
        for line in lines(chunks(path, start, end), skip_first=start is not None)
        if isinstance(line, Line)
    ]
    expected = [row.removesuffix(b"\r") for row in rows]
    assert [row for row in found if row] == [row for row in expected if row]


@pytest.mark.parametrize("pack", [lzma.compress, zstandard.compress])
def test_damage_in_xz_and_zstd_is_one_event(tmp_path, pack):
    packed = pack(DATA)
    cut = write(tmp_path / "cut", packed[: len(packed) // 2])
    assert DATA.startswith(content(cut))
    [message] = damages(cut)
    assert "ends in the middle" in message
    middle = len(packed) // 2
    [message] = damages(write(tmp_path / "bad", packed[:middle] + b"\xff" * 40 + packed[middle + 40 :]))
    assert "damaged" in message
