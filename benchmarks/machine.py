"""What a figure was measured on."""

from __future__ import annotations

import platform
from pathlib import Path

# Flags of processors that multiply bfloat16 matrices quickly, the quickest first.
_BFLOAT16 = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 BF16"}


def processor() -> str:
    """Return the processor's name, and what it multiplies bfloat16 with: most rates depend on that (Linux)."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    about = dict((part.strip() for part in line.partition(":")[::2]) for line in lines)
    name = about.get("model name") or platform.processor() or platform.machine()
    units = [unit for flag, unit in _BFLOAT16.items() if flag in about.get("flags", "").split()]
    return f"{name} with {units[0]}" if units else name
