from amends.watch.answers import kept_answers
from amends.watch.measurements import Answer, MetricSnapshot


def answer(query: str, count: int, left_out: int = 0) -> Answer:
    return Answer(query, tuple((f'e{{pod="{i:04}"}}', "1") for i in range(count)), left_out, "d" * 64)


def test_what_fits_is_kept_whole() -> None:
    answers = (answer("a", 3), answer("b", 0, left_out=2))
    assert kept_answers(MetricSnapshot(answers=answers)) == answers


def test_what_is_too_long_is_cut_and_counted_and_every_query_stays() -> None:
    answers = tuple(answer(name, 500, left_out=7) for name in "abcd")
    kept = kept_answers(MetricSnapshot(answers=answers), most=1000)
    assert [a.query for a in kept] == list("abcd")
    assert [len(a.series) + a.left_out for a in kept] == [507] * 4
    assert all(a.series and a.digest for a in kept)
    assert sum(len(labels) + len(value) for a in kept for labels, value in a.series) <= 1000


def test_a_source_of_pages_keeps_its_selectors() -> None:
    assert kept_answers(MetricSnapshot(queries=("a", "b"))) == (Answer("a"), Answer("b"))
