"""The habits of the house that no linter checks."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("connector", "webhooks", "scorer", "simulators")
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
LOCKS = ("requirements.lock", "requirements-dev.lock")
ADRS = sorted((ROOT / "docs" / "adr").glob("0*.md"))


def test_no_function_is_longer_than_a_screen() -> None:
    assert [where for where, lines in _functions() if lines > LONGEST_FUNCTION] == []


def test_no_file_is_longer_than_a_sitting() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in _sources()}

    assert [str(path.relative_to(ROOT)) for path, n in lengths.items() if n > LONGEST_FILE] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_marked_as_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()


def test_every_folder_of_code_is_a_package() -> None:
    folders = {path.parent for path in _sources()}  # the layers' graph sees no other

    assert [str(path.relative_to(ROOT)) for path in folders if _is_loose(path)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_place_to_download_from(lock: str) -> None:
    requirements = re.sub(r" *#.*", "", (ROOT / lock).read_text())

    assert re.findall(r"://|--(?!hash=)\S+| @ .*", requirements) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_a_hash_for_everything(lock: str) -> None:
    pinned = re.findall(r"^\S+==\S+.*\n +(\S+)", (ROOT / lock).read_text(), re.MULTILINE)

    assert pinned
    assert {line.partition(":")[0] for line in pinned} == {"--hash=sha256"}


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert _names(project["dependencies"]) <= _locked("requirements.lock")
    assert _names(project["optional-dependencies"]["dev"]) <= _locked("requirements-dev.lock")


def test_developers_run_the_locked_versions() -> None:
    runtime, developers = ((ROOT / lock).read_text() for lock in LOCKS)

    assert _pins(runtime) <= _pins(developers)


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    reasons = (ROOT / "docs" / "adr" / "0006-libraries.md").read_text().lower()

    declared = _names(project["dependencies"] + project["optional-dependencies"]["dev"])
    assert {name for name in declared if f"`{name}`" not in reasons} == set()


@pytest.mark.parametrize("adr", ADRS, ids=lambda path: path.stem)
def test_every_decision_is_listed_and_complete(adr: Path) -> None:
    text = adr.read_text()

    assert adr.name in (adr.parent / "README.md").read_text()
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Context", "Options", "Decision", "Consequences"]
    assert re.search(r"^Status: \w+ · Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE)


def _sources() -> list[Path]:
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(path for path in files if path.parent.name != "versions")  # migrations: history


def _is_loose(folder: Path) -> bool:
    return folder.name != "migrations" and not (folder / "__init__.py").exists()


def _functions() -> Iterator[tuple[str, int]]:
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", lines


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in requirements}


def _pins(lock: str) -> set[str]:
    return set(re.findall(r"^\S+==\S+", lock, re.MULTILINE))


def _locked(lock: str) -> set[str]:
    return {pin.partition("==")[0] for pin in _pins((ROOT / lock).read_text())}
