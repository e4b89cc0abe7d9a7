"""Makes credit.csv and reference.json: what scikit-learn, statsmodels, scipy and optbinning say about the same rows.

    python make.py        # numpy, pandas, scipy, scikit-learn, statsmodels, optbinning

Only the data and plain formulas of the scoring specification are written here; the tests compare kycc with the numbers.
"""

import json
import pathlib

import numpy as np
import pandas as pd
import statsmodels.api as sm
from optbinning import OptimalBinning
from scipy.optimize import minimize
from scipy.stats import ks_2samp, norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from statsmodels.stats.outliers_influence import variance_inflation_factor

HERE = pathlib.Path(__file__).parent
FEATURES = ["age", "income", "debt_ratio", "late_payments"]


def data():
    r = np.random.default_rng(20261124)
    n = 300
    age = r.integers(20, 70, n).astype(float)
    income = np.round(np.exp(r.normal(7.6, 0.5, n)), 2)
    debt = np.round(r.beta(2, 4, n), 3)
    late = r.poisson(0.6, n).astype(float)
    f = -0.9 - 0.03 * (age - 45) - 0.0004 * (income - 2200) + 2.4 * (debt - 0.33) + 0.7 * late
    bad = (r.random(n) < 1 / (1 + np.exp(-f))).astype(int)
    since = np.where(r.random(n) < 0.2, np.nan, r.integers(0, 60, n))
    return pd.DataFrame(
        {
            "id": [f"C{i:03d}" for i in range(n)],
            "age": age,
            "income": income,
            "debt_ratio": debt,
            "late_payments": late,
            "months_since_late": since,
            "region": r.choice(["north", "south", "west"], n),
            "weight": r.choice([0.5, 1.0, 2.0], n),
            "score_a": np.round(f + r.normal(0, 1.0, n), 1),
            "score_b": np.round(f + r.normal(0, 0.7, n), 2),
            "bad": bad,
        }
    )


def standardised(x, w):
    mean = np.average(x, axis=0, weights=w)
    sd = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=w))
    return (x - mean) / sd, mean, sd


def ridge(x, y, w, classes=None):
    z, mean, sd = standardised(x, w)
    m = LogisticRegression(C=1.0, tol=1e-10, max_iter=100000, class_weight=classes).fit(z, y, sample_weight=w)
    return {"mean": mean, "sd": sd, "coefficients": m.coef_[0], "intercept": m.intercept_[0]}, m, z


def bounded(x, y, signs):
    z, _, _ = standardised(x, np.ones(len(y)))
    s = 2 * y - 1

    def objective(t):
        f = z @ t[:-1] + t[-1]
        p = 1 / (1 + np.exp(s * f))
        g = -(s * p)
        value = np.logaddexp(0, -s * f).sum() + 0.5 * (t[:-1] ** 2).sum()
        return value, np.append(z.T @ g + t[:-1], g.sum())

    bounds = [{"+": (0, None), "-": (None, 0), "free": (None, None)}[b] for b in signs] + [(None, None)]
    t = minimize(objective, np.zeros(z.shape[1] + 1), jac=True, bounds=bounds, method="L-BFGS-B",
                 options={"ftol": 1e-16, "gtol": 1e-11, "maxiter": 100000}).x
    return {"coefficients": t[:-1], "intercept": t[-1]}


def metrics(y, p):
    clipped = np.clip(p, 1e-15, 1 - 1e-15)
    line = sm.Logit(y, sm.add_constant(np.log(clipped / (1 - clipped)))).fit(disp=0, tol=1e-14).params
    return {
        "auc": roc_auc_score(y, p), "gini": 2 * roc_auc_score(y, p) - 1,
        "ks": ks_2samp(p[y == 1], p[y == 0]).statistic, "average_precision": average_precision_score(y, p),
        "brier": brier_score_loss(y, p), "log_loss": log_loss(y, p),
        "calibration_intercept": line[0], "calibration_slope": line[1],
    }


def delong(y, a, b):
    """By brute force over all pairs of a bad and a good row."""
    def kernel(s):
        d = s[y == 1][:, None] - s[y == 0][None, :]
        return (d > 0) + 0.5 * (d == 0)

    k = kernel(b) - kernel(a)
    delta = k.mean()
    v10, v01 = k.mean(axis=1), k.mean(axis=0)
    variance = v10.var(ddof=1) / len(v10) + v01.var(ddof=1) / len(v01)
    return {"a": kernel(a).mean(), "b": kernel(b).mean(), "delta": delta, "standard_error": np.sqrt(variance),
            "p_value": 2 * norm.sf(abs(delta) / np.sqrt(variance))}


def psi(expected, actual, bins):
    edges = np.unique(np.quantile(expected[~np.isnan(expected)], np.arange(1, bins) / bins))

    def shares(x):
        known = x[~np.isnan(x)]
        counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
        return np.append(counts, np.isnan(x).sum()) if np.isnan(np.append(expected, actual)).any() else counts

    e, a = shares(expected) / len(expected), shares(actual) / len(actual)
    e, a = np.maximum(e, 1e-4), np.maximum(a, 1e-4)
    return float(((a - e) * np.log(a / e)).sum())


def bins(x, y, cuts):
    b = OptimalBinning(dtype="numerical", user_splits=cuts, user_splits_fixed=[True] * len(cuts), solver="cp",
                       monotonic_trend=None, min_bin_size=0.001)
    b.fit(x, y)
    t = b.binning_table.build().iloc[:-1]
    t = t[t["Count"] > 0]
    assert (b.splits == np.array(cuts)).all(), b.splits
    return {"cuts": cuts, "rows": t["Count"], "bads": t["Event"], "woe": t["WoE"], "iv": t["IV"],
            "information_value": t["IV"].sum()}


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (np.ndarray, pd.Series, list, tuple)):
        return [plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value


def main():
    d = data()
    d.to_csv(HERE / "credit.csv", index=False)
    d = pd.read_csv(HERE / "credit.csv")
    held = np.arange(len(d)) % 5 == 4
    x, y, w = d[FEATURES].to_numpy(), d["bad"].to_numpy(), d["weight"].to_numpy()
    xt, yt, ones = x[~held], y[~held], np.ones((~held).sum())

    l2, model, _ = ridge(xt, yt, ones)
    p = model.predict_proba((x - l2["mean"]) / l2["sd"])[:, 1]
    l2["train"], l2["holdout"] = metrics(yt, p[~held]), metrics(y[held], p[held])
    weighted, _, _ = ridge(xt, yt, w[~held])
    n1 = yt.mean()
    balanced, _, _ = ridge(xt, yt, ones, "balanced")
    balanced["intercept"] += np.log(n1 / (1 - n1))

    logit = sm.Logit(yt, sm.add_constant(xt)).fit(disp=0, tol=1e-14, maxiter=200)
    unpenalised = {"params": logit.params, "bse": logit.bse, "z": logit.tvalues, "p": logit.pvalues}
    with_constant = sm.add_constant(xt)
    vif = [variance_inflation_factor(with_constant, j) for j in range(1, 5)]

    since = d["months_since_late"].to_numpy()
    reference = {
        "l2": l2, "weighted": weighted, "balanced": balanced, "unpenalised": unpenalised, "vif": vif,
        "bounded": bounded(xt, yt, ["+", "free", "-", "free"]),
        "scores": {"a": {k: v for k, v in metrics_of_score(y, d["score_a"].to_numpy()).items()}},
        "delong": delong(y, d["score_a"].to_numpy(), d["score_b"].to_numpy()),
        "psi": {"income_10": psi(x[:150, 1], x[150:, 1], 10), "late_5": psi(x[:150, 3], x[150:, 3], 5),
                "since_10": psi(since[:150], since[150:], 10)},
        "bins": {"age": bins(d["age"].to_numpy(), y, [30.0, 42.5, 55.0]),
                 "months_since_late": bins(since, y, [10.0, 30.0])},
    }
    (HERE / "reference.json").write_text(json.dumps(plain(reference), indent=1) + "\n")


def metrics_of_score(y, s):
    return {"auc": roc_auc_score(y, s), "average_precision": average_precision_score(y, s),
            "ks": ks_2samp(s[y == 1], s[y == 0]).statistic}


if __name__ == "__main__":
    main()
