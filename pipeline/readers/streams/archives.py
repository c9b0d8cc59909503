"""Members of zip and 7z archives, read as files below the archive: `corpus.zip/first.xml`."""

from __future__ import annotations

import io
import queue
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

ZIP, SEVEN_ZIP = b"PK\x03\x04", b"7z\xbc\xaf'\x1c"
_MAGIC_LENGTH = 6
_QUEUED = 8  # blocks of a 7z member in memory at a time
# An Office document, an EPUB or a Java archive is a zip file, too, but not one of source files.
_DOCUMENTS = ("[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF")


class ArchiveError(OSError):
    """An archive cannot be read; the message says what to do."""


def archive_kind(path: Path) -> str | None:
    """Return `zip` or `7z` if the file is an archive of files, by its first bytes."""
    with open_file(path) as file:
        magic = file.read(_MAGIC_LENGTH)
    if magic.startswith(SEVEN_ZIP):
        return "7z"
    return "zip" if magic.startswith(ZIP) else None


def members(path: Path) -> list[str]:
    """Return the names of the files in an archive, sorted; none for a document that is packed as a zip file.

    Raises:
        ArchiveError: the archive is damaged, or is a 7z archive and py7zr is missing.
    """
    return sorted(_names(path))


def _names(path: Path) -> dict[str, str]:
    """Return what the files of an archive are called in it, by their names without a leading slash or dot."""
    if archive_kind(path) == "7z":
        with _seven_zip(path) as archive:
            names = [item.filename for item in archive.list() if not item.is_directory]
    else:
        try:
            with zipfile.ZipFile(path) as archive:
                names = [item.filename for item in archive.infolist() if not item.is_dir()]
        except zipfile.BadZipFile as error:
            raise ArchiveError(f"the zip archive is damaged ({error}): fetch it again") from None
        if any(name in _DOCUMENTS for name in names):
            return {}
    return {PurePosixPath(name).as_posix().lstrip("/"): name for name in names}


def open_file(path: Path) -> IO[bytes]:
    """Open a file, or a member of an archive, for reading.

    Raises:
        OSError: there is no such file or member, or it cannot be read.
    """
    archive = path
    while not archive.exists() and archive != archive.parent:
        archive = archive.parent
    if archive == path or not archive.is_file():
        return path.open("rb")
    member = _names(archive).get(path.relative_to(archive).as_posix())
    if member is None:
        raise FileNotFoundError(f"there is no {path.relative_to(archive)} in {archive}")
    if archive_kind(archive) == "7z":
        return io.BufferedReader(_SevenZipMember(archive, member))
    try:
        return io.BufferedReader(_ZipMember(archive, member))
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as error:
        raise ArchiveError(f"the zip archive is damaged or locked ({error}): unpack it first") from None


class _ZipMember(io.RawIOBase):
    """The bytes of a member of a zip archive as they are unpacked."""

    def __init__(self, archive: Path, member: str) -> None:
        super().__init__()
        self._archive = zipfile.ZipFile(archive)
        try:
            self._member = self._archive.open(member)
        except BaseException:
            self._archive.close()
            raise

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer and return the number of bytes, 0 at the end."""
        try:
            data = self._member.read(len(buffer))
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
            raise ArchiveError(f"the member of the zip archive is damaged ({error}): fetch the archive again") from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close it; may be called twice."""
        if not self.closed:
            super().close()
            self._archive.close()


def _seven_zip(path: Path) -> Any:
    try:
        import py7zr
    except ImportError:
        raise ArchiveError(
            "a 7z archive is read with py7zr, which is not installed: "
            "pip install 'factmill[7z]', or unpack the archive first"
        ) from None
    try:
        return py7zr.SevenZipFile(path)
    except (py7zr.exceptions.ArchiveError, EOFError, ValueError, OSError) as error:
        raise ArchiveError(f"the 7z archive is damaged ({error}): fetch it again, or unpack it first") from None


class _SevenZipMember(io.RawIOBase):
    """The bytes of a member of a 7z archive as they are unpacked, by a thread of its own and in bounded memory."""

    def __init__(self, archive: Path, member: str) -> None:
        super().__init__()
        self._blocks: queue.Queue[bytes | BaseException] = queue.Queue(_QUEUED)
        self._left = b""
        self._stopped = threading.Event()
        self._ended = False
        self._archive = _seven_zip(archive)
        self._thread = threading.Thread(target=self._unpack, args=(member,), daemon=True)
        self._thread.start()

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer and return the number of bytes, 0 at the end."""
        while not self._left and not self._ended:
            block = self._blocks.get()
            if isinstance(block, BaseException):
                self._ended = True
                raise ArchiveError(f"the 7z archive is damaged ({block}): fetch it again, or unpack it first")
            self._left, self._ended = block, not block
        count = min(len(self._left), len(buffer))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def close(self) -> None:
        """Close it; may be called twice."""
        if not self.closed:
            self._stopped.set()
            super().close()

    def put(self, block: bytes | BaseException) -> None:
        """Wait until there is room for a block; raises when nobody reads on."""
        while not self._stopped.is_set():
            try:
                self._blocks.put(block, timeout=0.1)
            except queue.Full:
                continue
            return
        raise _Stopped

    def _unpack(self, member: str) -> None:
        try:
            with self._archive as archive:
                archive.extract(targets=[member], factory=_writers(self))
            self.put(b"")
        except _Stopped:
            pass
        except BaseException as error:
            if not self._stopped.is_set():
                self.put(error)


class _Stopped(Exception):
    """Nobody reads the member any more."""


def _writers(member: _SevenZipMember) -> Any:
    """Return the factory that py7zr asks for something to write to; what is written goes to the reader."""
    from py7zr.io import Py7zIO, WriterFactory

    class Writer(Py7zIO):  # type: ignore[misc]
        written = 0

        def write(self, data: bytes | bytearray) -> int:
            if data:
                self.written += len(data)
                member.put(bytes(data))
            return len(data)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

        def flush(self) -> None:
            pass

        def size(self) -> int:
            return self.written

    class Factory(WriterFactory):  # type: ignore[misc]
        def create(self, filename: str) -> Py7zIO:
            return Writer()

    return Factory()


def named_members(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the name of every source file in an archive, hidden ones aside."""
    for member in members(path):
        hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in member.split("/"))
        if not hidden:
            yield str(path / member), f"{path.name}/{member}"
