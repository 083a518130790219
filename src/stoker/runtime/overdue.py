"""What has taken too long: runs past their limit, models that do not stop. Called by dispatch's step."""

from stoker.core.settings import Settings
from stoker.runtime.job import Job
from stoker.runtime.member import Member


def check_run(job: Job, settings: Settings, now_us: int) -> None:
    """Ends a run that has used up its time."""
    limit_s = settings.train_timeout_s if job.prediction.kind == "training" else settings.run_timeout_s
    since_us = job.prediction.started_us
    if since_us is None or job.ended or now_us - since_us < limit_s * 1e6:
        return
    job.stop("run time limit")
    job.fail(f"{job.prediction.kind.capitalize()} timed out after {limit_s:g} seconds (E6716)")


def check_stopping(member: Member, settings: Settings, now_us: int) -> None:
    """Kills the instance of a model that does not stop, unless others still run in it."""
    limit_us = settings.cancel_grace_s * 1e6
    late = [j for j in member.runs.values() if j.stop_asked_us and now_us - j.stop_asked_us >= limit_us]
    if not late:
        return
    member.unhealthy = member.unhealthy or "a run did not stop when it was cancelled"
    if len(late) == len(member.runs):
        member.kill(f"it did not stop within {settings.cancel_grace_s:g} seconds of being cancelled")
