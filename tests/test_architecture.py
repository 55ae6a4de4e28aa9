"""The shape of the program: who may import whom, how long a file is, and what no file holds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE = 400
# What is longer, and why it stays in one piece.
LONGER: dict[str, str] = {}
# package -> (never imported there, except in these files).
NEVER: dict[str, dict[str, tuple[str, ...]]] = {
    "models": {
        "dash": (),
        "dash_mantine_components": (),
        "plotly": (),
        "pandas": (),
        "fastapi": (),
        "starlette": (),
        "uvicorn": (),
        "apscheduler": (),
        "tweepy": (),
        "httpx": (),
        "feedparser": (),
        "ingest": (),
        "dashboard": (),
        "app": (),
        "numpy": ("models/spikes.py", "models/metrics.py"),
        # `alembic.util` for the name of its error.
        "alembic": ("models/schema.py", "models/start.py", "models/migrations/"),
    },
    "ingest": {
        "dash": (),
        "dash_mantine_components": (),
        "plotly": (),
        "fastapi": (),
        "starlette": (),
        "uvicorn": (),
        "alembic": (),
        "dashboard": (),
        "app": (),
        # Each network's client in its one connector file.
        "tweepy": ("ingest/connectors/x.py",),
        "feedparser": ("ingest/connectors/feed.py", "ingest/feed_entries.py"),
    },
    "dashboard": {
        "tweepy": (),
        "httpx": (),
        "feedparser": (),
        # The company's sign-on server is no network: what it says is about the person at the door.
        "requests": ("dashboard/oidc_provider.py",),
        "apscheduler": (),
        "alembic": (),
        "ingest": (),
        "app": (),
    },
}
MACHINE_PATHS = re.compile(r"/(?:work|home|Users|root)/[\w.-]|[A-Z]:\\\\Users")
MACHINE_NAMES = re.compile(r"/home/(?:watchfloor|ana)\b")


def files(*packages: str) -> list[Path]:
    """Every Python file of the packages, or of the whole project with its tests."""
    if not packages:
        return [ROOT / "app.py", *files("models", "ingest", "dashboard", "tests")]
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(module: ast.Module) -> Iterator[str]:
    """The full names of the modules that are imported anywhere in it, those for type checking too."""
    ahead: list[ast.AST] = [module]
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno} imports relatively; write the whole name"
            yield str(node.module)
        # Of statements alone: expressions, which import nothing, are nine tenths of a tree.
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            inside = getattr(node, part, None)
            if isinstance(inside, list):
                ahead += inside


def broken_rules(path: str, imported: Iterator[str]) -> list[str]:
    rules = NEVER[path.split("/")[0]]
    found = []
    for module in imported:
        top = module.split(".")[0]
        if top in rules and not path.startswith(rules[top] or ("nowhere",)):
            found.append(f"{path} imports {module}")
    return found


@pytest.mark.parametrize("package", list(NEVER))
def test_no_package_imports_what_it_must_never_import(package: str) -> None:
    assert [broken for path in files(package) for broken in broken_rules(name(path), imports(tree(path)))] == []


def test_a_forbidden_import_would_be_found_however_it_is_written() -> None:
    source = "import plotly.express as px\nfrom dash import html\ndef f():\n    import dashboard.live\n"
    assert sorted(broken_rules("models/x.py", imports(ast.parse(source)))) == [
        "models/x.py imports dash",
        "models/x.py imports dashboard.live",
        "models/x.py imports plotly.express",
    ]
    assert broken_rules("models/metrics.py", iter(["numpy.linalg"])) == []
    assert broken_rules("models/x.py", iter(["numpy"])) == ["models/x.py imports numpy"]


def test_the_command_only_mounts_the_groups_of_the_three_packages() -> None:
    ours = {module for module in imports(tree(ROOT / "app.py")) if module.split(".")[0] in NEVER}
    assert ours == {"models", "ingest", "dashboard", "models.explained"}
    from_packages = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree(ROOT / "app.py"))
        if isinstance(node, ast.ImportFrom) and node.module in NEVER
        for alias in node.names
    }
    assert from_packages == {"models.commands", "ingest.commands", "dashboard.commands"}


def test_every_file_says_what_it_is() -> None:
    silent = [name(path) for path in files() if path.read_text("utf-8").strip() and not ast.get_docstring(tree(path))]
    assert silent == []


def test_no_file_is_longer_than_one_can_hold_in_mind() -> None:
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in files("models", "ingest", "dashboard")}
    too_long = {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE and path not in LONGER}
    assert too_long == {}
    short_by_now = [path for path in LONGER if lengths.get(path, 0) <= LONGEST_FILE]
    assert short_by_now == [], "take it off the list"


def test_every_file_that_is_read_is_there_to_be_read() -> None:
    counted = {package: len(files(package)) for package in NEVER}
    assert all(number >= 10 for number in counted.values()), counted


def test_nothing_names_the_machine_it_was_written_on() -> None:
    texts = [*files(), *(ROOT / "assets").glob("*.*"), ROOT / "Makefile", ROOT / "pyproject.toml"]
    texts += ROOT.glob("*.md")
    found = []
    for path in texts:
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if MACHINE_PATHS.search(line) and not MACHINE_NAMES.search(line):
                found.append(f"{name(path)}:{number}: {line.strip()[:120]}")
    assert found == []


def test_the_lock_files_hold_names_and_hashes_and_no_address() -> None:
    locks = sorted(ROOT.glob("requirements*.lock"))
    assert locks
    for lock in locks:
        text = lock.read_text("utf-8")
        assert "://" not in text
        assert "--index-url" not in text
        assert "--hash=sha256:" in text


def test_nothing_of_the_product_reaches_for_another_host_when_it_is_looked_at() -> None:
    address = re.compile(r"""(?:src|href|url\(|@import|import)\s*=?\s*["'(]\s*(?:https?:)?//(?!localhost)""")
    found = [
        f"{path.name}:{number}"
        for path in [*(ROOT / "assets").glob("*.js"), *(ROOT / "assets").glob("*.css")]
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if address.search(line)
    ]
    assert found == []
