"""Java programs from Maven Central, downloaded once into the user's cache."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

from runners.execution.server_process import ServerUnavailable

# Group, name and version.
Artifact = tuple[str, str, str]


def fetched(name: str, artifacts: Sequence[Artifact]) -> Path:
    """Return the folder of this name in the user's cache, which Maven fills when it is not there yet.

    Args:
        name: of the folder.
        artifacts: what to fetch; what they depend on comes too.

    Raises:
        ServerUnavailable: Java or Maven is missing, or Maven cannot fetch the files.
    """
    require("java", "a Java 17 runtime")
    cache = user_cache_path("factmill")
    folder = cache / name
    if folder.is_dir():
        return folder
    require("mvn", "Maven")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=cache) as draft:
        (Path(draft) / "pom.xml").write_text(_project(artifacts), "utf-8")
        # Jars of different groups may have the same name. Many at once, because most of the time is waiting.
        command = "mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -Dmdep.prependGroupId=true"
        command += " -DoutputDirectory=jars -Dmaven.artifact.threads=16"
        done = subprocess.run(command.split(), cwd=draft, capture_output=True, text=True)
        if done.returncode:
            reason = next((line for line in done.stdout.splitlines() if "ERROR" in line), "no reason given")
            raise ServerUnavailable(f"Maven cannot fetch '{name}': {reason}")
        try:
            (Path(draft) / "jars").rename(folder)
        except OSError:  # another process was faster
            if not folder.is_dir():
                raise
    return folder


def require(program: str, package: str) -> None:
    """Check that a program is on the PATH.

    Raises:
        ServerUnavailable: it is not; the message names the package to install.
    """
    if shutil.which(program) is None:
        raise ServerUnavailable(f"'{program}' is not on the PATH: install {package}")


def _project(artifacts: Sequence[Artifact]) -> str:
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"
        for group, name, version in artifacts
    )
    return (
        "<project><modelVersion>4.0.0</modelVersion><groupId>factmill</groupId><artifactId>jars</artifactId>"
        f"<version>1</version><dependencies>{dependencies}</dependencies></project>"
    )
