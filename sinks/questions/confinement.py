"""Confines a process so that it can open no file and no socket, whatever query it runs.

A database engine opens files and connections when a query asks it to (`LOAD FROM` in Cypher, `SERVICE` in SPARQL). A
list of forbidden words cannot prevent that reliably, so the process of a query gives up the ability itself:

| measure | what it prevents | where it works |
|---|---|---|
| `seal_descriptors` | every new file, socket and pipe | every POSIX system |
| `leave_network` | all networks, including loopback | Linux, where the user may create namespaces |
| `restrict_files` | files except the database; TCP connections | Linux 5.13 with Landlock; TCP from 6.7 |

The first one suffices for an engine that has all its files open. `outside_reach` tests what the process can still do,
so callers need not rely on the documented behaviour of a kernel.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import socket
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS = 38
# Numbers of the system calls of Landlock: the same on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULESET_VERSION = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# File rights of each version of Landlock; TCP rights (bind, connect) and scopes, with the versions that added them.
_FILE_RIGHTS = {1: 2**13 - 1, 2: 2**14 - 1, 3: 2**15 - 1, 5: 2**16 - 1}
_TCP_RIGHTS, _TCP_SINCE = 0b11, 4
_SCOPES, _SCOPES_SINCE = 0b11, 6


@dataclass(frozen=True)
class Reach:
    """The remaining reach of a process.

    Attributes:
        files: it can open a file outside its database.
        network: it can create a socket and connect it.
    """

    files: bool
    network: bool


class _RulesetAttributes(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def leave_network() -> bool:
    """Move this process into an empty network of its own; return whether the system allows it.

    It must run before the process has threads.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.unshare(_CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0)


def restrict_files(readable: Path) -> int:
    """Deny this thread, and those that it starts, all files except `readable`, a file or a folder.

    Returns:
        The version of Landlock, from 4 on of which TCP connections are refused too; 0 where the kernel has none.
    """
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    version = int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_RULESET_VERSION)))
    if version < 1:
        return 0
    rights = _FILE_RIGHTS[max(known for known in _FILE_RIGHTS if known <= version)]
    attributes = _RulesetAttributes(
        rights, _TCP_RIGHTS if version >= _TCP_SINCE else 0, _SCOPES if version >= _SCOPES_SINCE else 0
    )
    size = 24 if version >= _SCOPES_SINCE else 16 if version >= _TCP_SINCE else 8
    ruleset = int(libc.syscall(_CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0)))
    if ruleset < 0:
        return 0
    try:
        folder = os.open(readable, os.O_RDONLY | os.O_CLOEXEC)
        try:
            allowed = _READ_FILE | _READ_DIR if stat.S_ISDIR(os.fstat(folder).st_mode) else _READ_FILE
            rule = _PathBeneath(allowed, folder)
            if libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), ctypes.c_uint32(0)) != 0:
                return 0
        finally:
            os.close(folder)
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            return 0
        return version if libc.syscall(_RESTRICT_SELF, ruleset, ctypes.c_uint32(0)) == 0 else 0
    finally:
        os.close(ruleset)


def seal_descriptors() -> None:
    """Make every later open, socket and pipe of this process fail: all descriptors that it may have are in use."""
    opened = _descriptors()
    limit = max(opened) + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with contextlib.suppress(OSError):
        while True:
            os.dup(opened[0])


def is_open(files: list[Path]) -> bool:
    """Return whether this process has every one of some files open."""
    opened = set()
    for descriptor in _descriptors():
        with contextlib.suppress(OSError):
            status = os.fstat(descriptor)
            opened.add((status.st_dev, status.st_ino))
    return all((status.st_dev, status.st_ino) in opened for status in map(os.stat, files))


def outside_reach() -> Reach:
    """Return what this process can reach, by trying."""
    return Reach(files=_opens_a_file(), network=_opens_a_socket())


def memory_meter() -> int | None:
    """Return a descriptor for `limit_memory`, opened while this process may still open files; None if there is none."""
    try:
        return os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def limit_memory(size: int, meter: int | None) -> None:
    """Limit this process to `size` bytes more than it has; call it after all threads have started.

    Args:
        size: bytes.
        meter: as `memory_meter` returned it; it is closed. None, where the system has none, sets no limit.
    """
    if meter is None:
        return
    pages = int(os.pread(meter, 256, 0).split()[0])
    os.close(meter)
    limit = pages * resource.getpagesize() + size
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _descriptors() -> list[int]:
    """Return the descriptors that are open, of those below the limit."""
    found = []
    for descriptor in range(resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        with contextlib.suppress(OSError):
            os.fstat(descriptor)
            found.append(descriptor)
    return found


def _opens_a_file() -> bool:
    try:
        os.close(os.open(sys.executable, os.O_RDONLY))
    except OSError:
        return False
    return True


def _opens_a_socket() -> bool:
    """Return whether TCP or UDP works; a connection that is refused by its target does."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            with socket.socket(socket.AF_INET, kind) as attempt:
                attempt.setblocking(False)
                attempt.connect(("127.0.0.1", 9))
        except BlockingIOError:
            return True
        except ConnectionRefusedError:
            return True
        except OSError:
            continue
        return True
    return False
