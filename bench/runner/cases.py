"""The cases: which load on which systems, and which figure matters."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    title: str
    load: tuple  # arguments of the load generator
    systems: tuple = ("igptd", "go")
    per: str = "call"  # what CPU time is divided by: call, event or second
    seconds: float = 2.0
    warmup_s: float = 0.5
    beside: tuple = ()  # arguments of a second load generator that runs at the same time
    tls_upstream: bool = False
    front: bool = False  # haproxy before the upstream, which offers HTTP/2 and HTTP/1.1 over https
    cores: int = 1  # of the server
    streams: int = 0  # how many are open all the time: memory is divided by this
    flags: tuple = ()  # of igptd
    scrapes_per_s: float = 0  # of igptd's metrics, at the same time
    rounds: int = 0  # 0: as many as the run has
    quick: bool = False  # part of --quick


def search(in_flight, size=4096):
    return ("--method=search", f"--text=bench bytes={size}", f"--in_flight={in_flight}",
            f"--connections={min(in_flight, 4)}")


def ask(in_flight, text, connections=4):
    return ("--method=ask", f"--text=bench {text}", f"--in_flight={in_flight}", f"--connections={connections}")


PACED = "events=1000000 every_us=20000"
IDLE = "events=1000000 every_us=1000000"

# igptd by the version of HTTP with iGPT.
HTTPS = ("igptd-http1.1", "igptd-http2")

# What --max_in_flight=100 leaves to a single caller: the last tenth is reserved for others.
ALL_THERE_IS_ROOM_FOR = ask(90, "events=10 every_us=100000")
TEN_TIMES_AS_MUCH = ask(900, "events=10 every_us=100000") + ("--every_ms=1000", "--open_per_s=900")

CASES = (
    Case("search_1", "Search, 4 KB, 1 in flight", search(1), ("igptd", "go", "python", "echo", "direct"), quick=True),
    Case("search_32", "Search, 4 KB, 32 in flight", search(32), ("igptd", "go", "python", "echo"), quick=True),
    Case("search_256", "Search, 4 KB, 256 in flight", search(256)),
    Case("search_32_2_cores", "Search, 4 KB, 32 in flight, 2 cores", search(32), cores=2),
    Case("search_tls", "Search, 4 KB, 32 in flight, HTTPS upstream", search(32), tls_upstream=True),
    Case("search_8mb", "Search, 8 MB, 1 in flight", search(1, 8 << 20), ("igptd", "go", "python"), seconds=3),
    Case("ask_1", "Ask, 1 event, 1 in flight", ask(1, "events=1", 1), ("igptd", "go", "python", "direct"), quick=True),
    Case("bulk_32", "Ask, 32 streams of 100 events at full speed", ask(32, "events=100"),
         ("igptd", "go", "python", "echo"), per="event", quick=True),
    Case("bulk_32_tls", "the same, HTTPS upstream", ask(32, "events=100"), per="event", tls_upstream=True),
    Case("bulk_32_2_cores", "the same, 2 cores", ask(32, "events=100"), per="event", cores=2),
    Case("paced_300", "Ask, 300 streams, an event every 20 ms", ask(300, PACED), ("igptd", "go", "python"),
         per="event", seconds=3, warmup_s=1, quick=True),
    Case("paced_1000", "Ask, 1,000 streams, an event every 20 ms", ask(1000, PACED), per="event", seconds=3,
         warmup_s=1),
    Case("paced_300_slow", "Ask, 300 streams as before beside 8 that are not read",
         ask(300, PACED) + ("--slow_readers=8", "--slow_text=bench events=1000000"), per="event", seconds=3,
         warmup_s=1),
    Case("paced_beside_bulk", "Ask, 100 streams, an event every 20 ms, beside 4 at full speed", ask(100, PACED),
         beside=ask(4, "events=10000", 1), per="second", seconds=3, warmup_s=1),
    Case("idle_10000", "Ask, 10,000 streams, an event every second",
         ask(10000, IDLE, 100) + ("--open_per_s=3000",), per="second", seconds=5,
         warmup_s=1.5, streams=10000, rounds=2),
    Case("search_32_https", "Search, 4 KB, 32 in flight, haproxy before iGPT", search(32), HTTPS, front=True),
    Case("bulk_32_https", "Ask, 32 streams of 100 events at full speed, haproxy before iGPT", ask(32, "events=100"),
         HTTPS, per="event", front=True),
    Case("paced_300_https", "Ask, 300 streams, an event every 20 ms, haproxy before iGPT", ask(300, PACED), HTTPS,
         per="event", seconds=3, warmup_s=1, front=True),
    Case("idle_5000_https", "Ask, 5,000 streams, an event every second, haproxy before iGPT",
         ask(5000, IDLE, 50) + ("--open_per_s=1500",), HTTPS, per="second", seconds=5, warmup_s=1.5, streams=5000,
         rounds=2, front=True),
    Case("full", "Ask, 90 streams of a second, an event every 100 ms: all that there is room for",
         ALL_THERE_IS_ROOM_FOR, ("igptd",), per="second", seconds=4, warmup_s=1, flags=("--max_in_flight=100",)),
    Case("overload", "the same, ten times as many: most are shed", TEN_TIMES_AS_MUCH, ("igptd",), per="second",
         seconds=4, warmup_s=1, flags=("--max_in_flight=100",)),
    Case("search_32_scraped", "Search, 4 KB, 32 in flight, metrics scraped 20 times a second", search(32), ("igptd",),
         scrapes_per_s=20),
)
