"""What a benchmark measures besides time: processor time, peak memory, the machine and the versions it ran on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
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
            _forget_peak(process.pid)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cpu_seconds = _cpu_seconds() - self._cpu_before
        peak = _memory("VmHWM")
        if peak is not None and self._memory_before is not None:
            self.memory = peak - self._memory_before


@dataclass
class Workers:
    """Memory and reading of some processes, each by itself, inside a ``with`` block; on Linux only.

    Attributes
    ----------
    pids : sequence of int
        The processes.
    before : list of int
        Resident memory when the block was entered, in bytes.
    peaks : list of int
        Peak of the resident memory inside the block, in bytes.
    read : int
        Bytes that the processes asked the system to read, from files, pipes and sockets; whether or not a disk was
        touched.
    read_from_disk : int
        Bytes of them that came from a disk and not from the system's cache of files.
    """

    pids: Sequence[int]
    before: list[int] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)
    read: int = 0
    read_from_disk: int = 0

    def __enter__(self) -> Workers:
        self.before = [self._field(pid, "status", "VmRSS") * 1024 for pid in self.pids]
        for pid in self.pids:
            _forget_peak(pid)
        self._start = self._bytes_read()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.peaks = [self._field(pid, "status", "VmHWM") * 1024 for pid in self.pids]
            self.read, self.read_from_disk = (b - a for a, b in zip(self._start, self._bytes_read(), strict=True))

    @property
    def growth(self) -> list[int]:
        """Bytes that each process had at its peak above what it had before."""
        return [peak - before for peak, before in zip(self.peaks, self.before, strict=True)]

    def _bytes_read(self) -> tuple[int, int]:
        asked, from_disk = (sum(self._field(pid, "io", name) for pid in self.pids) for name in ("rchar", "read_bytes"))
        return asked, from_disk

    @staticmethod
    def _field(pid: int, file: str, name: str) -> int:
        """Return a number that the kernel keeps of a process; see proc(5)."""
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _process_tree() -> list[psutil.Process]:
    """Return this process, first, and its children."""
    this = psutil.Process()
    return [this, *this.children(recursive=True)]


def _cpu_seconds() -> float:
    times = [process.cpu_times() for process in _process_tree()]
    # (with children that have ended)
    return sum(t.user + t.system + t.children_user + t.children_system for t in times)


def _memory(field: str) -> int | None:
    """Return a field of /proc/<pid>/status in bytes, added up over the processes."""
    values = [_status(process, field) for process in _process_tree()]
    return sum(value for value in values if value is not None) if values[0] is not None else None


def _forget_peak(pid: int) -> None:
    """Set VmHWM to VmRSS; see proc(5)."""
    path = Path(f"/proc/{pid}/clear_refs")
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
