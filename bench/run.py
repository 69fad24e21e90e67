#!/usr/bin/env python3
"""Runs the benchmark's cases and prints the figures. Called by ./dev bench, which builds everything that it needs."""

import argparse
import dataclasses
import datetime
import json
import pathlib
import platform
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "runner"))

import measure  # noqa: E402
import report  # noqa: E402
from cases import CASES  # noqa: E402
from processes import Cores, output_of  # noqa: E402
from systems import Systems  # noqa: E402

QUICK_SECONDS = 1.0


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="the main cases only, once and short: under a minute")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (3; with --quick 1)")
    parser.add_argument("--case", action="append", metavar="NAME", help="only this case; may be repeated")
    parser.add_argument("--system", action="append", metavar="NAME",
                        help="only igptd, go, python, echo or direct; may be repeated")
    parser.add_argument("--list", action="store_true", help="list the cases and exit")
    return parser.parse_args()


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.processor())
    return {"cores": Cores().count, "cpu": model, "kernel": platform.release()}


def commit():
    described = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True)
    return described.stdout.strip()


def micro_benchmarks(systems, quick):
    """Google Benchmark's own figures of the pure parts, in nanoseconds of CPU."""
    command = [systems.build / "bench/bench_micro", "--benchmark_format=json",
               f"--benchmark_min_time={0.01 if quick else 0.1}"]
    return {each["name"]: each["cpu_time"] for each in json.loads(output_of(command))["benchmarks"]}


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    arguments = parse_arguments()
    if arguments.list:
        for case in CASES:
            print(f"{case.name:20} {case.title}")
        return
    known = [case.name for case in CASES]
    for name in arguments.case or []:
        if name not in known:
            sys.exit(f"./dev bench: no such case: {name}; known cases are {', '.join(known)}")
    cases = [case for case in CASES
             if (case.name in arguments.case if arguments.case else case.quick or not arguments.quick)]

    def wanted(system):
        return not arguments.system or system in arguments.system

    rounds = arguments.rounds or (1 if arguments.quick else 3)

    cores = Cores()
    systems = Systems(arguments.build, pathlib.Path(arguments.build) / "bench", cores)
    missing = systems.prepare({system for case in cases for system in case.systems if wanted(system)})
    for peer in missing:
        say(f"==> {peer} can't be built here and is left out")

    def measured(system):
        return wanted(system) and system not in missing

    results = {case.name: {system: [] for system in case.systems if measured(system)} for case in cases}
    for turn in range(rounds):
        for case in cases:
            if case.rounds and turn >= case.rounds:
                continue
            if arguments.quick:
                case = dataclasses.replace(case, seconds=QUICK_SECONDS)
            for system in results[case.name]:
                say(f"==> round {turn + 1} of {rounds}: {case.name}, {system}")
                results[case.name][system].append(measure.run_case(case, system, systems))
    starts = {}
    micro = {}
    if not arguments.case:
        starts = {system: measure.start_times_ms(system, systems) for system in ("igptd", "go") if measured(system)}
        say("==> the pure parts")
        micro = micro_benchmarks(systems, arguments.quick)
    sizes = measure.binary_sizes(systems)

    about = {"date": datetime.date.today().isoformat(), "commit": commit(), **machine(), "rounds": rounds,
             **({"left out": " and ".join(missing)} if missing else {})}
    print(report.full(about, cases, results, starts, sizes, micro))
    output = pathlib.Path(arguments.build) / "bench.json"
    output.write_text(json.dumps({"about": about, "cases": results, "start_ms": starts, "bytes": sizes,
                                  "micro_ns": micro}, indent=1))
    say(f"==> all figures are in {output}")


if __name__ == "__main__":
    main()
