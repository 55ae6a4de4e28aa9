"""`make bench`: every figure in one run, as tables and as bench.json; fails for ratios, counts and sizes alone.

Name modules to run only those: `python -m tests.bench store live`; with a number of mentions where a module takes one:
`python -m tests.bench reads=300000`. With `--at-once 2` two run beside each other: their times then say little, what is
judged says the same.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import pkgutil
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import tests.bench
from tests.bench.figures import Figure, show

OUTPUT = Path("bench.json")


def modules() -> list[str]:
    """The names of the benchmarks, without their `bench_`."""
    names = (module.name for module in pkgutil.iter_modules(tests.bench.__path__))
    return sorted(name.removeprefix("bench_") for name in names if name.startswith("bench_"))


def main(arguments: list[str]) -> int:
    """Run what is asked for, or all; the number of gates that did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("names", nargs="*", metavar="NAME[=N]", help=f"of {', '.join(modules())}")
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="how many run beside each other")
    given = parser.parse_args(arguments)
    counts = {name: int(number) for name, _, number in (item.partition("=") for item in given.names) if number}
    asked = [item.partition("=")[0] for item in given.names]
    if unknown := set(asked) - set(modules()):
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; known: {', '.join(modules())}")
    results: dict[str, list[Figure]] = {}
    for name, found in _run(asked or modules(), counts, given.at_once):
        results[name] = found
        show(name, found)
    OUTPUT.write_text(
        json.dumps({name: [asdict(figure) for figure in found] for name, found in results.items()}, indent=1)
    )
    broken = [figure for found in results.values() for figure in found if figure.gate and not figure.is_reached]
    for figure in broken:
        print(f"not reached: {figure.name}: {figure.value:g} {figure.unit}, bound {figure.bound}")
    return len(broken)


def _run(names: list[str], counts: dict[str, int], at_once: int) -> Iterator[tuple[str, list[Figure]]]:
    if at_once == 1:
        yield from ((name, _figures(name, counts.get(name))) for name in names)
        return
    # Each in a process of its own, with its own servers.
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(at_once, mp_context=spawned, max_tasks_per_child=1) as pool:
        running = {pool.submit(_figures, name, counts.get(name)): name for name in names}
        for done in as_completed(running):
            yield running[done], done.result()


def _figures(name: str, count: int | None) -> list[Figure]:
    run = importlib.import_module(f"tests.bench.bench_{name}").run
    found: list[Figure] = run() if count is None else run(count)
    return found


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
