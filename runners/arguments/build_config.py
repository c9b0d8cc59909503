"""Options of `factmill build`: the command line takes precedence over the YAML file, and that over the defaults."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from pipeline.build_options import BuildOptions
from runners.errors import UserError, did_you_mean

_HEAD = """\
# Options of `factmill build`. Print this file, change it and use it:
#   factmill build --print-config > my.yaml
#   factmill build --config my.yaml
# Every key may be left out; options of the command line take precedence over this file.
"""
_WIDTH = 118
_ATTRIBUTE = re.compile(r"^        (\w+): (.*(?:\n            .*)*)", re.MULTILINE)
# Options whose values of file and command line are joined.
_JOINED = ("rules", "columns", "beam")


class BuildConfig(BuildOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of a build, and what only the command line has.

    Attributes:
        inputs: Input: files, folders (with their subfolders) and patterns.
        out: Output folder: new, empty, or an earlier build, which is replaced.
        flink_master: With runner flink: HOST:PORT of the cluster's REST API, or "[local]".
        gpu: With runner dataflow: the type of GPU on the machines that extract, for example nvidia-l4.
    """

    inputs: tuple[str, ...] = ()
    out: str | None = None
    flink_master: str | None = None
    gpu: str | None = None


# In the order of the YAML file.
FIELDS = ("inputs", "out", *BuildOptions.__struct_fields__, "flink_master", "gpu")


def default_config_text() -> str:
    """Return a commented YAML file with every option and its default."""
    comments = {**_comments(BuildOptions), **_comments(BuildConfig)}
    defaults = msgspec.to_builtins(BuildConfig())
    lines = [_HEAD]
    for name in FIELDS:
        lines.append(textwrap.fill(comments[name], _WIDTH, initial_indent="# ", subsequent_indent="# "))
        value = defaults[name]
        lines.append(f"{name}: {value if isinstance(value, str) else json.dumps(value)}\n")
    return "\n".join(lines)


def _comments(kind: type[BuildOptions]) -> dict[str, str]:
    """Return what the docstring of a struct says about each attribute."""
    found = _ATTRIBUTE.findall(kind.__doc__ or "")
    return {name: " ".join(text.split()).replace("None", "null") for name, text in found}


def load_config(path: Path) -> dict[str, Any]:
    """Read a YAML file of build options.

    Raises:
        UserError: the file is missing, not YAML, or has a key or value that is not allowed; the message names the line.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UserError(f"cannot read the options in '{path}' ({reason}); give the path of a YAML file") from None
    return parse_config(text, str(path))


def parse_config(text: str, where: str) -> dict[str, Any]:
    """Return the options that a YAML text sets; null leaves one at its default.

    Args:
        text: the YAML text.
        where: its name in messages.

    Raises:
        UserError: as `load_config`.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise UserError(f"{where}, line {mark.line + 1 if mark else 1}: not valid YAML ({problem})") from None
    except RecursionError:
        raise UserError(f"{where}: nested too deeply; the options are 'key: value' lines") from None
    if values is None:
        return {}
    if not isinstance(root, yaml.MappingNode) or not isinstance(values, dict):
        raise UserError(f"{where}, line 1: expected 'key: value' lines; `factmill build --print-config` shows them all")
    lines: dict[str, int] = {}
    for key, _ in root.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name not in FIELDS:
            hint = did_you_mean(name, FIELDS) or f"; known keys: {', '.join(FIELDS)}"
            raise UserError(f"{where}, line {line}: unknown key '{name}'{hint}")
        if name in lines:
            raise UserError(f"{where}, line {line}: '{name}' is already on line {lines[name]}; keep one of them")
        lines[name] = line
    given = {name: value for name, value in values.items() if value is not None}
    _convert(given, lambda name: f"{where}, line {lines[name]}: {name}" if name in lines else where)
    return given


def override(given: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options in `given` with those in `options` that are set (not None, not empty) in their place."""
    result = dict(given)
    for name, value in options.items():
        if value is None or value == ():
            continue
        if name in _JOINED and name in result:
            # A later option takes precedence in Beam, so both can stay.
            value = result[name] | value if isinstance(value, dict) else (*result[name], *value)
        result[name] = value
    return result


def make_config(given: Mapping[str, Any]) -> BuildConfig:
    """Return the configuration with the options that are given.

    Raises:
        UserError: a value is not allowed; the message names the option of the command line.
    """
    return _convert(given, lambda name: f"--{name.replace('_', '-')}")


def _convert(values: Mapping[str, Any], place: Callable[[str], str]) -> BuildConfig:
    try:
        return msgspec.convert(values, BuildConfig)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        name = path.rstrip("`").split("[")[0]
        raise UserError(f"{place(name)}: {message[0].lower()}{message[1:]}; it is {values.get(name)!r}") from None
