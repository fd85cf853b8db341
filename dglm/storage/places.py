"""Place: a directory of small files, local or at an fsspec URL, each written whole or not at all."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

#: How a file ends whose writing is under way, or was when its writer died.
UNFINISHED = ".unfinished"


@dataclass(frozen=True)
class Place:
    """A directory.

    Parameters
    ----------
    files : fsspec.AbstractFileSystem
        Where it is.
    root : str
        Its path there.
    """

    files: Any
    root: str

    @classmethod
    def at(cls, where: str | os.PathLike[str]) -> Self:
        """Return a directory, which need not exist yet.

        Parameters
        ----------
        where : str or path
            A path, or a URL that fsspec understands.

        Returns
        -------
        Place
            Nothing is written.
        """
        return cls(*url_to_fs(os.fspath(where)))

    def create(self) -> None:
        """Make the directory, unless it is there."""
        self.files.makedirs(self.root, exist_ok=True)

    def names(self) -> list[str]:
        """Return the names of what is in the directory; none where there is no directory.

        Returns
        -------
        list of str
            Sorted.

        Raises
        ------
        NotADirectoryError
            If it is a file.
        """
        # others may have written since somebody looked
        self.files.invalidate_cache()
        if self.files.isfile(self.root):
            raise NotADirectoryError(self.root)
        try:
            found = self.files.ls(self.root, detail=False)
        except FileNotFoundError:
            return []
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in found)

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Parameters
        ----------
        name : str
            Of the file.

        Returns
        -------
        bytes
            All of it.
        """
        content: bytes = self.files.cat_file(self._path(name))
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a file, which is there whole or not at all, whenever this process or its machine dies.

        Parameters
        ----------
        name : str
            Of the file; what is there is replaced.
        content : bytes
            All of it.
        """
        if not isinstance(self.files, LocalFileSystem):
            # stores of objects show one when it has arrived
            self.files.pipe_file(self._path(name), content)
            return
        unfinished = Path(self._path(f".{name}.{uuid.uuid4().hex}{UNFINISHED}"))
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path(name))
        if os.name == "posix":
            # the new name, too, is to survive a loss of power
            directory = os.open(self.root, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    def remove(self, name: str) -> None:
        """Remove a file.

        Parameters
        ----------
        name : str
            Of the file.
        """
        self.files.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{name}"
