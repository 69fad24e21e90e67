"""The results as tables: first the targets, as ratios within a round, then every case."""

from statistics import median

MISSING = "–"


def values(results, case, system, *path):
    """The figure at `path` of every round, in order; None where there is none."""
    found = []
    for figures in results.get(case, {}).get(system, []):
        for key in path:
            figures = figures.get(key) if figures is not None else None
        found.append(figures)
    return found


def ratios(numerators, denominators):
    return [a / b for a, b in zip(numerators, denominators) if a is not None and b]


def differences(values_a, values_b):
    return [None if a is None or b is None else a - b for a, b in zip(values_a, values_b)]


def spread(numbers, form="{:.2f}"):
    numbers = [number for number in numbers if number is not None]
    if not numbers:
        return MISSING
    middle = form.format(median(numbers))
    if len(numbers) == 1:
        return middle
    return f"{middle} ({form.format(min(numbers))}…{form.format(max(numbers))})"


def table(header, rows):
    """Markdown, with its columns aligned."""
    cells = [header, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def aims(results, starts):
    """(what, measured per round, aim) of each aim that was measured."""

    def cpu(case, system):
        return values(results, case, system, "cpu_us")

    def added(case, figure, percentile, system):
        return differences(values(results, case, system, figure, percentile),
                           values(results, case, "direct", figure, percentile))

    def milliseconds(case, figure, system="igptd"):
        return [None if v is None else v / 1e3 for v in values(results, case, system, figure, "p99")]

    memory = values(results, "idle_10000", "igptd", "bytes_per_stream")
    rows = [
        ("CPU per Search, 32 in flight: × Go", ratios(cpu("search_32", "igptd"), cpu("search_32", "go")), 0.5),
        ("the same: × bare gRPC echo", ratios(cpu("search_32", "igptd"), cpu("search_32", "echo")), 2),
        ("CPU per event, bulk: × Go", ratios(cpu("bulk_32", "igptd"), cpu("bulk_32", "go")), 0.7),
        ("CPU per event, paced: × Go", ratios(cpu("paced_300", "igptd"), cpu("paced_300", "go")), 0.85),
    ]
    for case, figure, what in (("search_1", "latency_us", "a Search"), ("ask_1", "first_us", "a first event")):
        for percentile in ("p50", "p99"):
            rows.append((f"added delay of {what}, 1 in flight, {percentile}: × Go",
                         ratios(added(case, figure, percentile, "igptd"), added(case, figure, percentile, "go")), 0.9))
    rows += [
        ("delay of an event, paced, p99: ms", milliseconds("paced_300", "delay_us"), 5),
        ("the same: × Go", ratios(milliseconds("paced_300", "delay_us"), milliseconds("paced_300", "delay_us", "go")), 0.5),
        ("memory per idle stream: KB", [v / 1e3 for v in memory if v is not None], 28),
        ("the same: × Go", ratios(memory, values(results, "idle_10000", "go", "bytes_per_stream")), 0.7),
        ("10,000 idle streams: share of a core", values(results, "idle_10000", "igptd", "server_share"), 0.5),
        ("the same, delay of an event, p99: ms", milliseconds("idle_10000", "delay_us"), 10),
        ("shed at ten times the load, p99: ms", milliseconds("overload", "failed_us"), 10),
        ("the same, delay of an event of what there is room for, p99: ms", milliseconds("overload", "delay_us"), 10),
        ("CPU of a scrape under full load: ms (1 a second: 1 % of a core)",
         values(results, "search_32_scraped", "igptd", "scrape_ms"), 10),
        ("start to serving: ms", starts.get("igptd", []), 100),
    ]
    return [row for row in rows if any(value is not None for value in row[1])]


def aims_table(measured_aims):
    rows = []
    for what, measured, aim in measured_aims:
        middle = median(value for value in measured if value is not None)
        rows.append([what, spread(measured), f"≤ {aim:g}", "yes" if middle <= aim else "no"])
    return table(["what", "median (spread)", "aim", "kept"], rows)


def case_table(case, by_system):
    """Every system under one case."""
    rows = []
    for system, rounds in by_system.items():

        def figures(*path, of=system):
            return values({case.name: by_system}, case.name, of, *path)

        rate = [each["calls_ok" if case.per == "call" else "events"] / each["seconds"] for each in rounds]
        rows.append([
            system,
            spread(figures("cpu_us"), "{:.1f}"),
            spread(ratios(figures("cpu_us"), figures("cpu_us", of="go"))),
            spread(rate, "{:,.0f}"),
            *(spread([v and v / 1e3 for v in figures(figure, percentile)], "{:.2f}")
              for figure, percentile in delays(case)),
            spread([v and v / 1e6 for v in figures("rss_bytes")], "{:.0f}"),
            spread(figures("descriptors"), "{:.0f}"),
            "/".join(f"{median(figures(f'{who}_share')) * 100:.0f}" for who in ("server", "upstream", "load")),
            str(sum(figures("failed"))),
        ])
    header = [case.title, f"CPU µs per {case.per}", "× Go", "per second",
              *(f"{LABELS[figure]} {percentile} ms" for figure, percentile in delays(case)),
              "RSS MB", "descriptors", "% of a core: server/upstream/load", "failed"]
    return table(header, rows)


LABELS = {"latency_us": "call", "failed_us": "shed", "first_us": "first event", "delay_us": "event delay"}


def delays(case):
    """The delays that a case reports."""
    if case.flags:  # limits: calls may be shed
        return [("latency_us", "p99"), ("delay_us", "p99"), ("failed_us", "p50"), ("failed_us", "p99")]
    if "every_us" in " ".join(case.load):
        return [("delay_us", "p50"), ("delay_us", "p99")]
    if "--method=ask" in case.load:
        return [("first_us", "p50"), ("first_us", "p99")]
    return [("latency_us", "p50"), ("latency_us", "p99")]


def full(about, cases, results, starts, sizes, micro):
    parts = [", ".join(f"{key}: {value}" for key, value in about.items())]
    if rows := aims(results, starts):
        parts.append(aims_table(rows))
    parts += [case_table(case, results[case.name]) for case in cases]
    if starts:
        parts.append(table(["start to serving", "ms"], [[name, spread(times, "{:.0f}")] for name, times in starts.items()]))
    parts.append(table(["binary", "MB"], [[name, f"{size / 1e6:.1f}"] for name, size in sizes.items()]))
    if micro:
        parts.append(table(["pure part", "CPU ns"], [[name, f"{time:,.0f}"] for name, time in micro.items()]))
    return "\n\n".join(parts)
