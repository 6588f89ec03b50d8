"""The compiled loop against two others: the vectorised one of E02, and a plain one with every remedy."""

import numpy as np
import pytest

from contrechamp.domain.rng import stream
from fairness import walk
from fairness.feedback import AllocationRule, Arrivals, draw_history, sweep_feedback
from fairness.replay import _CODES, Policy, Remedy, replay

COLUMNS = (
    "recorded_error", "patrol_error", "believed_error", "largest_share", "drift_day", "discovered", "learnt",
    "recorded_first", "patrol_first",
)  # fmt: skip


def _city(history, rep):
    n_days, zones, reps = history.incidents.shape
    cell = np.repeat(np.arange(history.incidents.size), history.incidents.ravel())
    mine = cell % reps == rep
    day = cell // (zones * reps)
    return walk.City(
        opens=np.searchsorted(day[mine], np.arange(n_days + 1)),
        zone=(cell // reps)[mine] % zones,
        mark=history.marks[mine],
        luck=history.marks[mine],
        dispatch=history.dispatch[:, rep].copy(),
        explore=history.dispatch[:, rep].copy(),
        ties=np.ascontiguousarray(history.ties[:, :, rep]),
    )


@pytest.mark.parametrize("rule", list(AllocationRule))
def test_the_compiled_loop_equals_the_vectorised_one(rule):
    history = draw_history(
        rates=(0.4, 1.3, 0.7), n_days=80, n_reps=6, rng=stream(41, "twin"), arrivals=Arrivals.POISSON
    )
    share, days = history.rates / history.rates.sum(), (0, 1, 40, 80)
    for rho in (0.0, 0.35, 1.0):
        (runs,) = sweep_feedback(history, rule=rule, rhos=(rho,), start=(3, 1, 2), checkpoints=days)
        policy = Policy.of_rule(rule, rho=rho)
        for rep in range(6):
            out, path = np.empty(9), np.empty(4)
            walk.walk(
                *_city(history, rep), share, np.array([3.0, 1.0, 2.0]), _CODES[policy.remedy], policy.top, 0.0,
                np.full(3, rho), 0.2, np.array(days), out, path,
            )  # fmt: skip
            found = dict(zip(COLUMNS, out, strict=True))
            for name in ("recorded_error", "patrol_error", "believed_error", "drift_day"):
                assert found[name] == pytest.approx(getattr(runs, name)[rep], rel=1e-12)
            assert found["largest_share"] == pytest.approx(runs.recorded_share[rep].max(), rel=1e-12)
            assert found["patrol_first"] == pytest.approx(runs.patrol_share[rep, 0], rel=1e-12)
            np.testing.assert_allclose(path, runs.path[:, rep, 0], rtol=1e-12)


def _cap(weights, cap):
    """Largest remainder first: raise the free shares together until none is above the cap."""
    share = [w / sum(weights) for w in weights]
    for _ in share:
        over = [k for k, s in enumerate(share) if s > cap + 1e-12]
        if not over:
            break
        capped = [k for k, s in enumerate(share) if s >= cap - 1e-12]
        free = [k for k in range(len(share)) if k not in capped]
        room = 1 - cap * len(capped)
        mass = sum(weights[k] for k in free)
        share = [cap if k in capped else weights[k] / mass * room for k in range(len(share))]
    return share


def _plain(city, policy, truth, start):
    """One incident at a time, in plain Python, with dictionaries and no care for speed."""
    zones, rho = len(start), policy.rho
    count, learned, on = list(start), list(start), [0] * zones
    found_all, learnt_all = 0, 0
    for day in range(len(city.dispatch)):
        corrects = policy.remedy in (Remedy.REPORTED_ONLY, Remedy.IMPORTANCE_WEIGHTED, Remedy.THINNED)
        weights = {Remedy.FIXED: list(start), Remedy.TRUTH: list(truth)}.get(
            policy.remedy, learned if corrects else count
        )
        chance = [w / sum(weights) for w in weights]
        if policy.remedy is Remedy.CAPPED:
            chance = _cap(weights, policy.strength)
        if policy.remedy is Remedy.EXPLORATION and city.explore[day] < policy.strength:
            there = int(city.dispatch[day] * zones)
        elif policy.top:
            best = [z for z in range(zones) if weights[z] == max(weights)]
            there = max(best, key=lambda z: city.ties[day, z])
        else:
            there = next(z for z in range(zones) if sum(chance[: z + 1]) > city.dispatch[day] or z == zones - 1)
        on[there] += 1
        p_keep = min(weights) / weights[there]
        p_there = chance[there]
        for k in range(city.opens[day], city.opens[day + 1]):
            z = city.zone[k]
            if city.mark[k] < rho:
                count[z] += 1
                learned[z] += 1
            elif z == there:
                count[z] += 1
                found_all += 1
                if policy.remedy is Remedy.IMPORTANCE_WEIGHTED:
                    learned[z] += 1 / p_there
                    learnt_all += 1
                elif policy.remedy is Remedy.THINNED:
                    learned[z] += city.luck[k] < p_keep
                    learnt_all += city.luck[k] < p_keep
                elif policy.remedy in (Remedy.NONE, Remedy.EXPLORATION, Remedy.CAPPED):
                    learnt_all += 1
    return count[0] / sum(count), on[0] / sum(on), found_all, learnt_all


@pytest.mark.parametrize(
    "policy",
    [
        Policy(rho=0.3),
        Policy(top=True, rho=0.3),
        Policy(Remedy.REPORTED_ONLY, rho=0.3),
        Policy(Remedy.REPORTED_ONLY, top=True, rho=0.3),
        Policy(Remedy.IMPORTANCE_WEIGHTED),
        Policy(Remedy.THINNED, rho=0.1),
        Policy(Remedy.EXPLORATION, strength=0.4),
        Policy(Remedy.EXPLORATION, top=True, strength=0.4),
        Policy(Remedy.CAPPED, strength=0.4),
        Policy(Remedy.CAPPED, strength=0.3),
        Policy(Remedy.FIXED, rho=0.2),
        Policy(Remedy.TRUTH, rho=0.2),
    ],
    ids=lambda p: p.label,
)
def test_every_remedy_equals_its_plain_twin(policy):
    rates, start, n_days, n_reps = np.array([0.9, 0.5, 0.3, 0.1]), (3.0, 9.0, 2.0, 4.0), 120, 4
    runs = replay(
        rates=rates.tolist(), start=start, policies=[policy], n_days=n_days, n_reps=n_reps, rng=stream(42, "plain")
    )
    seeds = stream(42, "plain").bit_generator.seed_seq.spawn(n_reps)
    for rep, seed in enumerate(seeds):
        rng = np.random.Generator(np.random.PCG64(seed))
        city = walk.draw_city(rates=rates, poisson=False, n_days=n_days, rng=rng)
        recorded, patrol, found, learnt = _plain(city, policy, rates / rates.sum(), start)
        assert runs.recorded_first[0, rep] == pytest.approx(recorded, rel=1e-12)
        assert runs.patrol_first[0, rep] == pytest.approx(patrol, rel=1e-12)
        assert (runs.discovered[0, rep], runs.learnt[0, rep]) == (found, learnt)
