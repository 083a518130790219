"""``stoker scale`` and ``stoker warm``: how many instances there are, and when, without anybody asking."""

from typing import Any
from urllib.parse import quote

import click

from stoker.cli import options
from stoker.cli.durations import Duration

WEEK_HOURS = 168
_NOTHING = "Nothing is kept up. 'stoker warm OWNER/NAME' keeps a model up."


class OrDefault(click.ParamType):
    """A value, or ``default``: nothing is asked for here any more."""

    def __init__(self, kind: click.ParamType):
        self.name = kind.name
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == "default" else self._kind.convert(value, param, ctx)


@click.command(
    epilog="""\b
Examples:
  stoker scale local/sketch
  stoker scale local/sketch --idle 10m --max 2
  stoker scale local/sketch --min 1
  stoker scale local --idle 5m
  stoker scale local/sketch --idle default
  stoker scale local/sketch --resume
"""
)
@click.argument("name", metavar="OWNER/NAME[:VERSION]|ACCOUNT")
@click.option("--deployment", is_flag=True, help="OWNER/NAME is a deployment.")
@click.option(
    "--idle", type=OrDefault(Duration()), help="How long an instance stays without work, as 90s or 10m."
)
@click.option("--min", "least", type=OrDefault(click.INT), help="Instances that stay up without work.")
@click.option("--max", "most", type=OrDefault(click.INT), help="Most instances.")
@click.option("--resume", is_flag=True, help="End the pause of what failed to start: it is mended.")
@options.as_json("Print the API's object.")
def scale(
    name: str,
    deployment: bool,
    idle: int | str | None,
    least: int | str | None,
    most: int | str | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Show or change idle time and numbers of instances.

    'default' takes back what was asked for. A version goes before its model, that before its account,
    that before the server's settings.
    """
    if resume:
        if any(value is not None for value in (idle, least, most)):
            raise click.UsageError("--resume stands alone.")
        _resume(name, deployment=deployment, as_json=as_json)
        return
    given = {"idle_s": idle, "min_instances": least, "max_instances": most}
    change = {
        field: None if value == "default" else value for field, value in given.items() if value is not None
    }
    _show(_ask(_path(name, deployment=deployment), change), as_json=as_json)


@click.command(
    epilog="""\b
Examples:
  stoker warm local/sketch --for 8h
  stoker warm local/sketch --schedule "mon-fri 8-18; sat 10-12" --timezone Europe/Berlin
  stoker warm local/sketch --adaptive
  stoker warm --list
  stoker warm local/sketch --off
"""
)
@click.argument("name", metavar="[OWNER/NAME[:VERSION]]", required=False)
@click.option("--for", "for_s", type=Duration(), help="Only for so long, as 90m or 8h.")
@click.option("--schedule", metavar="HOURS", help='Only in these hours, as "mon-fri 8-18; sat 10-12".')
@click.option("--timezone", metavar="ZONE", help="Of the hours, as Europe/Berlin; else the server's own.")
@click.option("--adaptive", is_flag=True, help="When it is usually used, by its last two weeks.")
@click.option("--instances", type=click.IntRange(min=1), default=1, show_default=True, help="So many.")
@click.option("--off", is_flag=True, help="Not any more.")
@click.option("--list", "listing", is_flag=True, help="List what is kept warm, and its cost.")
@options.as_json("Print the API's objects.")
def warm(
    name: str | None,
    for_s: int | None,
    schedule: str | None,
    timezone: str | None,
    adaptive: bool,
    instances: int,
    off: bool,
    listing: bool,
    as_json: bool,
) -> None:
    """Keep instances of a model up before anybody asks.

    It says what that costs. Without --for, --schedule and --adaptive it is always.
    """
    times = {"for_s": for_s, "schedule": schedule, "timezone": timezone, "adaptive": adaptive}
    if listing or name is None:
        if not listing or name is not None or off or any(times.values()):
            raise click.UsageError("Name a model to keep warm, or only --list.")
        _list(as_json=as_json)
        return
    if off and any(times.values()):
        raise click.UsageError("--off stands alone.")
    if timezone and not schedule and not adaptive:
        raise click.UsageError("--timezone is of the hours: it goes with --schedule or --adaptive.")
    if "/" not in name:
        raise click.UsageError(
            f"{name!r} does not name a model. Write it as OWNER/NAME or OWNER/NAME:VERSION."
        )
    asked = None if off else {"instances": instances, **times}
    _show(_ask(_path(name, deployment=False), {"warm": asked}), as_json=as_json)
    if off and not as_json:
        click.echo("It is not kept warm any more.", err=True)


def _path(name: str, *, deployment: bool) -> str:
    from stoker.cli.reference import parse

    if "/" not in name and not deployment:
        return f"/stoker/accounts/{quote(name, safe='')}/scale"
    reference = parse(name, with_version=not deployment)
    if deployment:
        return f"/stoker/deployments/{reference.model}/scale"
    version = f"/versions/{reference.version}" if reference.version else ""
    return f"/stoker/models/{reference.model}{version}/scale"


def _ask(path: str, change: dict[str, Any]) -> dict[str, Any]:
    from stoker.cli.server.client import connect

    api = connect()
    return api.patch(path, change) if change else api.get(path)


def _resume(name: str, *, deployment: bool, as_json: bool) -> None:
    from stoker.cli.reference import parse
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    kind = "deployments" if deployment else "models"
    told = connect().post(f"/stoker/{kind}/{parse(name, with_version=False).model}/resume", {})
    if as_json:
        click.echo(text.to_json(told))
        return
    for pause in told["resumed"]:
        click.echo(f"resumed    {pause['model']}:{pause['version']} after {pause['failures']} failed starts")
    if not told["resumed"]:
        click.echo(f"Nothing of {name} was paused.")


def _show(told: dict[str, Any], *, as_json: bool) -> None:
    from stoker.cli.terminal import text

    if as_json:
        click.echo(text.to_json(told))
        return
    for field, value in _lines(told):
        click.echo(f"{field:<10} {value}")


def _lines(told: dict[str, Any]) -> list[tuple[str, str]]:
    def said(field: str, unit: str = "") -> str:
        asked, holds = told[field], told["holds"][field]
        return f"{holds:g}{unit} (not asked for here)" if asked is None else f"{asked:g}{unit}"

    lines = [(told["kind"], _name(told)), ("idle", said("idle_s", " s"))]
    lines += [("min", said("min_instances")), ("max", said("max_instances"))]
    if told["warm"]:
        lines.append(("warm", f"{_when(told['warm'])} ({'now' if told['warm']['is_on'] else 'not now'})"))
    if told["instance_hours_a_week"]:
        hours = f"{told['instance_hours_a_week']:.4g} instance hours {_span(told)}"
        lines.append(("kept up", f"{hours}, {_cost(told)}"))
    return lines


def _list(*, as_json: bool) -> None:
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    found = [one for one in connect().get("/stoker/scales")["results"] if one["warm"] or one["min_instances"]]
    if as_json:
        click.echo(text.to_json(found))
        return
    rows = [[_name(one), *_kept(one), f"{one['instance_hours_a_week']:.4g}", _cost(one)] for one in found]
    text.table(["model", "instances", "when", "now", "hours a week", "cost a week"], rows, nothing=_NOTHING)


def _kept(told: dict[str, Any]) -> list[str]:
    """Instances, when, and whether now."""
    warm, least = told["warm"], told["min_instances"] or 0
    if warm is None:
        return [str(least), "always", "yes"]
    return [str(max(warm["instances"], least)), _when(warm), "yes" if warm["is_on"] or least else "no"]


def _name(told: dict[str, Any]) -> str:
    return f"{told['name']}:{told['version']}" if told["version"] else told["name"]


def _when(warm: dict[str, Any]) -> str:
    from stoker.cli.terminal import text

    times = [warm["schedule"] or "", "when it is usually used" if warm["adaptive"] else ""]
    said = " and ".join(filter(None, times)) or ("" if warm["until"] else "always")
    if warm["timezone"]:
        said += f" ({warm['timezone']})"
    return f"{said} until {text.moment(warm['until'])} UTC".strip() if warm["until"] else said


def _span(told: dict[str, Any]) -> str:
    """In what time those hours are: what is warm for some hours and no longer is so all the while."""
    warm = told["warm"]
    if warm is None or warm["until"] is None or warm["schedule"] or warm["adaptive"] or told["min_instances"]:
        return "a week"
    return "until then" if warm["hours_a_week"] < WEEK_HOURS else "a week"


def _cost(told: dict[str, Any]) -> str:
    micro_usd = told["micro_usd_a_week"]
    return f"${micro_usd / 1e6:.2f}" if micro_usd else "no price is set"
