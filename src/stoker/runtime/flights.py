"""Predictions that share a run: one leads, those that ask the same meanwhile follow it.

Used by dispatch alone. The leader's job is the one that waits and runs, and tells its followers all that it
is told; each has a log, an end and webhooks of its own. A leader whose prediction ends early stays in its
place for as long as it has followers, and the first of them pays for the run from then on.
"""

from stoker.core.scaling import Pool
from stoker.runtime.copying import catch_up
from stoker.runtime.job import Job

Question = tuple[str, str, str]
"""Who asks, which version (one pool may serve several), and what."""

MOST_SHARING = 1000
"""So many follow one run at most: all that it tells is told each of them at once. The next leads another."""


class Flights:
    def __init__(self) -> None:
        self._leaders: dict[Pool, dict[Question, Job]] = {}

    def leader(self, job: Job) -> Job | None:
        """Whose run answers the same; without one the job leads from now on, if it shares at all."""
        question = _question(job)
        if question is None:
            return None
        leaders = self._leaders.setdefault(job.pool, {})
        found = leaders.get(question)
        if found is not None and _takes_more(found):
            return found
        leaders[question] = job
        return None

    def forget(self, job: Job) -> None:
        """Nobody follows the job any more."""
        question, leaders = _question(job), self._leaders.get(job.pool, {})
        if question is not None and leaders.get(question) is job:
            del leaders[question]
            if not leaders:
                del self._leaders[job.pool]

    def close(self, pool: Pool) -> None:
        """Nobody follows any that leads there now; who comes from now on leads anew."""
        self._leaders.pop(pool, None)


def follow(job: Job, leader: Job) -> Job:
    """The job shares the leader's run from now on, all that came before included; whom it is level with."""
    level = leader.followers[0] if leader.ended else leader
    leader.followers.append(job)
    job.leader, job.copied_from = leader, leader.id
    job.live.came = "shared"
    leader.live.synced |= job.live.synced
    catch_up(level.live, job)
    return level


def leave(job: Job, now_us: int) -> Job | None:
    """The job's prediction wants no run any more; the job whose run nobody wants now, if that is so."""
    leader, job.leader = job.leader or job, None
    if job in leader.followers:
        leader.followers.remove(job)
    if job.pays and leader.followers:
        leader.followers[0].pays_from_us = now_us
    return leader if (leader is job or leader.ended) and not leader.followers else None


def _takes_more(leader: Job) -> bool:
    return leader.is_wanted and leader.stop_asked_us is None and len(leader.followers) < MOST_SHARING


def _question(job: Job) -> Question | None:
    prediction = job.prediction
    if prediction.likeness is None:
        return None
    return prediction.account.lower(), prediction.version, prediction.likeness
