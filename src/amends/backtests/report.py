"""A backtest as a plain object, the contract of ``amends backtest --format json``."""

from __future__ import annotations

from typing import Any

from amends.backtests.answers import WORDS
from amends.backtests.comparison import Comparison
from amends.backtests.effect import Effect
from amends.backtests.price import Backtest, GateTotals, HeldRelease, IncidentAnswer
from amends.backtests.sweep import Figures, Sweep
from amends.backtests.wording import guard_sentences, sweep_sentence, verdict_sentence
from amends.events.event import format_time


def report(found: Backtest) -> dict[str, Any]:
    """Return everything that a backtest found, as JSON-able values; times are RFC 3339, durations seconds."""
    lead = found.lead_time
    return {
        "environment": found.environment,
        "summary": verdict_sentence(found),
        "deployments": found.deployments,
        "uncertain": found.uncertain,
        "first": format_time(found.first) if found.first else None,
        "last": format_time(found.last) if found.last else None,
        "incidents": {
            "total": len(found.incidents),
            "stopped": found.count("stopped"),
            "not_stopped": found.count("not stopped"),
            "undecided": found.count("undecided"),
            "only_delayed": found.only_delayed,
            "list": [_incident(one) for one in found.incidents],
        },
        "good_releases": {
            "total": found.good,
            "held": len(found.held),
            "undecided": found.undecided_good,
            "list": [_held(one) for one in found.held],
        },
        "added_lead_time_seconds": {
            "median": lead.median, "p90": lead.p90, "mean": lead.mean, "known": lead.known,
            "open_ended": lead.open_ended, "undecided": lead.unknown,
        },
        "by_gate": [_gate(one) for one in found.gates],
        "verdict": found.effect.verdict,
        "interval": list(found.effect.interval),
        "effect": _effect(found.effect),
        "guards": {
            "left_out": list(found.guards.left_out),
            "set_aside": list(found.guards.set_aside),
            "early": _effect(found.guards.early),
            "late": _effect(found.guards.late),
            "carried_by": found.guards.carried_by or None,
            "held_share": found.guards.held_share,
        },
        "notes": guard_sentences(found),
    }  # fmt: skip


def report_comparison(found: Comparison) -> dict[str, Any]:
    """Return what changes against another policy, as JSON-able values."""
    return {
        "verdict": found.verdict,
        "estimate": found.estimate,
        "interval": list(found.interval),
        "newly_stopped": list(found.newly_stopped),
        "no_longer_stopped": list(found.no_longer_stopped),
        "newly_held": found.newly_held,
        "no_longer_held": found.no_longer_held,
    }


def report_sweep(found: Sweep) -> dict[str, Any]:
    """Return every variant of a sweep, as JSON-able values."""
    return {
        "variants": [
            {
                "settings": dict(point.variant.settings),
                "current": point.variant.current,
                "frontier": point.on_frontier,
                "pick": place == found.pick,
                "whole": _figures(point.whole),
                "early": _figures(point.early),
                "late": _figures(point.late),
            }
            for place, point in enumerate(found.points)
        ],
        "summary": sweep_sentence(found),
    }


def _figures(found: Figures) -> dict[str, Any]:
    return {
        "escapes": found.escapes, "stopped": found.stopped, "only_delayed": found.only_delayed,
        "good_releases": found.good, "held": found.held, "undecided": found.undecided,
        "mean_delay_seconds": found.delay, "verdict": found.effect.verdict,
        "estimate": found.effect.difference.estimate, "interval": list(found.effect.interval),
    }  # fmt: skip


def _effect(effect: Effect) -> dict[str, Any]:
    found = effect.difference
    return {
        "estimate": found.estimate, "interval": [found.low, found.high], "verdict": effect.verdict,
        "p_value": found.p_value, "escapes": found.cases, "good": found.others,
        "escapes_held": found.marked_cases, "escapes_held_by_chance": found.expected, "spread": found.spread,
    }  # fmt: skip


def _incident(one: IncidentAnswer) -> dict[str, Any]:
    return {
        "incident": one.incident.name,
        "service": one.incident.service,
        "release": one.incident.release or None,
        "detected_at": format_time(one.incident.at),
        "answer": one.answer.replace(" ", "_"),
        "only_delayed": one.only_delayed,
        "at": format_time(one.at) if one.at else None,
        "gates": {label: WORDS[code].replace(" ", "_") for label, code in one.answers.items()},
        "by": [{"gate": holder.gate, "reason": holder.reason} for holder in one.holders],
        "left_out": one.left_out,
        "note": one.note,
        "event": one.incident.event,
    }


def _held(one: HeldRelease) -> dict[str, Any]:
    return {
        "service": one.service,
        "release": one.release,
        "at": format_time(one.at),
        "seconds": one.seconds,
        "by": [{"gate": holder.gate, "reason": holder.reason} for holder in one.holders],
        "event": one.event,
    }


def _gate(one: GateTotals) -> dict[str, Any]:
    return {
        "gate": one.label,
        "kind": one.kind,
        "mode": one.mode,
        "owner": one.owner,
        "because": one.because,
        "incidents": {
            "stopped": one.stopped, "stopped_alone": one.stopped_alone, "undecided": one.undecided_incidents,
        },
        "good_releases": {"held": one.held, "held_alone": one.held_alone, "undecided": one.undecided_good},
    }  # fmt: skip
