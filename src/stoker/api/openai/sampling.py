"""How text is made: the parameters that chat and completions share, taken to a version's inputs. Pure."""

from typing import Any, cast

from stoker.api.openai.drafts import Draft, refusal

MOST = ("max_tokens", "max_completion_tokens", "max_new_tokens")
STOPS = ("stop_sequences", "stop")
SEPARATOR = ","
"""Between the stop sequences of an input that takes them as one text."""
LARGEST_N = 128


def fill(draft: Draft) -> None:
    """Takes what sampling needs; parameters of the same name as an input find it by themselves."""
    completion = draft.pop("max_completion_tokens")
    older = draft.pop("max_tokens")
    name = "max_tokens" if completion is None else "max_completion_tokens"
    most = older if completion is None else completion
    if most is not None:
        to = draft.surface.first(MOST)
        if to is None:
            raise refusal(name, "This model cannot take it")
        draft.put(to, most, source=name)
    _stop(draft)


def most_tokens(draft: Draft) -> int | None:
    """After how many tokens the model stops by itself, if it says so."""
    name = draft.surface.first(MOST)
    most = None if name is None else draft.input.get(name, draft.surface.default(name))
    return most if isinstance(most, int) else None


def number(draft: Draft) -> int:
    """How many choices are asked for."""
    n = draft.take("n", int, default=1)
    if not 1 <= n <= LARGEST_N:
        raise refusal("n", f"Must be between 1 and {LARGEST_N}")
    return n


def repeated(input: dict[str, Any], times: int) -> list[dict[str, Any]]:
    """The input for each of several choices: a seed counts on, else all would be the same."""
    seed = input.get("seed")
    if times == 1 or not isinstance(seed, int):
        return [input] * times
    return [input | {"seed": seed + n} for n in range(times)]


def _stop(draft: Draft) -> None:
    given = draft.pop("stop")
    if given is None:
        return
    stops = cast(list[Any], given if isinstance(given, list) else [given])
    if not all(isinstance(stop, str) for stop in stops):
        raise refusal("stop", "Must be a text or a list of texts")
    to = draft.surface.first(STOPS)
    if not stops or to is not None:
        _put_stops(draft, to, stops)
    else:
        raise refusal("stop", "This model cannot take it")


def _put_stops(draft: Draft, to: str | None, stops: list[str]) -> None:
    if to is None or not stops:
        return
    if draft.surface.kind(to) == "array":
        draft.put(to, stops, source="stop")
        return
    if any(SEPARATOR in stop for stop in stops):
        raise refusal("stop", "This model takes its stop sequences separated by commas, so none may have one")
    draft.put(to, SEPARATOR.join(stops), source="stop")
