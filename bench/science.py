"""The kernels of scoring against Python on the same arrays: ratios of medians, with the marks they must meet.

Usage: science.py EXECUTABLE, the release build of the domain crate's example `science`. Both sides run in turn, so that a
change in the machine's speed meets both; each runs once before it is measured. A row of the table is one entry of ROWS.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NEEDED = {"numpy": "numpy", "sklearn": "scikit-learn", "optbinning": "optbinning"}
MISSING = []
for module, package in NEEDED.items():
    try:
        __import__(module)
    except ImportError:
        MISSING.append(package)
if MISSING:
    sys.exit(
        f"bench: this Python ({sys.executable}) lacks {', '.join(MISSING)}; install with\n"
        f"  {sys.executable} -m pip install {' '.join(MISSING)}\n"
        "or set BENCH_PYTHON to one that has them"
    )

import numpy as np
from optbinning import OptimalBinning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

ROWS_OF_DATA = int(os.environ.get("BENCH_ROWS", "1000000"))
REPEATS = max(3, int(os.environ.get("BENCH_REPEATS", "3")))
# Of the binning: its peer takes minutes for a million rows.
BINNED = 100_000
COLUMNS = 16
SEED = 20261124


class Data:
    """The arrays, also on disk as the executable reads them."""

    def __init__(self, folder):
        self.folder = folder
        random = np.random.default_rng(SEED)
        n = ROWS_OF_DATA
        shared = random.normal(size=(n, 1))
        self.x = random.normal(size=(n, COLUMNS)) * np.linspace(0.5, 3.0, COLUMNS) + 0.4 * shared + 1.0
        weights = random.normal(size=COLUMNS) / np.linspace(1.0, 6.0, COLUMNS)
        logit = self.x @ weights
        logit += -2.0 - logit.mean()
        self.bad = (random.random(n) < 1.0 / (1.0 + np.exp(-logit))).astype(np.uint8)
        self.score = 1.0 / (1.0 + np.exp(-(logit + random.normal(size=n))))
        self.expected = random.gamma(2.0, 100.0, size=n)
        self.actual = random.gamma(2.2, 95.0, size=n)
        self.features = features(random, n)
        self.standardised = (self.x - self.x.mean(axis=0)) / self.x.std(axis=0)
        self.to_bin = np.ascontiguousarray(self.x[:BINNED].T)
        for name in ("x", "to_bin", "score", "expected", "actual", "features"):
            np.ascontiguousarray(getattr(self, name), dtype="<f8").tofile(folder / f"{name}.f64")
        self.bad.tofile(folder / "bad.u8")


def features(random, n):
    """The catalogue's 17 features, a row each, over ranges like those of a batch."""
    whole = lambda high: random.integers(0, high + 1, size=n).astype(float)
    flag = lambda share: (random.random(n) < share).astype(float)
    return np.stack([
        flag(0.8), random.random(n) * 12, random.choice([5.0, 6.0, 7.0, 8.0, 10.0], size=n), whole(4) * 25,
        flag(0.7), whole(80), random.lognormal(7.0, 1.5, size=n), random.lognormal(11.0, 1.5, size=n),
        random.random(n) * 100, whole(3), flag(0.85), whole(14), whole(5), 1 + whole(30), whole(7), whole(7),
        random.random(n) * 2,
    ])


def psi(expected, actual):
    """Over the deciles of the expected sample, cells floored, as the specification says."""
    edges = np.unique(np.percentile(expected, np.arange(10, 100, 10)))
    borders = np.concatenate([[-np.inf], edges, [np.inf]])
    # Bins are (lo, hi]: negated values turn NumPy's [lo, hi) round.
    share = lambda sample: np.histogram(-sample, -borders[::-1])[0][::-1] / len(sample)
    e, a = np.maximum(share(expected), 1e-4), np.maximum(share(actual), 1e-4)
    return float(((a - e) * np.log(a / e)).sum())


def logistic(tolerance):
    def fit(data):
        model = LogisticRegression(C=1.0, solver="lbfgs", tol=tolerance, max_iter=10_000)
        model.fit(data.standardised, data.bad)
        return {"coefficients": model.coef_[0].tolist(), "intercept": float(model.intercept_[0])}

    return fit


def optimal_binning(data):
    """Information value of each column, in the peer's own default bins."""
    values = []
    for column in data.to_bin:
        binning = OptimalBinning(dtype="numerical", solver="cp")
        binning.fit(column, data.bad[: len(column)])
        binning.binning_table.build()
        values.append(binning.binning_table.iv)
    return values


def at_least(share):
    """All of the information that the peer's bins hold, to `share` of it."""

    def check(ours, theirs):
        kept = sum(ours) / sum(theirs)
        return f"{kept:.4f} of its IV", kept >= share

    return check


def same(tolerance):
    def check(ours, theirs):
        distance = float(np.max(np.abs(np.asarray(ours) - np.asarray(theirs))))
        return f"differ by {distance:.1e}", distance <= tolerance

    return check


def same_model(tolerance):
    vector = lambda model: [*model["coefficients"], model["intercept"]]
    return lambda ours, theirs: same(tolerance)(vector(ours), vector(theirs))


class Ratio:
    """A kernel against a Python function of the data; the mark is a share of Python's time, None to only show it."""

    def __init__(self, name, kernel, python, mark, agree):
        self.name, self.kernel, self.python, self.mark, self.agree = name, kernel, python, mark, agree

    def measure(self, executable, data):
        ours, theirs = [], []
        with Runner(executable, data.folder, self.kernel) as runner:
            for repeat in range(REPEATS + 1):
                answer = runner.run()
                started = time.perf_counter()
                reference = self.python(data)
                seconds = time.perf_counter() - started
                if repeat > 0:
                    ours.append(answer["seconds"])
                    theirs.append(seconds)
        mine, other = statistics.median(ours), statistics.median(theirs)
        agreement, agreed = self.agree(answer["result"], reference)
        ratio = mine / other
        met = agreed and (self.mark is None or ratio <= self.mark)
        mark = "" if self.mark is None else f"<= {self.mark}"
        return [self.name, f"{mine * 1e3:.1f} ms", f"{other * 1e3:.1f} ms", f"{ratio:.3f}", mark, agreement], met


class Speed:
    """A kernel alone, in units a second; the mark is the least of them."""

    def __init__(self, name, kernel, units, mark):
        self.name, self.kernel, self.units, self.mark = name, kernel, units, mark

    def measure(self, executable, data):
        with Runner(executable, data.folder, self.kernel) as runner:
            answers = [runner.run() for _ in range(REPEATS + 1)][1:]
        seconds = statistics.median(answer["seconds"] for answer in answers)
        speed = self.units(data) / seconds
        mark = "" if self.mark is None else f">= {self.mark / 1e6:g} M/s"
        met = self.mark is None or speed >= self.mark
        return [self.name, f"{seconds * 1e3:.1f} ms", "", f"{speed / 1e6:.2f} M/s", mark, ""], met


class Runner:
    """The executable with its arrays read, answering one repeat at a time."""

    def __init__(self, executable, folder, kernel):
        self.process = subprocess.Popen(
            [str(executable), str(folder), kernel], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"bench: the kernel stopped with status {self.process.wait()}")
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


ROWS = [
    Ratio("logistic fit, lbfgs tol 1e-10", "fit", logistic(1e-10), 0.6, same_model(1e-6)),
    Ratio("logistic fit, lbfgs tol 1e-4", "fit", logistic(1e-4), None, same_model(1e-2)),
    Ratio("AUC", "auc", lambda data: float(roc_auc_score(data.bad, data.score)), 0.4, same(1e-9)),
    Ratio("PSI", "psi", lambda data: psi(data.expected, data.actual), 0.3, same(1e-9)),
    Ratio("optimal binning, 100k rows", "bin", optimal_binning, 0.2, at_least(0.99)),
    Speed("scoring and decisions", "score", lambda data: data.features.shape[1], 5e6),
    Speed("with points and both kinds of reasons", "explain", lambda data: data.features.shape[1], 1e6),
    Speed("1,000 bootstrap replicates, 100k rows", "bootstrap", lambda data: 1000 * min(100_000, len(data.bad)), None),
]


def table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main():
    executable = Path(sys.argv[1]).resolve()
    wanted = set(filter(None, os.environ.get("BENCH_KERNELS", "").split(",")))
    folder = Path(tempfile.mkdtemp(prefix="kycc-science-"))
    try:
        data = Data(folder)
        load = os.getloadavg()[0]
        print(f"{ROWS_OF_DATA:,} rows, {COLUMNS} columns, median of {REPEATS}, {os.cpu_count()} cores, load {load:.1f}")
        lines, missed = [["kernel", "kycc", "Python", "ratio", "mark", "agreement"]], []
        for row in ROWS:
            if wanted and row.kernel not in wanted:
                continue
            line, met = row.measure(executable, data)
            lines.append(line)
            if not met:
                missed.append(row.name)
        table(lines)
        if missed:
            sys.exit(f"bench: not met: {'; '.join(missed)}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
