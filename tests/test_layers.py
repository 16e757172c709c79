import logging
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[1]
READS_TEXT = {"connector.mapping": {"yaml"}}  # pure too: text in, data out
PURE = ("connector.domain", "connector.mapping", "connector.ports")


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(ROOT)
    yield
    # The linter's own logging set-up silences every logger that there is; others test theirs.
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


def test_every_layer_contract_holds(capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)

    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_every_module_has_its_floor() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    floors = next(each for each in contracts["contracts"] if each["type"] == "layers")["layers"]
    graph = grimp.build_graph("connector", cache_dir=None)

    assert graph.find_children("connector") <= set(re.findall(r"[\w.]+", " ".join(floors)))


@pytest.mark.parametrize("package", PURE)
def test_the_pure_core_imports_the_standard_library(package: str) -> None:
    graph = grimp.build_graph("connector", include_external_packages=True, cache_dir=None)
    modules = {package, *graph.find_descendants(package)}
    imported = set().union(*(graph.find_modules_directly_imported_by(name) for name in modules))

    foreign = {name for name in imported if not _is_allowed(name)}
    assert foreign <= READS_TEXT.get(package, set())


def _is_allowed(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names or name.startswith(PURE)
