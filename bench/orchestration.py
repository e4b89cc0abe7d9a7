"""The orchestrator on no-op steps: pick-up, nine steps in a row, throughput, each beside what the machine can do.

Usage: orchestration.py EXAMPLES KYCC SERVERS: folder of the built examples, the command, and a folder of running servers
(`scripts/servers.sh start`). PostgreSQL's single-commit time c, raw Redis and Dagster are measured in the same run; the
marks that depend on the machine are in units of c.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

DAGSTER_RUNS = int(os.environ.get("BENCH_DAGSTER_RUNS", "5"))
IDLE_SECONDS = float(os.environ.get("BENCH_IDLE_SECONDS", "60"))


def servers(folder):
    lines = (folder / "env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def bench_url(urls):
    """A database of the measurement's own, so that it begins empty."""
    subprocess.run(["psql", "-q", urls["TEST_POSTGRES_URL"], "-c", "DROP DATABASE IF EXISTS bench", "-c", "CREATE DATABASE bench"],
                   check=True, capture_output=True)
    return re.sub(r"/kycc$", "/bench", urls["TEST_POSTGRES_URL"])


def commit_milliseconds(url, folder):
    """c: one client that commits one small change after another."""
    subprocess.run(["psql", "-q", url, "-c", "CREATE TABLE pgbench_one (n BIGINT); INSERT INTO pgbench_one VALUES (0)"], check=True,
                   capture_output=True)
    script = folder / "commit.sql"
    script.write_text("UPDATE pgbench_one SET n = n + 1;\n")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    pgbench = found[-1] if found else "pgbench"
    out = subprocess.run([pgbench, "-n", "-c", "1", "-T", "5", "-f", script, url], check=True, capture_output=True, text=True).stdout
    return float(re.search(r"latency average = ([\d.]+) ms", out).group(1))


def example(path, **environment):
    done = subprocess.run([path], capture_output=True, text=True, env=os.environ | environment)
    if done.returncode != 0:
        sys.exit(f"bench: {path.name} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def dagster():
    """Seconds of nine no-op assets: in process, and with the executor that a job has by default."""
    try:
        import dagster as dg
    except ImportError:
        return None
    # In a file of its own: the default executor starts processes that load it again.
    import dagster_noop

    def timed(run):
        began = time.monotonic()
        assert run().success
        return time.monotonic() - began

    with dg.instance_for_test() as instance:
        job = dg.reconstructable(dagster_noop.job)
        in_process = [timed(lambda: dagster_noop.job().execute_in_process(instance=instance)) for _ in range(DAGSTER_RUNS)]
        default = [timed(lambda: dg.execute_job(job, instance=instance)) for _ in range(max(1, DAGSTER_RUNS // 3))]
    return statistics.median(in_process), statistics.median(default)


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle_cpu(kycc, folder):
    """CPU seconds a minute of all processes of an idle fleet, its servers not counted."""
    fleet = folder / "fleet"
    environment = os.environ | {"GRPC_PORT": "50951", "CONSOLE_PORT": "3951"}
    subprocess.run(["scripts/fleet.sh", "start", kycc, fleet], check=True, capture_output=True, env=environment)
    try:
        pids = [int(file.read_text()) for file in (fleet / "pids").iterdir()]
        time.sleep(10)
        before = sum(map(cpu_seconds, pids))
        time.sleep(IDLE_SECONDS)
        used = sum(map(cpu_seconds, pids)) - before
    finally:
        subprocess.run(["scripts/fleet.sh", "stop", kycc, fleet], check=True, capture_output=True, env=environment)
    return used * 60 / IDLE_SECONDS, len(pids)


def main():
    examples, kycc, folder = (Path(argument).resolve() for argument in sys.argv[1:4])
    urls = servers(folder)
    url = bench_url(urls)
    c = commit_milliseconds(url, folder)
    fleet = example(examples / "orchestration", BENCH_STORE_URL=url, BENCH_QUEUE_URL=urls["TEST_REDIS_URL"])
    embedded = example(examples / "orchestration")
    redis = example(examples / "queue_rates", TEST_REDIS_URL=urls["TEST_REDIS_URL"])
    sys.path.insert(0, str(Path(__file__).parent))
    peers = dagster()
    used, processes = idle_cpu(kycc, folder)

    nine = 12 * c + 40
    rows = [
        ("single commit of PostgreSQL (c)", f"{c:.2f} ms", ""),
        ("pick-up, idle, p50", f"{fleet['pick_up_p50_ms']:.2f} ms", "3 ms"),
        ("pick-up, idle, p99", f"{fleet['pick_up_p99_ms']:.2f} ms", "15 ms"),
        ("nine no-op steps, p50", f"{fleet['nine_steps_p50_ms']:.1f} ms", f"12 c + 40 ms = {nine:.1f} ms"),
        ("no-op steps a second, 200 runs at once", f"{fleet['steps_per_second']:,.0f}", "2,000"),
        ("nine no-op steps on SQLite, one process, p50", f"{embedded['nine_steps_p50_ms']:.1f} ms", ""),
        ("no-op steps a second on SQLite", f"{embedded['steps_per_second']:,.0f}", ""),
        (f"CPU of {processes} idle processes", f"{used:.2f} s a minute", "0.6 s"),
    ]
    if peers is not None:
        in_process, default = peers
        rows += [
            ("Dagster, nine no-op assets in process", f"{in_process * 1e3:.0f} ms", ""),
            ("Dagster, nine no-op assets, default executor", f"{default * 1e3:.0f} ms", ""),
            ("kycc's fleet / Dagster in process", f"{fleet['nine_steps_p50_ms'] / in_process / 1e3:.3f} ×", ""),
            ("kycc's fleet / Dagster default", f"{fleet['nine_steps_p50_ms'] / default / 1e3:.4f} ×", ""),
        ]
    width = max(len(row[0]) for row in rows)
    for name, figure, mark in rows:
        print(f"{name:<{width}}  {figure:>14}  {'mark: ' + mark if mark else ''}".rstrip())
    print("raw Redis beside the queue:", json.dumps(redis))


if __name__ == "__main__":
    main()
