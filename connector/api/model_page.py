"""What the models of an account are worth, on one page of plots: no scripts, no outside links."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Any

from connector.api.drawings import percent
from connector.api.model_plots import Report, drawn, figure, number, said, table

STYLE = (files("connector.api") / "model_page.css").read_text(encoding="utf-8")
HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
# For the header Content-Security-Policy of whoever serves the page: its own style and nothing else.
POLICY = f"default-src 'none'; style-src 'sha256-{HASH}'; frame-ancestors 'none'"
FIGURES: Mapping[str, str] = {
    "customers": "customers told",
    "usable_customers": "usable customers",
    "customers_learned_from": "customers learned from",
    "profiles": "profiles",
    "rows": "rows",
    "horizon_days": "horizon, days",
    "columns_defined": "columns defined",
    "columns_seen": "columns that tell something",
    "columns_used": "columns used",
    "columns_per_row": "columns told per row",
}
METRICS: Mapping[str, str] = {
    "auc": "AUC",
    "lift": "lift of the best tenth",
    "calibration_error": "calibration error",
    "log_loss": "log loss",
    "sure": "sure to beat the one before",
    "same": "scores that stay within a point",
}


def page(reports: Sequence[Report]) -> str:
    """Return a whole HTML page about models, the first one's in full.

    Each is a scorer's `report_` and may have more: `title`, `serving`, `trained_at`, `held` (why
    pushes are held back), `distribution` ([day, {score: count}], ...) and `drift` ([{at, psi,
    calibration_error}, ...]).
    """
    first, rest = reports[:1], reports[1:]
    body = [
        *([] if reports else ["<p>No model has been trained yet.</p>"]),
        *(f"<section>{_model(report, 1)}</section>" for report in first),
        *(_folded(report, number) for number, report in enumerate(rest, start=2)),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Lead score: models</title><style>{STYLE}</style></head>"
        f"<body><main><h1>Lead score: models</h1>{''.join(body)}</main></body></html>\n"
    )


def _folded(report: Report, number: int) -> str:
    name = f"{said(_title(report, number))} {_badge(report)}"
    return (
        f"<details><summary>{name}</summary><section>{_model(report, number)}</section></details>"
    )


def _model(report: Report, number: int) -> str:
    plots = report.get("plots") or {}
    held_out = (
        f"<p>Measured on {said(plots['rows'])} rows that it had not seen, of which "
        f"{said(plots['won'])} won.</p>"
        if plots.get("rows")
        else "<p>It has not learned yet, so there is nothing to plot.</p>"
    )
    return "".join(
        [
            f"<h2>{said(_title(report, number))} {_badge(report)}</h2>",
            _verdict(report),
            _alarms(report),
            _readiness(report.get("readiness") or {}),
            f"<h3>What it is worth</h3>{held_out}",
            f'<div class="plots">{"".join(drawn(report))}</div>',
            "<h3>What it was made from</h3>",
            _made_from(report),
        ]
    )


def _title(report: Report, number: int) -> str:
    return str(report.get("title") or f"Model {number}")


def _badge(report: Report) -> str:
    state = str(report.get("state") or "")
    words = [state, *(["serving"] if report.get("serving") else [])]
    return " ".join(f'<span class="badge">{said(word)}</span>' for word in words if word)


def _verdict(report: Report) -> str:
    reasons = [str(each) for each in report.get("gate") or ()]
    promoted = bool(report.get("promoted"))
    head = "The gate let it pass." if promoted else "The gate did not let it pass."
    why = f" {'; '.join(said(each) for each in reasons)}." if reasons else ""
    kind = "good" if promoted else "held"
    told = f'<p class="{kind}"><strong>{head}</strong>{why}</p>'
    held = str(report.get("held") or "")
    if not held:
        return told
    return f'{told}<p class="held"><strong>CRMs are not told its scores:</strong> {said(held)}</p>'


def _alarms(report: Report) -> str:
    told = report.get("alarms") or ()
    texts = [each.get("text") if isinstance(each, Mapping) else each for each in told]
    if not texts:
        return '<p class="good">No alarm.</p>'
    items = "".join(f"<li>{said(text)}</li>" for text in texts)
    return f'<div class="alarm"><strong>Alarms hold pushes back:</strong><ul>{items}</ul></div>'


def _readiness(told: Mapping[str, Any]) -> str:
    if not told:
        return ""
    items = "".join(f"<li>{said(each)}</li>" for each in told.get("sentences") or ())
    fill = [[name, percent(number(share))] for name, share in (told.get("fill") or {}).items()]
    sure = [
        [row.get("usable_customers"), f"± {row.get('points')}"]
        for row in told.get("interval") or ()
    ]
    parts = [
        table("Share of profiles with", ["what", "share"], fill) if fill else "",
        table("How sure a score is", ["usable customers", "points"], sure) if sure else "",
    ]
    return f'<h3>Readiness</h3><ul>{items}</ul><div class="plots">{"".join(parts)}</div>'


def _made_from(report: Report) -> str:
    rows = [[text, report[key]] for key, text in FIGURES.items() if report.get(key) is not None]
    window = [str(each) for each in report.get("window") or ()]
    told = [
        *rows,
        *([["window", " to ".join(window)]] if window else []),
        *[
            [name, report[key]]
            for key, name in (("trained_at", "trained at"), ("as_of", "as of"))
            if report.get(key)
        ],
    ]
    metrics = report.get("metrics") or {}
    judged = [[text, figure(metrics[key])] for key, text in METRICS.items() if key in metrics]
    members = [[name, figure(share)] for name, share in (report.get("members") or {}).items()]
    parts = [
        table("Made from", ["what", "value"], told),
        table("What the gate measured", ["what", "value"], judged) if judged else "",
        table("Members of the blend", ["member", "weight"], members) if members else "",
    ]
    return f'<div class="plots">{"".join(parts)}</div>'
