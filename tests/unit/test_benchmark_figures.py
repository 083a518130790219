"""The benchmark's figures: which way is better, what a target means, and how the table shows it."""

from benchmarks.figures import Figure, Sheet, Target
from benchmarks.report import table


def figure(better, cog: list[float], stoker: list[float], **target: float) -> Figure:
    return Figure(
        name="f",
        unit="ms",
        better=better,
        target=Target(**target) if target else None,
        samples={"Cog": cog, "Stoker": stoker},
    )


def test_a_ratio_above_one_is_always_the_better():
    assert figure("less", [4, 2, 3], [1, 2, 1.5]).times_better == 2
    assert figure("more", [100], [250]).times_better == 2.5
    assert figure("less", [], [1]).times_better is None


def test_a_target_may_have_several_parts():
    assert figure("more", [1000], [2600], at_least=2500, times_better=2).reached is True
    assert figure("more", [1500], [2600], at_least=2500, times_better=2).reached is False
    assert figure("less", [1], [0.5], at_most=0.4).reached is False
    assert figure("less", [1], [0.5]).reached is None
    assert figure("less", [1], [], at_most=1).reached is None


def test_the_table_has_a_line_for_each_figure():
    sheet = Sheet()
    sheet.define("first token", "ms", "less", target=Target(at_most=30))
    sheet.define("start", "s", "less")
    sheet.add("first token", "Cog", 40)
    sheet.add("first token", "Stoker", 50)
    sheet.add("start", "Stoker", 1234.5)
    _, _, first, second = table(sheet).splitlines()
    assert first.split() == ["first", "token", "ms", "40", "50", "0.80x", "MISSED:", "at", "most", "30"]
    assert second.split() == ["start", "s", "1,234"]
