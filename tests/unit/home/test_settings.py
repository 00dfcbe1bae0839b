"""``envs/site.yaml`` becomes settings, or all that is wrong with it."""

from pathlib import Path

import pytest
from fake_crontab import make_mail
from hypothesis import given
from hypothesis import strategies as st

from runner.document.faults import Faults
from runner.errors import FaultsFound
from runner.home.settings import TARGET, Settings, Site, Target, name_after, parse_settings, read_settings

HOME = Path("/home/wfc3ql/ql")
MAIN = Target("main", **{**TARGET.defaults, "hosts": ("ops1",), "user": "wfc3ql"})


def read(text: str) -> Settings:
    settings = parse_settings(text.encode(), HOME, MAIN, Faults("envs/site.yaml"))
    assert settings is not None
    return settings


def mistakes(text: str) -> list[str]:
    faults = Faults("envs/site.yaml")
    assert parse_settings(text.encode(), HOME, MAIN, faults) is None
    return [str(fault).removeprefix("envs/site.yaml:") for fault in faults.found]


def test_a_home_without_settings_has_the_defaults() -> None:
    settings = read("")
    assert (settings.name, settings.mail, settings.housekeeping) == ("ql", make_mail(via="sendmail", ops=()), "cron")
    assert settings.targets == (MAIN,)
    assert settings.base_env == (("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8"))
    assert settings.capo.path == ("{home}/envs/capo",)


def test_every_key_is_read() -> None:
    settings = read("""
name: wfc3
state: /data/runner
database: postgresql://ql@db/runner
group: science
mail: {via: cron, from: ql@example.org, ops: [al@example.org, root]}
targets: {ops: {hosts: ["ops*"], user: wfc3ql, kind: user, cron: debian, site: dsoc, environment: prod}}
sites: {dsoc: {hosts: ["nmpost*"], account: vlapipe}}
environments: [prod, test]
layout: "~{account}/workflows/{profile}"
base: {env: {LANG: C, TERM: dumb}}
capo: {path: [/home/casa/capo]}
renamed: {nmtest: dsoc-dev}
allow: {command: restoreToCache, version: ">= 3.7.0", profile: "vlass.*", reason: VLASS}
guard: warn
housekeeping: external
ping: "https://hc.example.org:8000/key/{host}?create=1"
metrics: /var/lib/node_exporter/runner.prom
""")
    assert settings.ping == "https://hc.example.org:8000/key/{host}?create=1"
    assert settings.metrics == "/var/lib/node_exporter/runner.prom"
    assert (settings.name, settings.group, settings.mail.ops) == ("wfc3", "science", ("al@example.org", "root"))
    assert settings.database == "postgresql+psycopg2://ql@db/runner"
    [target] = settings.targets
    assert (target.name, target.hosts, target.site, target.environment) == ("ops", ("ops*",), "dsoc", "prod")
    assert settings.sites == (("dsoc", Site(("nmpost*",), "vlapipe")),)
    assert settings.base_env == (("PATH", "/usr/bin:/bin"), ("LANG", "C"), ("TERM", "dumb"))
    assert (settings.environments, settings.renamed) == (("prod", "test"), (("nmtest", "dsoc-dev"),))
    [rule] = settings.allow
    assert (rule.command, rule.version, rule.profile, rule.reason) == ("restoreToCache", ">=3.7.0", "vlass.*", "VLASS")
    assert (rule.version_run, rule.software, rule.host, settings.guard) == ("", "", "", "warn")


def test_state_and_database_follow_the_target() -> None:
    """CRON-20."""
    settings = read("""
name: ql
state: run/state
targets:
  a: {hosts: [a], user: u}
  b: {hosts: [b], user: u, state: /data/b, database: "sqlite:////data/b.db"}
""")
    a, b = settings.targets
    assert settings.state_text(a) == "{home}/run/state"
    assert settings.state_of(a) == HOME / "run/state"
    assert settings.database_of(a) == f"sqlite:///{HOME}/run/state/runner.db"
    assert (settings.state_of(b), settings.database_of(b)) == (Path("/data/b"), "sqlite:////data/b.db")


def test_a_clone_that_is_no_target_never_opens_productions_state() -> None:
    """CRON-20."""
    settings = read("state: /data/runner\ndatabase: postgresql://db/x\n")
    assert settings.state_of(None) == HOME / "state"
    assert settings.database_of(None) == f"sqlite:///{HOME}/state/runner.db"


@pytest.mark.parametrize(
    ("host", "user", "found"),
    [("ops1.example.org", "u", "a"), ("ops2", "u", "a"), ("ops1", "other", None), ("dev", "u", None), ("b", "u", "b")],
)
def test_a_target_is_found_by_host_pattern_and_user(host: str, user: str, found: str | None) -> None:
    targets = '{a: {hosts: ["ops?"], user: u}, b: {hosts: [b], user: u}}'
    target = read(f"name: ql\ntargets: {targets}").target_here(host, user)
    assert (target.name if target else None) == found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("mail: {ops: a@b@c}", '1:13: "a@b@c" is not a mail address that cron accepts; '
         "one address an item, like ops@example.org"),
        ("mail: {via: smtp}", "1:7: via: smtp without a server; write smtp: {host: NAME}"),
        ("mail: {via: post}", '1:13: "post" is not possible here; one of cron, sendmail, smtp'),
        ("mail: {via: smtp, smtp: {host: h, user: u}}",
         "1:25: a login is a user and a password; give both: user: NAME, password: file:/PATH"),
        ("mail: {via: smtp, smtp: {host: h, tls: none, user: u, password: file:/p}}",
         "1:25: a password would go over the network for all to read; leave tls out, or the login"),
        ("slack: {channel: x}", '1:8: "token" is missing; file:/PATH of the bot\'s token'),
        ("slack: {channel: x, token: xoxb-1}",
         '1:28: "xoxb-1" is not a secret; write file:/PATH: secrets stay in files of their own'),
        ("ping: hc-ping.com/x", '1:7: "hc-ping.com/x" is not a web address; one like https://HOST/PATH'),
        ("ping: 'https://hc/{job}'",
         '1:7: "https://hc/{job}" has braces that stand for nothing; only {host} is replaced there'),
        ("ping: 'https://hc:99999/x'",
         '1:7: "https://hc:99999/x" names no host, or no port that can be; one like https://HOST/PATH'),
        ("ping: https:///x", '1:7: "https:///x" names no host, or no port that can be; one like https://HOST/PATH'),
        ("metrics: runner.prom", '1:10: "runner.prom" is not an absolute path'),
        ("metrics: /x/runner.txt", '1:10: "/x/runner.txt" does not end in .prom; node_exporter reads no other file'),
        ("guard: off", '1:8: "off" is not possible here; one of refuse, warn'),
        ("allow: [{command: x}]",
         '1:9: "reason" is missing; why it is permitted; in the log of each run that needs it'),
        ("allow: [{reason: x}]", "1:9: it would permit everything; name a command, profile, software or host"),
        ("allow: [{reason: x, profile: y, version: '>=1'}]",
         "1:9: a version is that of a command; give command, version and, if need be, version_run"),
        ("allow: [{reason: x, command: y, version: new}]",
         '1:42: "new" is no comparison of versions; write one like ">=6.5"'),
        ("allow: [{reason: x, command: a/b}]", '1:30: "a/b" is not a pattern of names; write one like vlass.*'),
        ("nmae: x", '1:1: unknown key "nmae"; did you mean "name"?'),
        ("name: a/b", '1:7: "a/b" is not a name; letters, digits, _ and -, at most 32 characters'),
        ("state: ~/state", '1:8: "~/state" would need a shell; write an absolute path, or one that begins at the home'),
        ("database: mysql://x", '1:11: "mysql://x" is not a database that we know; '
         "sqlite:////ABSOLUTE/PATH or postgresql+psycopg2://USER@HOST/NAME"),
        ("name: x\ntargets: {a: {user: u}}", '2:14: target a has no "hosts"; name patterns of its hosts'),
        ("targets: {a: {hosts: [h], user: u}}",
         '1:1: no "name"; with targets a home needs one: what is compiled must not hang on a directory'),
        ("- a", "1:1: keys with values are needed here; like KEY: VALUE"),
        ("name: [a", "1:7: not YAML: while parsing a flow sequence, did not find expected ',' or ']'"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_where_it_is_and_what_to_do(text: str, fault: str) -> None:
    assert mistakes(text) == [fault]


def test_all_mistakes_come_in_one_go() -> None:
    assert len(mistakes("nmae: x\nmail: {ops: a b, via: post}\nstate: ~\nhousekeeping: croon\n")) == 5


def test_the_file_of_a_home_is_read(tmp_path: Path) -> None:
    assert read_settings(tmp_path).name == name_after(tmp_path)
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs/site.yaml").write_text("nmae: x\n")
    with pytest.raises(FaultsFound, match=r"^envs/site.yaml:1:1: unknown key"):
        read_settings(tmp_path)


def test_a_home_is_named_after_its_directory_as_far_as_that_is_a_name() -> None:
    names = [name_after(Path(path)) for path in ("/x/ql", "/x/my home.2", "/", "/x/é", "/x/" + "a" * 99)]
    assert names == ["ql", "my-home-2", "home", "home", "a" * 32]


@given(st.text(alphabet="abmail: {}[]-\n~'\"targetsnopvi", max_size=60))
def test_any_text_gives_settings_or_faults(text: str) -> None:
    faults = Faults("f")
    settings = parse_settings(text.encode(), HOME, MAIN, faults)
    assert (settings is None) == bool(faults.found)
