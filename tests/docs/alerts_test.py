#!/usr/bin/env python3
"""The rules of deploy/prometheus/alerts.yaml are sound, and each fires when it should and only then.

    alerts_test.py <promtool> <the project's directory>
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import alerts

# Alert, how the series go minute by minute (as promtool writes them: from+step×times), after how many minutes, and the
# labels of what fires then; None if nothing does.
CASES = [
    ("IgptdNotReady", {'igptd_ready{instance="a"}': "0x5", 'igptd_ready{instance="b"}': "0x5"}, 2, {}),
    ("IgptdNotReady", {'igptd_ready{instance="a"}': "0x5", 'igptd_ready{instance="b"}': "1x5"}, 5, None),
    ("IgptdNotReady", {}, 3, {}),
    ("IgptdReplicaDown", {'up{instance="a"}': "1x5 0x9", 'igptd_ready{instance="a"}': "1x5", 'up{instance="b"}': "1x20",
                          'igptd_ready{instance="b"}': "1x20"}, 14, {"instance": "a"}),
    ("IgptdReplicaDown", {'up{instance="a"}': "1x9", 'igptd_ready{instance="a"}': "0x9"}, 6, {"instance": "a"}),
    ("IgptdReplicaDown", {'up{instance="database"}': "0x9"}, 9, None),
    ("IgptdKeyRefused", {'igptd_errors_total{reason="IGPT_AUTH", grpc_code="FailedPrecondition"}': "0+1x9"}, 5, {}),
    ("IgptdKeyRefused", {'igptd_errors_total{reason="IGPT_AUTH", grpc_code="Unauthenticated"}': "0+1x9"}, 9, None),
    ("IgptdFailing", {'igptd_errors_total{reason="STREAM_TRUNCATED"}': "0+6x20", "grpc_server_handled_total": "0+100x20"},
     12, {}),
    ("IgptdFailing", {'igptd_errors_total{reason="STREAM_TRUNCATED"}': "0+4x20", "grpc_server_handled_total": "0+100x20"},
     20, None),
    ("IgptdFailing", {'igptd_errors_total{reason="DEADLINE"}': "0+50x20", "grpc_server_handled_total": "0+100x20"}, 20,
     None),
    ("IgptdShedding", {'igptd_errors_total{reason="OVERLOADED"}': "0+2x20", "grpc_server_started_total": "0+100x20"}, 12,
     {}),
    ("IgptdShedding", {'igptd_errors_total{reason="OVERLOADED"}': "0+1x20", "grpc_server_started_total": "0+100x20"}, 20,
     None),
    ("IgptdTooManyWatches", {'igptd_calls_shed_total{limit="standard_streams"}': "0 0 5x9"}, 4,
     {"limit": "standard_streams"}),
    ("IgptdTooManyWatches", {'igptd_calls_shed_total{limit="memory"}': "0 0 5x9"}, 4, None),
    ("IgptdNearlyFull", {'igptd_resource_use_ratio{resource="memory", instance="a"}': "0.7x20"}, 16, {"resource": "memory"}),
    ("IgptdNearlyFull", {'igptd_resource_use_ratio{resource="memory", instance="a"}': "0.6x20"}, 20, None),
    ("IgptdRateLimited", {'igptd_errors_total{reason="IGPT_RATE_LIMITED"}': "0+1x30"}, 20, {}),
    ("IgptdRateLimited", {'igptd_errors_total{reason="IGPT_RATE_LIMITED"}': "0 1x30"}, 30, None),
    ("IgptdDenied", {'igptd_errors_total{reason="USER_NOT_ALLOWED"}': "0+60x20"}, 15, {}),
    ("IgptdDenied", {'igptd_errors_total{reason="USER_NOT_ALLOWED"}': "0+1x20"}, 20, None),
    ("IgptdSlowFirstEvent", {'igptd_time_to_first_event_seconds_bucket{le="30"}': "0+90x30",
                             'igptd_time_to_first_event_seconds_bucket{le="60"}': "0+100x30",
                             'igptd_time_to_first_event_seconds_bucket{le="+Inf"}': "0+100x30"}, 20, {}),
    ("IgptdSlowFirstEvent", {'igptd_time_to_first_event_seconds_bucket{le="30"}': "0+99x30",
                             'igptd_time_to_first_event_seconds_bucket{le="+Inf"}': "0+100x30"}, 30, None),
    ("IgptdStarved", {'igptd_event_loop_lag_seconds_bucket{le="0.1", instance="a"}': "0+90x30",
                      'igptd_event_loop_lag_seconds_bucket{le="1", instance="a"}': "0+100x30",
                      'igptd_event_loop_lag_seconds_bucket{le="+Inf", instance="a"}': "0+100x30"}, 20, {"instance": "a"}),
    ("IgptdStarved", {'igptd_event_loop_lag_seconds_bucket{le="0.1", instance="a"}': "0+100x30",
                      'igptd_event_loop_lag_seconds_bucket{le="+Inf", instance="a"}': "0+100x30"}, 30, None),
    ("IgptdDescriptorsShort", {'process_open_fds{instance="a"}': "900x9", 'process_max_fds{instance="a"}': "1000x9",
                               'igptd_ready{instance="a"}': "1x9"}, 6, {"instance": "a"}),
    ("IgptdDescriptorsShort", {'process_open_fds{instance="database"}': "900x9",
                               'process_max_fds{instance="database"}': "1000x9"}, 9, None),
    ("IgptdFlooded", {"igptd_connections_cut_off_total": "0 0 1x9"}, 4, {}),
    ("IgptdFlooded", {"igptd_connections_cut_off_total": "7x9"}, 9, None),
    ("IgptdConnectionsRefused", {'igptd_connections_refused_total{reason="too_many"}': "0 0 1x9"}, 4, {}),
    ("IgptdConnectionsRefused", {'igptd_connections_refused_total{reason="waits"}': "0 0 1x9"}, 4, None),
    ("IgptdRequestsLate", {'igptd_late_requests{instance="a"}': "300x9", 'igptd_late_requests{instance="b"}': "300x9"}, 2, {}),
    ("IgptdRequestsLate", {'igptd_errors_total{reason="REQUEST_TOO_SLOW"}': "0+50x9"}, 6, {}),
    ("IgptdRequestsLate", {"igptd_late_requests": "300x9", 'igptd_errors_total{reason="REQUEST_TOO_SLOW"}': "0+1x9"}, 9,
     None),
    ("IgptdFileRefused", {'igptd_file_last_reload_successful{file="tls_cert_file", instance="a"}': "1 0x9"}, 7,
     {"file": "tls_cert_file", "instance": "a"}),
    ("IgptdFileRefused", {'igptd_file_last_reload_successful{file="tls_cert_file", instance="a"}': "1 0 0 1x9"}, 9, None),
    ("IgptdCertificateExpires",
     {'igptd_certificate_expiry_timestamp_seconds{file="tls_cert_file", instance="a"}': "1209600x90"}, 61,
     {"file": "tls_cert_file", "instance": "a"}),
    ("IgptdCertificateExpires",
     {'igptd_certificate_expiry_timestamp_seconds{file="tls_cert_file", instance="a"}': "1296000x90"}, 90, None),
    ("IgptdLogsDropped", {'igptd_log_lines_dropped_total{instance="a"}': "0 0 1x9"}, 4, {"instance": "a"}),
    ("IgptdLogsDropped", {'igptd_log_lines_dropped_total{instance="a"}': "1x9"}, 9, None),
    ("IgptdRestarts", {'process_start_time_seconds{instance="a"}': "0 100 200 300x9", 'igptd_ready{instance="a"}': "1x9"},
     4, {"instance": "a"}),
    ("IgptdRestarts", {'process_start_time_seconds{instance="a"}': "0 100x9", 'igptd_ready{instance="a"}': "1x9"}, 9, None),
]


def unit_test(rule, series, minutes, labels):
    """A case, as promtool's."""
    expected = [] if labels is None else [{"exp_labels": rule.labels | labels, "exp_annotations": rule.annotations}]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": f"{minutes}m", "alertname": rule.name, "exp_alerts": expected}],
    }


def main():
    promtool, root = sys.argv[1], pathlib.Path(sys.argv[2])
    if not os.access(promtool, os.X_OK):
        print(f"promtool is missing: {promtool}")
        return 1 if os.environ.get("CI") else 77
    file = (root / alerts.FILE).resolve()
    subprocess.run([promtool, "check", "rules", str(file)], check=True)
    rules = {rule.name: rule for rule in alerts.alerts_of(file.read_text())}
    for fires in (True, False):
        untested = sorted(rules.keys() - {case[0] for case in CASES if (case[3] is not None) == fires})
        if untested:
            sys.exit(f"no case in which {', '.join(untested)} {'fires' if fires else 'stays quiet'}")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as tests:
        json.dump({"rule_files": [str(file)], "evaluation_interval": "1m",
                   "tests": [unit_test(rules[name], *case) for name, *case in CASES]}, tests)  # JSON is YAML
        tests.flush()
        subprocess.run([promtool, "test", "rules", tests.name], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
