"""The main job on 100,000 parties and 2 million transactions: seconds of each asset, of the whole job, peak memory.

Every figure is the median of several runs of the whole process, each on a data folder of its own, with documents and
NDJSON taken in turn so that a change in the machine's speed meets both. Next to them the time that one core needs just
to read the same bytes and look at each (Python's `str.count` over the file), as a yardstick of the machine.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

PARTIES = int(os.environ.get("BENCH_PARTIES", "100000"))
RUNS = int(os.environ.get("BENCH_RUNS", "3"))


def run(command, **options):
    """Runs a command to its end; returns (stdout, wall seconds, CPU seconds, peak resident bytes)."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"bench: {' '.join(map(str, command))} failed:\n{err.decode()}")
    return out, time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def seconds(step):
    if step["start_time"] is None or step["end_time"] is None:
        return 0.0
    return (datetime.fromisoformat(step["end_time"]) - datetime.fromisoformat(step["start_time"])).total_seconds()


def yardstick(source):
    files = [source] if source.is_file() else sorted(source.iterdir())
    started = time.monotonic()
    total = 0
    for file in files:
        with open(file, "rb", buffering=0) as stream:
            while block := stream.read(1 << 22):
                total += len(block)
                block.count(b"\n")
    return time.monotonic() - started, total


def main():
    kycc = Path(sys.argv[1]).resolve()
    work = Path(tempfile.mkdtemp(prefix="kycc-bench-"))
    try:
        measure(kycc, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def measure(kycc, work):
    sources = {}
    for form in ("ndjson", "document"):
        out, wall, _, _ = run([kycc, "--json", "batch", "generate", "--parties", str(PARTIES), "--seed", "7", "--batch",
                               f"BENCH_{form}", "--out", work / form, "--format", form])
        written = json.loads(out)
        sources[form] = (Path(written["source"]), written["labels"])
        print(f"{form}: {written['parties']:,} parties, {written['transactions']:,} transactions, "
              f"{written['relationships']:,} relationships, {written['bytes'] / 1e6:.0f} MB, generated in {wall:.1f} s")
    walls, cpus, peaks, steps, read = ({form: [] for form in sources} for _ in range(5))
    for number in range(RUNS):
        for form, (source, labels) in sources.items():
            read[form].append(yardstick(source)[0])
            data = work / f"data-{form}-{number}"
            out, wall, cpu, peak = run([kycc, "--json", "--data-dir", data, "job", "execute", "-j", "full_scoring_job",
                                        "--file", source, "--labels", labels])
            walls[form].append(wall)
            cpus[form].append(cpu)
            peaks[form].append(peak)
            steps[form].append({step["asset"]: seconds(step) for step in json.loads(out)["steps"]})
            shutil.rmtree(data)
    print(f"\n{RUNS} runs of each; median (least to greatest), seconds")
    print(f"{'':28}" + "".join(f"{form:>26}" for form in sources))
    for asset in steps["ndjson"][0]:
        row(asset, {form: [each[asset] for each in steps[form]] for form in sources})
    row("whole job, wall", walls)
    row("whole job, CPU", cpus)
    row("reading the bytes alone", read)
    row("whole job / reading", {form: [a / b for a, b in zip(walls[form], read[form])] for form in sources})
    row("peak resident, MiB", {form: [peak / 2**20 for peak in peaks[form]] for form in sources})


def row(label, by_form):
    cells = ""
    for values in by_form.values():
        middle = statistics.median(values)
        cells += f"{middle:>12.2f} ({min(values):.2f}–{max(values):.2f})".rjust(26)
    print(f"{label:28}{cells}")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
