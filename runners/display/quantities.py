"""Numbers with their units, as people write them: durations, file sizes, counts of things."""

from __future__ import annotations

from pathlib import Path


def duration(seconds: float) -> str:
    """Return a duration: `0.4 s`, `58 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def megabytes(folder: Path) -> str:
    """Return the total size of the files in a folder: `41.6 MB`."""
    return f"{sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) / 1e6:.1f} MB"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where English has it: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
