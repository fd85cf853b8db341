"""What a benchmark measures besides time: processor time, peak memory, the machine and the versions it ran on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType

import psutil


class Usage:
    """Processor time and peak resident memory of this process and its children inside a ``with`` block.

    The kernel keeps the peak of each process (VmHWM in /proc/<pid>/status), and starts anew where it is told to. The
    peaks of several processes are added, although they may not have been reached at the same time.

    Attributes
    ----------
    cpu_seconds : float
        User and system time. Unlike the time on the clock, it hardly depends on what else the machine is doing.
    memory : int or None
        Peak above what was held before, in bytes; None where the kernel does not say, anywhere but on Linux.
    """

    cpu_seconds: float = 0.0
    memory: int | None = None

    def __enter__(self) -> Usage:
        self._cpu_before = _cpu_seconds()
        self._memory_before = _memory("VmRSS")
        for process in _process_tree():
            _forget_peak(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cpu_seconds = _cpu_seconds() - self._cpu_before
        peak = _memory("VmHWM")
        if peak is not None and self._memory_before is not None:
            self.memory = peak - self._memory_before


def _process_tree() -> list[psutil.Process]:
    """Return this process, first, and its children."""
    this = psutil.Process()
    return [this, *this.children(recursive=True)]


def _cpu_seconds() -> float:
    times = [process.cpu_times() for process in _process_tree()]
    return sum(t.user + t.system for t in times)


def _memory(field: str) -> int | None:
    """Return a field of /proc/<pid>/status in bytes, added up over the processes."""
    values = [_status(process, field) for process in _process_tree()]
    return sum(value for value in values if value is not None) if values[0] is not None else None


def _forget_peak(process: psutil.Process) -> None:
    """Set VmHWM to VmRSS; see proc(5)."""
    path = Path(f"/proc/{process.pid}/clear_refs")
    if path.exists():
        path.write_text("5")


def _status(process: psutil.Process, field: str) -> int | None:
    """Return a field of /proc/<pid>/status in bytes."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
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
