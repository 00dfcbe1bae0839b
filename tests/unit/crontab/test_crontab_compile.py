"""Plans to a block: its exact form, and what is refused."""

from __future__ import annotations

import getpass
import hashlib
from pathlib import Path

import pytest
from fake_crontab import MAIL, make_block, make_entry, make_mail, make_target
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.crontab.block import find_blocks
from runner.crontab.compile import compile_block
from runner.crontab.dialects import DEBIAN
from runner.crontab.entry import Entry, parse_entries
from runner.crontab.opinion import find_disagreement
from runner.crontab.tables import find_crontab
from runner.errors import UserError

EXAMPLE = """\
# BEGIN runner ql@ops digest=DIGEST
# for wfc3ql on ql-ops1.example.org, site dsoc, environment prod
# made by "runner compile" from jobs/: edit there, then "runner crontab install"
SHELL=/bin/sh
PATH=/usr/bin:/bin
CONTENT_TYPE="text/plain; charset=UTF-8"
MAILTO="ops@example.org"
* * * * * /home/wfc3ql/ql/wrappers/run-job --sweep
MAILTO="al@example.org,ql-team@example.org"
15 4 * * 1 /home/wfc3ql/ql/wrappers/run-job calibrate-darks@dsoc-prod
15 4 * * 1 /home/wfc3ql/ql/wrappers/run-job calibrate-darks@dsoc-test
MAILTO="ql-team@example.org"
0 11 * * * /home/wfc3ql/ql/wrappers/run-job download-wfc3
# END runner ql@ops
"""
DARKS = ("ql-team@example.org", "al@example.org")
EXAMPLE_ENTRIES = (
    make_entry("download-wfc3", "0 11 * * *", mailto=("ql-team@example.org",)),
    make_entry("calibrate-darks@dsoc-test", "15 4 * * 1", mailto=DARKS),
    make_entry("calibrate-darks@dsoc-prod", "15 4 * * 1", mailto=DARKS[::-1]),
)


def test_the_example_of_the_specification_compiles_to_its_very_bytes():
    """crontab.md, Examples; CRON-11, 18, 21, 23, 25."""
    inner = "".join(EXAMPLE.splitlines(keepends=True)[1:-1]).encode()
    digest = hashlib.sha256(inner).hexdigest()[:16]
    assert make_block(*EXAMPLE_ENTRIES).decode() == EXAMPLE.replace("DIGEST", digest)


def test_the_order_of_the_entries_does_not_matter():
    """CRON-19."""
    assert make_block(*EXAMPLE_ENTRIES) == make_block(*EXAMPLE_ENTRIES[::-1])


def test_each_element_of_when_is_a_line_of_its_own():
    """CRON-1."""
    block = make_block(make_entry("index", "0 3 * * *", "0 15 * * 1-5")).decode()
    assert "0 3 * * * /home/wfc3ql/ql/wrappers/run-job index\n0 15 * * 1-5 /home" in block


def test_a_job_without_recipients_and_one_of_ops_stand_under_the_housekeeping_line():
    """ALERT-6."""
    lines = make_block(make_entry("b", "0 3 * * *"), make_entry("a", "0 4 * * *", mailto=MAIL.ops)).decode().split("\n")
    assert [line.rsplit(" ")[-1] for line in lines[6:10]] == ['MAILTO="ops@example.org"', "--sweep", "a", "b"]


def test_housekeeping_from_elsewhere_leaves_no_line_and_no_group_without_lines():
    """CRON-18."""
    entries = [make_entry("a", "0 4 * * *", mailto=("al@example.org",))]
    block = compile_block("ql", "/h", make_target(), entries, MAIL, housekeeping="external")
    assert "--sweep" not in block
    assert block.count("MAILTO") == 1


def test_a_mailer_of_our_own_leaves_one_list_and_no_content_type():
    """CRON-25: cron then mails only what the wrapper cannot report itself."""
    mail = make_mail(via="smtp", ops=("b@example.org", "a@example.org"))
    block = compile_block("ql", "/h", make_target(), EXAMPLE_ENTRIES, mail, housekeeping="cron")
    assert block.count("MAILTO") == block.count('MAILTO="a@example.org,b@example.org"') == 1
    assert "CONTENT_TYPE" not in block


def test_a_target_without_home_site_and_environment_uses_the_place_of_the_home():
    target = make_target(home="", site="", environment="")
    block = compile_block("ql", "/srv/ql", target, [], MAIL, housekeeping="cron")
    assert "\n# for wfc3ql on ql-ops1.example.org\n" in block
    assert "\n* * * * * /srv/ql/wrappers/run-job --sweep\n" in block


def test_many_hosts_are_named_in_several_comments():
    """CRON-28: at most 100 bytes a comment."""
    hosts = tuple(f"ql-ops{number}.example.org" for number in range(12))
    comments = [line for line in make_block(hosts=hosts).decode().split("\n") if line.startswith("#")]
    assert max(map(len, comments)) <= 100
    assert " ".join(" ".join(line[2:].split()) for line in comments[1:-2]).endswith(
        f"{hosts[-1]}, site dsoc, environment prod"
    )


@pytest.mark.parametrize(
    ("home", "complaint"),
    [
        ("/home/w fc3", "takes an absolute path of only"),
        ("/home/50%", "takes an absolute path of only"),
        ("/home/caf\u00e9", "takes an absolute path of only"),
        ("relative/ql", "takes an absolute path of only"),
        ("/srv/ql/releases/3f2a9c1", "lies in one release"),
        ("/srv/" + "3f" * 20, "lies in one release"),
        ("/srv/" + "x" * 900, "at most 900 are safe"),
    ],
)
def test_a_home_whose_path_cron_would_misread_or_lose_is_refused(home: str, complaint: str):
    """CRON-12, 13, 14."""
    with pytest.raises(UserError, match=complaint):
        make_block(home=home)


def test_the_link_to_the_current_release_is_a_good_home():
    """CRON-13."""
    assert b" /srv/ql/releases/current/wrappers/run-job --sweep\n" in make_block(home="/srv/ql/releases/current")


@pytest.mark.parametrize("address", ["", "-oQ/x", "a@b;id", "a b@c", "a@b@c", 'a"@b', "a@b\n* * * * * id", "\u00e9@b"])
def test_an_address_that_cron_calls_unsafe_is_refused(address: str):
    """CRON-24, 26; SEC-11."""
    with pytest.raises(UserError):
        make_block(make_entry("a", "0 4 * * *", mailto=(address,)))


def test_too_many_recipients_for_a_line_are_refused():
    """CRON-24: Debian cuts at 998 bytes in silence."""
    with pytest.raises(UserError, match="at most 900 are safe"):
        make_block(make_entry("a", "0 4 * * *", mailto=tuple(f"someone{n}@example.org" for n in range(50))))


def test_without_ops_the_account_itself_is_told():
    """ALERT-9, CRON-24: MAILTO is never empty."""
    target, mail = make_target(), make_mail(ops=())
    block = compile_block("ql", "/h", target, [], mail, housekeeping="cron")
    assert f'MAILTO="{target.user}"\n* * * * * /home/wfc3ql/ql/wrappers/run-job --sweep\n' in block


@pytest.mark.parametrize("user", ["root\n* * * * * id", "caf\u00e9"])
def test_nothing_of_the_settings_can_become_a_line(user: str):
    """SEC-3."""
    with pytest.raises(UserError):
        make_block(user=user)


@pytest.mark.parametrize("plan", ["a b", "a%b", "A", "../a", "a\n"])
def test_a_plan_whose_name_is_none_is_refused(plan: str):
    """SEC-3: no registry text but schedule and job id gets into a line, and those only in their grammar."""
    with pytest.raises(UserError):
        make_block(make_entry(plan, "0 4 * * *"))


FIELDS = st.tuples(
    st.sampled_from(["*", "*/15", "0", "5,35", "0-59/7", "59"]),
    st.sampled_from(["*", "*/6", "23", "0,12", "8-18/2"]),
    st.sampled_from(["*", "*/2", "1", "1-7", "31"]),
    st.sampled_from(["*", "1,6", "2-12/5"]),
    st.sampled_from(["*", "0", "1-5", "6-7", "7"]),
).map(" ".join)
ADDRESSES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9!:%._+=/-]{0,20}@[a-z.]{1,9}", fullmatch=True)
PLANS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}(@[A-Za-z0-9_.-]{1,20})?", fullmatch=True)
ENTRIES = st.dictionaries(
    PLANS, st.tuples(st.lists(FIELDS, min_size=1, max_size=3), st.lists(ADDRESSES, min_size=1, max_size=4)), max_size=8
)


@settings(max_examples=50, deadline=None)
@given(ENTRIES)
def test_what_is_compiled_is_read_back_as_the_same_plans(entries):
    """SEC-3, CRON-82."""
    made = make_entries(entries)
    assert list_facts(parse_entries(make_block(*made).decode())) == list_facts(made)


@settings(max_examples=25, deadline=None)
@given(ENTRIES)
def test_what_is_compiled_passes_the_check_of_debian_and_the_second_opinion(debian_crontab, entries):
    """CRON-46, CRON-82."""
    block = make_block(*make_entries(entries))
    crontab = find_crontab(getpass.getuser(), {"PATH": str(Path(debian_crontab).parent)})
    assert crontab.check(DEBIAN, block).refusal is None
    assert find_disagreement(find_blocks(block)[0].body.decode()) == ""


HOSTILE = st.text(st.sampled_from("aA0@/.- *\n\r\t%#\\'\"$~;=,\0\u00e9"), max_size=12)


@settings(deadline=None)
@given(plan=HOSTILE, fields=HOSTILE, address=HOSTILE, host=HOSTILE, home=HOSTILE)
def test_hostile_texts_are_refused_or_are_what_they_seem(plan, fields, address, host, home):
    """SEC-3."""
    entry = Entry(plan, plan.partition("@")[0], plan.partition("@")[2], (fields,), (address,))
    try:
        block = make_block(entry, hosts=(host,), home=f"/{home}")
    except UserError:
        return
    assert list_facts(parse_entries(block.decode())) == list_facts((entry,))


def make_entries(entries) -> tuple[Entry, ...]:
    return tuple(
        make_entry(plan, *fields, mailto=tuple(sorted(set(mailto))))
        for plan, (fields, mailto) in sorted(entries.items())
    )


def list_facts(entries: tuple[Entry, ...]) -> list[tuple[object, ...]]:
    """All of an entry but its schedules, which have no equality."""
    return [(entry.plan, entry.job, entry.profile, entry.fields, entry.mailto) for entry in entries]
