"""The scenes of the story, in their order. Each claim cites an event that is really in the log."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from amends.demo import prologue, repository
from amends.demo.narration import StoryError
from amends.demo.repository import BAD, FIX, GOOD, HISTORY, LAST_GOOD, SERVICE
from amends.demo.stage import Stage
from amends.events.codec import Fact

_ROLLOUT_PACE = 60.0  # during a rollout a minute passes each second
_SOAK_PACE = 86_400.0 * 2.4  # during a soak more than two days
_EDGE_SHARE = 0.08


def everyday(stage: Stage) -> None:
    """A service, its history and the version that runs in production."""
    stage.narrator.title("A service like many")
    stage.narrator.say(
        "A small shop quotes prices over HTTP. It has tests, owners, a staging environment and a policy."
    )
    prologue.lay_out(stage)
    policy = stage.repo / "amends.yaml"
    policy.write_text(stage.script.edit_policy(policy.read_text()))
    with stage.narrator.waiting("four releases go by; their tests are really run"):
        prologue.live_through(stage)
    stage.start_server()
    _shift(stage)
    _bring_up(stage)
    _await_end(stage, LAST_GOOD, "production")
    stage.start_traffic(stage.proxy("production"), rate=stage.script.rate, edge_share=_EDGE_SHARE)
    fact = stage.the("service.upgraded", release=LAST_GOOD, environment="production")
    stage.narrator.claim(f"shop@{LAST_GOOD} serves production", fact.id, "/")


def a_change(stage: Stage) -> None:
    """The change that will escape: reviewed, tested, soaked, tried by hand. Everything is green."""
    stage.narrator.title(f"A change: “{HISTORY[-1].title}”")
    stage.commits[BAD] = repository.commit_version(stage.repo, HISTORY[-1], stage.now())
    _record_release(stage, BAD, LAST_GOOD, HISTORY[-1].reviewer)
    for suite in prologue.run_suites(stage.repo, ("unit", "integration"), stage.root / "reports" / BAD):
        stage.record_tests(BAD, *suite)
    fact = stage.the("testsuiterun.finished", release=BAD, suite="integration", outcome="success")
    stage.narrator.claim(
        "reviewed by an owner; unit and integration tests pass", fact.id, f"/releases/shop/{BAD}"
    )
    _soak(stage, BAD)
    stage.narrator.say("The question that everybody asks before they press the button:")
    stage.amends(
        "gate", "--service", SERVICE, "--release", BAD, "--to", "production", show=True
    )  # fmt: skip
    fact = stage.the("gates.decided", release=BAD, environment="production", decision="pass")
    stage.narrator.claim("every gate passes", fact.id, f"/releases/shop/{BAD}")


def the_escape(stage: Stage) -> None:
    """Production has an input that nothing before it ever had."""
    stage.narrator.title("Production")
    stage.narrator.say("Some customers buy gift cards and nothing else. No test ever did; nor did staging.")
    stage.amends("deploy", BAD, "--to", "production", "--no-wait", show=True)
    end = _await_end(stage, BAD, "production", narrate=True)
    if getattr(end.payload, "outcome", "") != "rolled_back":
        raise StoryError(f"the bad release was not rolled back; the deployment ended: {end.payload}")
    tag = f"deployment:{getattr(end.payload, 'deployment', '')}"
    verdict = stage.latest("watch.assessed", tag, verdict="roll_back")
    stage.narrator.claim(
        f"the watch: {getattr(verdict.payload, 'reason', '') if verdict else ''}",
        verdict.id if verdict else "", stage.page_of(end),
    )  # fmt: skip
    back = stage.the("service.rolledback", release=BAD, restored=LAST_GOOD, environment="production")
    stage.narrator.claim(f"production runs shop@{LAST_GOOD} again", back.id, stage.page_of(end))


def the_incident(stage: Stage) -> None:
    """The record assembles itself: failure, timeline, escape matrix, draft."""
    incident = stage.incident = stage.until(lambda: stage.find_incident(BAD), "the incident opens")
    stage.narrator.title(f"{incident}: how did it get past each gate?")
    opened = stage.the("incident.detected", incident=incident)
    stage.narrator.claim(f"{incident} opened itself", opened.id, f"/incidents/{incident}")
    told = stage.until(lambda: stage.told(incident), "the team and its heads are told")
    stage.narrator.claim(
        "the team and its heads were told, each once and in their length", told.id,
        f"/incidents/{incident}/notices",
    )  # fmt: skip
    stage.narrator.say("Inside the service a recorder kept the inputs on which it failed, secrets masked.")
    stage.amends("record", "captures", str(stage.root / "captures"), show=True)
    captured = stage.the("failure.captured", release=BAD, incident=incident)
    stage.narrator.claim("production's own input is attached to it", captured.id, f"/incidents/{incident}")
    stage.narrator.command(["incident", "show", incident])
    shown = stage.amends("incident", "show", incident)
    stage.narrator.output(shown[: shown.find("\nTimeline")])
    stage.narrator.say("  … and a timeline in which each line cites its event.")
    stage.until(lambda: stage.latest("review.revised", f"incident:{incident}"), "the review is drafted")
    draft = stage.latest("review.revised", f"incident:{incident}")
    stage.narrator.claim(
        "a review is drafted: roles and teams, no names", draft.id if draft else "",
        f"/incidents/{incident}/review",
    )  # fmt: skip


def the_amendments(stage: Stage) -> None:
    """A fix, a regression test and a gate; the last two are proven, not promised."""
    stage.narrator.title("Amends: a test and a gate, proven")
    stage.narrator.say(
        "A fix, and not a promise but a proof: would this test, and this gate, have stopped it?"
    )
    repository.write_version(stage.repo, stage.script.fix)
    stage.commits[GOOD] = repository.commit(stage.repo, FIX, stage.now())
    _record_release(stage, GOOD, BAD, FIX.reviewer)
    proposed = _write_test(stage)
    _prove(
        stage, proposed["amendment"], f"red on {BAD} with the same failure, green on {GOOD}, three times each"
    )
    stage.amends("amendment", "activate", proposed["amendment"])
    gate = stage.root / "gate.yaml"
    gate.write_text(stage.script.gate)
    proposed = stage.ask(
        "amendment",
        "propose",
        stage.incident,
        "--gate",
        str(gate),
        "--to",
        "production",
        "--bad",
        BAD,
        "--good",
        GOOD,
    )
    _prove(stage, proposed["amendment"], f"this gate would have blocked {BAD}")
    stage.amends("amendment", "activate", proposed["amendment"], "--write", show=True)
    active = stage.the("amendment.activated", amendment=proposed["amendment"])
    stage.narrator.claim("the gate is in amends.yaml", active.id, f"/amendments/{proposed['amendment']}")
    stage.amends("review", "draft", stage.incident, "--again")


def _write_test(stage: Stage) -> Any:
    """Have the test written from the captured input."""
    stage.narrator.say("Nobody writes the test: amends does, from the input that failed.")
    words = ("test", "write", "--incident", stage.incident, "--words", stage.script.words)
    stage.narrator.command(words)
    with stage.narrator.waiting("making the input small, and the test red and green in fresh worktrees"):
        done = stage.ask(*words)
    stage.test = done["test_file"]
    stage.narrator.output((stage.repo / stage.test).read_text())
    repository.commit_test(stage.repo, stage.now())
    proposed = stage.the("amendment.proposed", amendment=done["amendment"])
    stage.narrator.claim(
        f"a test from production's input, {done['original_size']} characters made {done['reduced_size']}",
        proposed.id, f"/amendments/{done['amendment']}",
    )  # fmt: skip
    return done


def never_again(stage: Stage) -> None:
    """The same release is blocked; the fixed one goes through every gate, the new one too."""
    stage.narrator.title("Never again")
    stage.narrator.say(
        f"Somebody tries {BAD} once more. CI runs the new suite on it, and the gate reads the result."
    )
    stage.record_tests(BAD, *_regression_on(stage, BAD))
    stage.amends("gate", "--service", SERVICE, "--release", BAD, "--to", "production", exits=(1,), show=True)
    blocked = stage.the("gates.decided", release=BAD, environment="production", decision="block")
    rows = {row.gate: row.decision for row in getattr(blocked.payload, "gates", ())}
    if not any(name.startswith("tests") and said == "block" for name, said in rows.items()):
        raise StoryError(f"the new gate did not block {BAD}: {rows}")
    stage.narrator.claim(
        f"shop@{BAD} is blocked, by the gate that it taught", blocked.id, f"/releases/shop/{BAD}"
    )
    suites = ("unit", "integration", "regression")
    for suite in prologue.run_suites(stage.repo, suites, stage.root / "reports" / GOOD):
        stage.record_tests(GOOD, *suite)
    _soak(stage, GOOD)
    stage.amends("deploy", GOOD, "--to", "production", "--no-wait", show=True)
    end = _await_end(stage, GOOD, "production", narrate=True)
    if getattr(end.payload, "outcome", "") != "promoted":
        raise StoryError(f"the fixed release did not go through: {end.payload}")
    stage.narrator.claim(f"shop@{GOOD} serves production, and the edge case", end.id, stage.page_of(end))


SCENES: tuple[Callable[[Stage], None], ...] = (
    everyday, a_change, the_escape, the_incident, the_amendments, never_again,
)  # fmt: skip


def _bring_up(stage: Stage) -> None:
    """Bring the last good release to production at once: there is no traffic yet to watch it with."""
    policy = stage.root / "first.yaml"
    text = (stage.repo / "amends.yaml").read_text()
    policy.write_text(re.sub(r"rollout:\n  steps:\n(    - .*\n)+", "", text))
    stage.amends("deploy", LAST_GOOD, "--to", "production", "--no-wait", "--policy", str(policy))


def _record_release(stage: Stage, version: str, previous: str, reviewer: str) -> None:
    span = f"v{previous}..v{version}"
    commit = stage.commits[version]
    stage.amends("record", "change", "--from-git", span)
    stage.amends("record", "review", commit, "--reviewer", repository.email(reviewer), "--team", "shop-team")
    stage.amends(
        "record", "release", version, "--commit", f"v{version}", "--previous", previous, "--changes", span
    )


def _shift(stage: Stage) -> None:
    start, end = stage.now(), stage.now() + timedelta(days=1)
    stage.amends(
        "record", "shift", "shop-team", "--role", "on-call", "--person", "margaret", "--from",
        start.isoformat(), "--to", end.isoformat(),
    )  # fmt: skip


def _soak(stage: Stage, version: str) -> None:
    for environment in ("dev", "staging"):
        stage.amends("deploy", version, "--to", environment, "--no-wait", show=True)
        _await_end(stage, version, environment)
    began = stage.the("deployment.finished", release=version, environment="staging").occurred_at
    traffic = stage.start_traffic(stage.proxy("staging"), rate=stage.script.rate / 2, edge_share=0.0)
    with stage.narrator.waiting("a week in staging, on the accelerated clock, with real requests"):
        prologue.let_pass(stage, began + timedelta(days=7, hours=1) - stage.now(), _SOAK_PACE)
        stage.stop(traffic)
    served = sum(json.loads(Path(stage.output_of(traffic)).read_text())["statuses"].values())
    stage.amends(
        "record", "traffic", version, "--env", "staging", "--requests", str(served), "--since",
        began.isoformat(), "--until", stage.now().isoformat(),
    )  # fmt: skip
    stage.amends("record", "sign-off", version, "--role", "qa", "--by", "katherine", "--env", "staging")
    prologue.wait_for_window(stage)
    _shift(stage)
    fact = stage.the("traffic.observed", release=version)
    stage.narrator.claim(
        f"shop@{version} spent more than a week in staging and served {served:,} requests there", fact.id
    )


def _await_end(stage: Stage, version: str, environment: str, *, narrate: bool = False) -> Fact:
    request = stage.the("deployment.requested", release=version, environment=environment)
    tag = f"deployment:{getattr(request.payload, 'deployment', '')}"
    told: set[str] = set()

    def look() -> Fact | None:
        if narrate:
            _tell(stage, tag, told)
        asked = stage.stuck(tag)
        if asked:
            raise StoryError(f"the deployment of {version} waits for a person: {asked}")
        return stage.latest("deployment.finished", tag)

    with stage.at_pace(_ROLLOUT_PACE):
        end = stage.until(look, f"the deployment of {version} to {environment} ends", patience=120)
    if narrate:
        _tell(stage, tag, told)
    return end


def _tell(stage: Stage, tag: str, told: set[str]) -> None:
    kinds = ("actuation.done", "step.started", "step.concluded", "deployment.finished")
    for fact in stage.log.facts(tags=[tag], kinds=kinds):
        if fact.id not in told:
            told.add(fact.id)
            stage.narrator.say(
                f"  {fact.occurred_at:%a %H:%M:%S}  {_line(fact)}  [dim]event {fact.id[:8]}[/]"
            )


def _line(fact: Fact) -> str:
    said: Any = fact.payload
    if fact.kind == "actuation.done":
        return f"{said.action.replace('_', ' ')}: {said.outcome}"
    if fact.kind == "step.started":
        return f"step {said.step}: {said.weight}% of the traffic, watched for {said.seconds / 60:.0f} min"
    if fact.kind == "step.concluded":
        return f"step {said.step}: {said.outcome.replace('_', ' ')} — {said.reason}"
    return f"{said.outcome.replace('_', ' ')} — {said.reason}"


def _prove(stage: Stage, amendment: str, claim: str) -> None:
    with stage.narrator.waiting(f"proving {amendment} in fresh worktrees"):
        stage.amends("amendment", "prove", amendment, exits=(0,), show=True)
    proven = stage.the("amendment.proven", amendment=amendment)
    stage.narrator.claim(claim, proven.id, f"/amendments/{amendment}")


def _regression_on(stage: Stage, version: str) -> prologue.Suite:
    """Run the regression suite, as it stands today, on an older release: what CI does on a retry."""
    tree = stage.root / f"tree-{version}"
    repository.git(stage.repo, "worktree", "add", "-q", "--detach", str(tree), f"v{version}")
    try:
        place = tree / stage.test
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text((stage.repo / stage.test).read_text())
        return prologue.run_suites(tree, ["regression"], stage.root / "reports" / version)[0]
    finally:
        repository.git(stage.repo, "worktree", "remove", "--force", str(tree))
