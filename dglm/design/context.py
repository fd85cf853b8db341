"""Context: the caller's variables and functions that a formula names, as they travel to workers and in files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cloudpickle

from dglm.design.portable import portable


@dataclass(frozen=True)
class Unsaved:
    """Stands for a value that a saved result could not hold, until the formula asks for it.

    Parameters
    ----------
    kind : str
        The value's type, for messages.
    """

    kind: str


@dataclass(frozen=True, eq=False)
class Context(Mapping[str, Any]):
    """What a formula names beside columns, and nothing else of the scope that it was written in.

    Parameters
    ----------
    variables : mapping of str to object
        Numbers, arrays, functions, modules.
    """

    variables: Mapping[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "variables", {name: portable(value) for name, value in self.variables.items()})

    def __getitem__(self, name: str) -> Any:
        return self.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)

    def __reduce__(self) -> tuple[Any, ...]:
        # plain pickle takes neither modules nor lambdas
        return _received, (cloudpickle.dumps(dict(self.variables)),)


def _received(pickled: bytes) -> Context:
    return Context(cloudpickle.loads(pickled))
