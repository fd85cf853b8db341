"""Checkpoint: the journal of one fit's passes in a directory, a file for each. `docs/checkpoints.rst` is its manual.

A fit is a deterministic function of what its passes return, so that these are all that has to be kept: a fit that was
interrupted runs again from its start, is given what it was given before, and goes on where nothing is left to give.
"""

from __future__ import annotations

import os
import re
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self, TypeVar

from dglm.data import Kept
from dglm.errors import CheckpointError, StorageError
from dglm.storage.digests import digest
from dglm.storage.exact import exact_types, from_bytes, to_bytes
from dglm.storage.places import UNFINISHED, Place

S = TypeVar("S")

HEADER, WRITER = "fit.dglm", "writer.txt"
PASS = re.compile(r"pass-\d{6,}\.dglm")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
# Characters of an entry that a message shows.
SHOWN = 120


@dataclass(eq=False)
class Checkpoint:
    """A directory that one fit's passes are kept in.

    Parameters
    ----------
    place : Place
        The directory.
    where : str
        What the user calls it.
    fit : str
        Digest of the entries that describe the fit.
    kept : frozenset of int
        The passes that were there when it was opened, from 1 on.
    writer : str
        Who writes to it now.
    made : int
        Passes recalled or kept so far.
    types : mapping of str to type
        What files may name.
    """

    place: Place
    where: str
    fit: str
    kept: frozenset[int]
    writer: str
    made: int = 0
    types: Mapping[str, type] = field(default_factory=exact_types)

    @classmethod
    def open(cls, where: str | os.PathLike[str], entries: Mapping[str, Any]) -> Self:
        """Return the checkpoint of a fit, begun or to be begun.

        Parameters
        ----------
        where : str or path
            A directory, or an fsspec URL of one.
        entries : mapping of str to object
            All that the fit's result depends on, by name.

        Returns
        -------
        Checkpoint
            Whoever else writes to the directory is refused from now on.

        Raises
        ------
        CheckpointError
            If the directory is of another fit, is damaged, or is no checkpoint.
        """
        shown = os.fspath(where)
        place = Place.at(shown)
        try:
            names = place.names()
        except NotADirectoryError as error:
            raise CheckpointError(f"checkpoint {shown!r} is a file; give a directory, which need not exist") from error
        described = {name: _described(name, value) for name, value in entries.items()}
        identity = digest({name: entry["digest"] for name, entry in described.items()})
        writer = f"{socket.gethostname()}, process {os.getpid()}, {uuid.uuid4().hex}"
        checkpoint = cls(place, shown, identity, _passes_among(names, shown), writer)
        if HEADER in names:
            checkpoint._check_same(described)
        place.create()
        place.write(WRITER, writer.encode())
        for name in names:
            if name.endswith(UNFINISHED):
                place.remove(name)
        if HEADER not in names:
            checkpoint._write(HEADER, to_bytes(described, checkpoint.types))
        return checkpoint

    def recall(self, request: object) -> Kept[Any] | None:
        """Return what the next pass was when it was made.

        Parameters
        ----------
        request : object
            What is to be summed: the kernel and its arguments.

        Returns
        -------
        Kept or None
            None where the journal ends.

        Raises
        ------
        CheckpointError
            If its file is damaged, or answers another request.
        """
        number = self.made + 1
        if number not in self.kept:
            return None
        content = self._read(_file_of(number))
        if content["fit"] != self.fit or content["number"] != number:
            raise CheckpointError(
                f"{_file_of(number)} of checkpoint {self.where!r} is of another fit or of another pass; {_BEGIN_ANEW}"
            )
        if content["request"] != digest(request):
            raise CheckpointError(
                f"{_file_of(number)} of checkpoint {self.where!r} answers another request than pass {number} makes "
                f"now, although data and options are the same: arithmetic differs, as it does where another BLAS or "
                f"another kind of processor computes. Resume where the fit was begun, or {_BEGIN_ANEW}"
            )
        self.made = number
        recalled: Kept[Any] = content["pass"]
        return recalled

    def keep(self, request: object, made: Kept[S]) -> Kept[S]:
        """Keep the next pass.

        Parameters
        ----------
        request : object
            What was summed.
        made : Kept
            The pass.

        Returns
        -------
        Kept
            As it will be recalled.

        Raises
        ------
        CheckpointError
            If another fit writes to the directory, or a file cannot hold the sum.
        """
        name = _file_of(self.made + 1)
        record = {
            "fit": self.fit,
            "number": self.made + 1,
            "request": digest(request),
            "pass": made,
        }
        try:
            content = to_bytes(record, self.types)
            recalled: Kept[S] = from_bytes(content, self.types)["pass"]
        except StorageError as error:
            raise CheckpointError(
                f"pass {self.made + 1} cannot be kept in checkpoint {self.where!r}: {error}"
            ) from error
        self._write(name, content)
        self.made += 1
        return recalled

    def _check_same(self, described: Mapping[str, Mapping[str, str]]) -> None:
        """Refuse a directory of another fit, naming what differs."""
        there = self._read(HEADER)
        for name in [*described, *(name for name in there if name not in described)]:
            old, new = there.get(name, _NOTHING), described.get(name, _NOTHING)
            if old["digest"] != new["digest"]:
                was, now = _side_by_side(old["value"], new["value"])
                raise CheckpointError(
                    f"checkpoint {self.where!r} is of another fit: its {name} is {was}, and this fit's is {now}. Give "
                    f"another directory, or {_BEGIN_ANEW}"
                )

    def _read(self, name: str) -> Any:
        """Return what was written to a file, having checked every bit."""
        try:
            return from_bytes(self.place.read(name), self.types)
        except StorageError as error:
            later = "" if name == HEADER else "it and all later passes to go on from before it, or "
            raise CheckpointError(
                f"{name} of checkpoint {self.where!r} is damaged: {error}; delete {later}the directory to begin anew"
            ) from error

    def _write(self, name: str, content: bytes) -> None:
        """Write a file, unless another fit has begun to write here."""
        try:
            writer = self.place.read(WRITER).decode()
        except FileNotFoundError as error:
            raise CheckpointError(f"checkpoint {self.where!r} was deleted while its fit ran; fit again") from error
        if writer != self.writer:
            raise CheckpointError(
                f"another fit writes to checkpoint {self.where!r} ({writer.rpartition(',')[0]}), and this one gives "
                f"way to it; give each fit a directory of its own"
            )
        self.place.write(name, content)


_NOTHING: Mapping[str, str] = {"value": "not there", "digest": ""}
_BEGIN_ANEW = "delete the directory to begin anew"


def _passes_among(names: list[str], where: str) -> frozenset[int]:
    """Return the numbers of the passes that are in a directory, refusing one that is no checkpoint or has gaps."""
    others = [name for name in names if name not in {HEADER, WRITER} and not name.endswith(UNFINISHED)]
    foreign = [name for name in others if not PASS.fullmatch(name)]
    if foreign:
        raise CheckpointError(f"checkpoint {where!r} has a file {foreign[0]!r} of something else; give a new directory")
    kept = {int(name[5:-5]) for name in others}
    missing = [_file_of(number) for number in range(1, max(kept, default=0)) if number not in kept]
    if kept and HEADER not in names:
        raise CheckpointError(f"checkpoint {where!r} lacks its {HEADER}; {_BEGIN_ANEW}")
    if missing:
        raise CheckpointError(
            f"checkpoint {where!r} lacks {missing[0]}, though later passes are there; delete those to go on from "
            f"before it, or {_BEGIN_ANEW}"
        )
    return frozenset(kept)


def _described(name: str, value: Any) -> dict[str, str]:
    """Return what a person reads of an entry, and the digest that it is compared by."""
    shown = value if isinstance(value, str) else _ADDRESS.sub("", repr(value))
    try:
        return {"value": shown, "digest": digest(value)}
    except TypeError as error:
        raise CheckpointError(
            f"a checkpoint cannot say what the {name} of this fit is, {shown:.{SHOWN}}: {error}; fit without one"
        ) from error


def _file_of(number: int) -> str:
    return f"pass-{number:06d}.dglm"


def _side_by_side(was: str, now: str) -> tuple[str, str]:
    """Return two descriptions from a little before the place where they differ."""
    same = next((i for i, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), 0)
    cut = partial(_from, max(same - SHOWN // 3, 0) if max(len(was), len(now)) > SHOWN else 0)
    if was == now:
        return cut(was), "the same in words, but not in every bit or in the code of a function"
    return cut(was), cut(now)


def _from(start: int, text: str) -> str:
    end = start + SHOWN
    return f"{'...' if start else ''}{text[start:end]}{'...' if end < len(text) else ''}"
