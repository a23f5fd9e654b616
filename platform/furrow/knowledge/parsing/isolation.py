"""What a parsing process gives up before it opens a file.

Limits on processor time, memory, file size and open files; new privileges; the network. The last
is taken away by a network namespace of its own where the kernel permits it. Where it does not,
an audit hook refuses sockets made from Python, which stops libraries but not native code.
"""

import ctypes
import fcntl
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from furrow.knowledge.parsing.limits import ParseLimits

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_MIB = 1024 * 1024
# Mapped libraries and thread stacks: address space, not memory that a file can make grow.
_MAPPED_MIB = 1024
_LET_OTHERS_S = 0.05
_REFUSED_EVENTS = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system")


def isolate(limits: ParseLimits) -> str:
    """Applies everything and tells which network wall stands: `namespace` or `audit hook`."""
    set_limits(limits)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER
    has_namespace = libc.unshare(flags) == 0 or libc.unshare(_CLONE_NEWNET | _CLONE_NEWUSER) == 0
    # Whoever waits for the result may be killed; nobody else would stop this process before its limits do.
    # Set last: the kernel forgets it when privileges change.
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    sys.addaudithook(_refuse)
    return "namespace" if has_namespace else "audit hook"


def set_limits(limits: ParseLimits) -> None:
    """Soft limits for reading; the hard ones leave room for `allow_ocr`."""
    most_cpu = limits.cpu_s + limits.ocr_page_s * limits.max_ocr_pages
    _limit(resource.RLIMIT_CPU, limits.cpu_s, most_cpu)
    most_memory = max(limits.memory_mb, limits.ocr_memory_mb)
    _limit(resource.RLIMIT_DATA, limits.memory_mb * _MIB, most_memory * _MIB)
    _limit(
        resource.RLIMIT_AS,
        (limits.memory_mb + _MAPPED_MIB) * _MIB,
        (most_memory + 2 * _MAPPED_MIB) * _MIB,
    )
    _limit(resource.RLIMIT_FSIZE, limits.max_result_bytes, limits.max_result_bytes)
    _limit(resource.RLIMIT_NOFILE, 64, 64)
    _limit(resource.RLIMIT_CORE, 0, 0)


def allow_ocr(limits: ParseLimits, pages: int) -> None:
    """Raises the soft limits for `pages` pages; adds to what was allowed before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (min(hard, soft + limits.ocr_page_s * pages), hard))
    for kind in (resource.RLIMIT_DATA, resource.RLIMIT_AS):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (hard, hard))


@contextmanager
def take_turn(path: str) -> Iterator[None]:
    """Recognising a page takes 600 MB: processes that share the file at `path` do so one after another, and
    give back what they can in between. Nobody waits without a path, or where it cannot be written.
    """
    try:
        lock = open(path, "ab") if path else None
    except OSError:
        lock = None
    if lock is None:
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
        ctypes.CDLL(None).malloc_trim(0)
    # The lock is not fair: whoever waits would lose it to us again and again.
    time.sleep(_LET_OTHERS_S)


def _limit(kind: int, soft: int, hard: int) -> None:
    _, allowed = resource.getrlimit(kind)
    if allowed != resource.RLIM_INFINITY:
        hard = min(hard, allowed)
    resource.setrlimit(kind, (min(soft, hard), hard))


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event.startswith(_REFUSED_EVENTS):
        raise PermissionError(f"not allowed while reading a file: {event}")
