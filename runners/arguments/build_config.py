"""Options of a build: what the command line says wins over the YAML file, and that over what factmill decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml

from runners.errors import UserError, did_you_mean

_Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
_Count = Annotated[int, msgspec.Meta(ge=1)]


class BuildConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything `factmill build` can be told; None leaves the choice to factmill. `build.yaml` explains each."""

    inputs: tuple[str, ...] = ()
    out: str | None = None
    model: str | None = None
    format: str | None = None
    columns: dict[str, str] = {}
    id_prefix: str | None = None
    workers: _Count | None = None
    min_confidence: _Share | None = None
    min_precision: _Share | None = None
    limit: _Count | None = None
    languages: tuple[str, ...] = ()
    schema: str | None = None
    rules: dict[str, str] = {}
    correlation: _Share | None = None
    link: bool | None = None
    resolve: bool | None = None
    dictionary: str | None = None
    runner: str = "local"
    flink_master: str | None = None
    gpu: str | None = None
    beam: tuple[str, ...] = ()


def default_config_text() -> str:
    """Return the commented YAML file that comes with factmill: every key with its default."""
    return (resources.files("runners.arguments") / "build.yaml").read_text("utf-8")


def load_config(path: Path) -> BuildConfig:
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


def parse_config(text: str, where: str) -> BuildConfig:
    """Parse the YAML text of build options; `where` names it in messages. Raises UserError like `load_config`."""
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
        return BuildConfig()
    if not isinstance(root, yaml.MappingNode) or not isinstance(values, dict):
        raise UserError(f"{where}, line 1: expected 'key: value' lines; `factmill build --print-config` shows them all")
    lines: dict[str, int] = {}
    for key, _ in root.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name not in BuildConfig.__struct_fields__:
            hint = did_you_mean(name, BuildConfig.__struct_fields__)
            known = ", ".join(BuildConfig.__struct_fields__)
            raise UserError(f"{where}, line {line}: unknown key '{name}'{hint or f'; known keys: {known}'}")
        if name in lines:
            raise UserError(f"{where}, line {line}: '{name}' stands already on line {lines[name]}; keep one of them")
        lines[name] = line
    return _convert(values, lambda name: f"{where}, line {lines[name]}: {name}" if name in lines else where)


def override(config: BuildConfig, options: Mapping[str, Any]) -> BuildConfig:
    """Return the configuration with every option that was given (not None, not empty) in place of its own value."""
    given = {name: value for name, value in options.items() if value is not None and value != ()}
    if "rules" in given:
        given["rules"] = config.rules | given["rules"]
    if "columns" in given:
        given["columns"] = config.columns | given["columns"]
    if "beam" in given:
        given["beam"] = (*config.beam, *given["beam"])  # a later option wins in Beam, so both can stay
    return _convert({**msgspec.structs.asdict(config), **given}, lambda name: f"--{name.replace('_', '-')}")


def _convert(values: Mapping[str, Any], place: Callable[[str], str]) -> BuildConfig:
    try:
        return msgspec.convert(values, BuildConfig)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        name = path.rstrip("`").split("[")[0]
        raise UserError(f"{place(name)}: {message[0].lower()}{message[1:]}; it is {values.get(name)!r}") from None
