"""Validate the docstring of every public object of dglm with numpydoc; `.ci/lint` calls this.

`numpydoc lint` reads source text, so it knows neither the parameters of a dataclass nor a docstring that an override
inherits. This imports the package instead, and reads the same table of pyproject.toml.
"""

import functools
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from numpydoc.docscrape import get_doc_object
from numpydoc.hooks.validate_docstrings import parse_config
from numpydoc.validate import Validator, validate

import dglm

MEMBER_TYPES = (property, functools.cached_property, classmethod, staticmethod)


class Docstring(Validator):
    """
    A docstring beside the object that it documents.

    Parameters
    ----------
    obj_name : str
        The dotted name of the object, from its module on.
    """

    def __init__(self, obj_name: str) -> None:
        super().__init__(get_doc_object(self._load_obj(obj_name)))

    @property
    def signature_parameters(self) -> tuple[str, ...]:
        """Parameters of the object, and none where dglm did not write the constructor: Enum, exception, Protocol."""
        if inspect.isclass(self.obj):
            owner = next(base for base in self.obj.__mro__ if "__init__" in vars(base))
            if not owner.__module__.startswith("dglm") or getattr(self.obj, "_is_protocol", False):
                return ()
        return super().signature_parameters

    @property
    def doc_all_parameters(self) -> dict[str, tuple[str, list[str]]]:
        """Documented parameters; a field of a record may stand under Attributes instead of Parameters."""
        attributes = self._doc_parameters(["Attributes"])
        documented = super().doc_parameters
        # numpydoc adds every class attribute there by itself, without a type: what stands under Parameters counts
        missing = [name for name in attributes if name in self.signature_parameters and name not in documented]
        return documented | {name: attributes[name] for name in missing}


def modules() -> Iterator[ModuleType]:
    """Import dglm and every module below it."""
    yield dglm
    for info in pkgutil.walk_packages(dglm.__path__, prefix="dglm."):
        yield importlib.import_module(info.name)


def defined_names(module: ModuleType) -> Iterator[str]:
    """Name the classes and functions that `module` defines, and the members that need a docstring of their own."""
    for name, obj in vars(module).items():
        if getattr(obj, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(obj) or inspect.isfunction(obj):
            yield f"{module.__name__}.{name}"
        if inspect.isclass(obj):
            for member_name, member in vars(obj).items():
                is_member = inspect.isfunction(member) or isinstance(member, MEMBER_TYPES)
                if is_member and not inherits_docstring(obj, member_name):
                    yield f"{module.__name__}.{name}.{member_name}"


def inherits_docstring(cls: type, member_name: str) -> bool:
    """Tell an override without a docstring whose base class has one."""
    documented = [bool(vars(base)[member_name].__doc__) for base in cls.__mro__ if member_name in vars(base)]
    return not documented[0] and any(documented)


def main() -> int:
    """Print one line per finding; return how the process should exit."""
    config = parse_config(Path(__file__).parents[1])
    names = [name for module in modules() for name in defined_names(module) if not config["exclude"].search(name)]
    findings = 0
    for name in names:
        report = validate(name, Docstring)
        for code, message in report["errors"]:
            if code in config["checks"]:
                findings += 1
                print(f"{report['file']}:{report['file_line']}: {code} {name}: {message}")
    print(f"{len(names)} public docstrings, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
