"""`make bench`: every figure in one run, as tables and as bench.json; fails for ratios, counts and sizes alone.

Name modules to run only those, as tables alone: `python -m tests.bench store live`; with a number of mentions where a
module takes one: `python -m tests.bench reads=300000`.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from dataclasses import asdict
from pathlib import Path

import tests.bench
from tests.bench.figures import Figure, show

OUTPUT = Path("bench.json")


def modules() -> list[str]:
    """The names of the benchmarks, without their `bench_`."""
    names = (module.name for module in pkgutil.iter_modules(tests.bench.__path__))
    return sorted(name.removeprefix("bench_") for name in names if name.startswith("bench_"))


def main(asked: list[str]) -> int:
    """Run what is asked for, or all; the number of gates that did not hold."""
    counts = {name: int(number) for name, _, number in (item.partition("=") for item in asked) if number}
    asked = [item.partition("=")[0] for item in asked]
    if unknown := set(asked) - set(modules()):
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; known: {', '.join(modules())}")
    results: dict[str, list[Figure]] = {}
    for name in asked or modules():
        run = importlib.import_module(f"tests.bench.bench_{name}").run
        results[name] = run(counts[name]) if name in counts else run()
        show(name, results[name])
    if not asked:
        told = {name: [asdict(figure) for figure in found] for name, found in results.items()}
        OUTPUT.write_text(json.dumps(told, indent=1))
    broken = [figure for found in results.values() for figure in found if figure.gate and not figure.is_reached]
    for figure in broken:
        print(f"not reached: {figure.name}: {figure.value:g} {figure.unit}, bound {figure.bound}")
    return len(broken)


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
