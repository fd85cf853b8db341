"""What a benchmark measures besides time: peak memory, and the machine and the versions that it ran on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType

import psutil


class PeakMemory:
    """Peak resident memory of this process and its children inside a ``with`` block, above what they held before it.

    The kernel keeps the peak of each process (VmHWM in /proc/<pid>/status), and starts anew where it is told to. The
    peaks of several processes are added, although they may not have been reached at the same time.

    Attributes
    ----------
    above : int or None
        Bytes; None where the kernel does not say, anywhere but on Linux.
    """

    above: int | None = None

    def __enter__(self) -> PeakMemory:
        self._before = self._over_processes("VmRSS")
        for process in _process_tree():
            _forget_peak(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        peak = self._over_processes("VmHWM")
        if peak is not None and self._before is not None:
            self.above = peak - self._before

    @staticmethod
    def _over_processes(field: str) -> int | None:
        values = [_status(process, field) for process in _process_tree()]
        return sum(value for value in values if value is not None) if values[0] is not None else None


def _process_tree() -> list[int]:
    """Return the ids of this process, first, and of its children."""
    this = psutil.Process()
    return [this.pid, *(child.pid for child in this.children(recursive=True))]


def _forget_peak(process: int) -> None:
    """Set VmHWM to VmRSS; see proc(5)."""
    path = Path(f"/proc/{process}/clear_refs")
    if path.exists():
        path.write_text("5")


def _status(process: int, field: str) -> int | None:
    """Return a field of /proc/<pid>/status in bytes."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), None)


def machine() -> str:
    """Return the processor, the number of cores and the memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = psutil.virtual_memory().total / 2**30
    return f"{_processor()}, {cores} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def versions(distributions: Sequence[str]) -> str:
    """Return the installed versions of some distributions."""
    return ", ".join(f"{name} {_version(name)}" for name in distributions)


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{next(names, platform.processor() or 'unknown processor')} ({platform.machine()})"


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"
