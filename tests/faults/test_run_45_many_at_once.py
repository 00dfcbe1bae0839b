"""RUN-45: a hundred lines of a crontab fire in the same second, and none is lost."""

from collections import Counter

from lab import SLOT, Lab


def test_a_hundred_runs_at_once_lose_no_record(lab: Lab) -> None:
    names = [f"job-{number}" for number in range(100)]
    script = lab.script("hello", "echo hello")
    for name in names:
        lab.plan(name, steps=[[script]])

    wrappers = [lab.start(name, "--slot", SLOT) for name in names]

    assert {lab.finish(wrapper).code for wrapper in wrappers} == {0}
    assert Counter(event["event"] for event in lab.events()) == {"start": 100, "attempt": 100, "end": 100}
    assert {end["plan"] for end in lab.events("end")} == set(names)
    assert {lab.output(name) for name in names} == {b"hello\n"}
    for name in names:
        lab.assert_clean(name)


def test_the_records_of_many_failures_are_whole(lab: Lab) -> None:
    """Each is one write of at most 4096 bytes (RUN-13): none is torn by another."""
    names = [f"job-{number}" for number in range(40)]
    long_word = "x" * 6000
    for name in names:
        lab.plan(name, steps=[[f"jobs/{long_word}"]])

    wrappers = [lab.start(name, "--slot", SLOT) for name in names]

    assert {lab.finish(wrapper).code for wrapper in wrappers} == {126}
    assert Counter(event["event"] for event in lab.events()) == {"start": 40, "flip": 40, "end": 40}
    assert max(map(len, lab.journal_text().split("\n"))) < 4096
