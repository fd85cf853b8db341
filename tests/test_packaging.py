"""What is said of the package: dependencies, their oldest versions, the changelog, what `show_versions` prints."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import dglm
from dglm.versions import NEEDED, environment

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]


def bounds(requirements: list[str]) -> dict[str, str]:
    """Return the lower bounds, of requirements that have nothing but one."""
    parsed = [re.fullmatch(r"([\w-]+)(?:\[.*\])?>=([\d.]+)", each) for each in requirements]
    assert None not in parsed
    return {each[1]: each[2] for each in parsed}


def extra(name: str) -> list[str]:
    return [each for each in PROJECT["optional-dependencies"][name] if not each.startswith("dglm[")]


def test_the_oldest_versions_that_are_tested_are_the_bounds() -> None:
    pins = dict(line.split("==") for line in (ROOT / ".ci/oldest.txt").read_text().split() if "==" in line)
    declared = bounds(PROJECT["dependencies"])
    for name in ("plot", "sklearn", "test"):
        declared |= bounds(extra(name))
    for name, bound in declared.items():
        # `>=2.0` allows 2.0.0 first
        assert re.fullmatch(rf"{re.escape(bound)}(\.0)*", pins[name]), f"{name}>={bound}, tested with {pins[name]}"


def test_everything_that_is_imported_is_declared() -> None:
    named = packages_distributions() | {"dglm": ["dglm"]}
    distributions = {package: {name.replace("_", "-") for name in names} for package, names in named.items()}
    declared = {"dglm", *bounds(PROJECT["dependencies"]), *bounds(extra("sklearn"))}
    for file in (ROOT / "dglm").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
                for package in {name.partition(".")[0] for name in names} - sys.stdlib_module_names:
                    assert not declared.isdisjoint(distributions[package]), f"{file} imports {package}"


def included(file: Path, found: set[Path]) -> set[Path]:
    """Return the headers of ours that a file in C includes, and that these do."""
    text = file.read_text()
    named = [file.parent / each for each in re.findall(r'^#include "(.+)"$', text, re.MULTILINE)]
    # which a header that includes loops for each set of instructions finds from where it is
    named += [ROOT / "dglm" / each for each in re.findall(r'^#define LOOPS "(.+)"$', text, re.MULTILINE)]
    for header in {each.resolve() for each in named} - found:
        found = included(header, found | {header})
    return found


def test_every_file_in_c_is_compiled_and_again_when_a_header_changes() -> None:
    modules = PYPROJECT["tool"]["setuptools"]["ext-modules"]
    assert {source for each in modules for source in each["sources"]} == {
        str(file.relative_to(ROOT)) for file in (ROOT / "dglm").rglob("*.c")
    }
    for module in modules:
        (source,) = module["sources"]
        assert module["name"] == source.removesuffix(".c").replace("/", ".")
        assert {ROOT / each for each in module["depends"]} == included(ROOT / source, set())


def test_the_changelog_begins_with_this_version() -> None:
    newest = re.search(r"^(\d[\w.]*)(?: \((.*)\))?\n-+$", (ROOT / "CHANGELOG.rst").read_text(), re.MULTILINE)
    version, _, development = dglm.__version__.partition(".dev")
    assert newest[1] == version
    assert (newest[2] == "not yet released") == bool(development)


def test_versions_are_shown_of_everything_that_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(NEEDED) == set(bounds(PROJECT["dependencies"]))
    dglm.show_versions(as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert "not installed" not in shown["needed"].values()
    assert shown["system"]["dglm"] == dglm.__version__
    assert shown["system"]["BLAS"].count("thread") >= 1
    dglm.show_versions()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0].strip() for line in lines if ":" in line] == [
        name for section in environment().values() for name in section
    ]


def test_versions_are_shown_without_a_package_and_without_importing_one() -> None:
    code = (
        "import sys, dglm.versions as v; before = set(sys.modules); v.OPTIONAL += ('no-such-package',)\n"
        "v.show_versions(); print('imported:', *{m.partition('.')[0] for m in set(sys.modules) - before})"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120).stdout
    assert re.search(r"^no-such-package: not installed$", shown, re.MULTILINE)
    assert not {"sklearn", "matplotlib", "polars", "statsmodels"} & set(shown.rpartition("imported:")[2].split())
