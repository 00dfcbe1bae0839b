"""The settings of a home: ``envs/site.yaml`` (DESIGN section 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from runner.document.faults import Faults, Wrong, check_faults, has_errors
from runner.document.fields import (
    address,
    choice,
    comparison,
    entries_of,
    host_pattern,
    list_of,
    map_of,
    name_like,
    none_or,
    ping_address,
    scalar,
    secret_source,
    text,
    variable,
    web_address,
    whole,
    word,
)
from runner.document.keys import Keys, declare, record_of
from runner.document.parse import parse_document
from runner.document.tree import Mapping, Node, Scalar, is_empty
from runner.document.zones import zone
from runner.home.activator import Activator, PathChange, read_activator
from runner.home.capo import Capo, check_mirror
from runner.home.here import read_host, read_user
from runner.home.release import RELEASE, Release, find_base
from runner.launch.hosts import matches_host
from runner.launch.state import DATABASE

SETTINGS_FILE = "envs/site.yaml"
BASE_ENV = (("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8"))

home_name = name_like("[A-Za-z0-9][A-Za-z0-9_-]{0,31}", "a name", "letters, digits, _ and -, at most 32 characters")
login = name_like(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?", "a user name", "as in the password database")
profile_part = name_like("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a name", "letters, digits, . _ and -")

name_pattern = name_like("[A-Za-z0-9.*?_-]+", "a pattern of names", "write one like vlass.*")


def _path(value: str) -> str:
    if word(value).startswith("~") or "$" in value:
        raise Wrong(f'"{value}" would need a shell', "write an absolute path, or one that begins at the home")
    return value


def _absolute(value: str) -> str:
    if not value.startswith("/"):
        raise Wrong(f'"{value}" is not an absolute path')
    return value


def _metrics_file(value: str) -> str:
    if not _absolute(value).endswith(".prom"):
        raise Wrong(f'"{value}" does not end in .prom', "node_exporter reads no other file")
    return value


def _database(value: str) -> str:
    if not re.match(r"sqlite:////|postgresql(\+psycopg2)?://", value):
        hint = "sqlite:////ABSOLUTE/PATH or postgresql+psycopg2://USER@HOST/NAME"
        raise Wrong(f'"{value}" is not a database that we know', hint)
    return re.sub("^postgresql:", "postgresql+psycopg2:", value)


@dataclass(frozen=True, slots=True)
class Smtp:
    """The server that mail is handed to (ALERT-10); without it, or a `tls` of ``none``, nobody logs in."""

    host: str = declare(scalar(word), "the server", "")
    port: int | None = declare(none_or(scalar(whole(1, 65535))), "its port", "none", shown="587, of tls: implicit 465")
    tls: str = declare(scalar(choice("starttls", "implicit", "none")), "how the connection is kept private", "starttls")
    ca: str = declare(scalar(_absolute), "certificates of a site's own authority", "", shown="the system's")
    user: str = declare(scalar(word), "who logs in", "", shown="nobody")
    password: str = declare(scalar(secret_source), "file:/PATH of the password", "")


def _read_smtp(node: Node, faults: Faults) -> Smtp:
    smtp: Smtp = record_of(Keys(Smtp))(node, faults)
    if bool(smtp.user) != bool(smtp.password):
        raise Wrong("a login is a user and a password", "give both: user: NAME, password: file:/PATH")
    if smtp.user and smtp.tls == "none":
        raise Wrong("a password would go over the network for all to read", "leave tls out, or the login")
    return smtp


@dataclass(frozen=True, slots=True)
class Mail:
    """Who is told, and how; `ops` gets what no job names recipients for (ALERT-6)."""

    via: str = declare(scalar(choice("sendmail", "smtp", "cron")), "sendmail, smtp or cron", "sendmail")
    sender: str = declare(scalar(address), "the From of mails", "", name="from", shown="the account at its host")
    ops: tuple[str, ...] = declare(list_of(scalar(address)), "who is told when no job says so", "[]")
    sendmail: str = declare(scalar(_absolute), "the program that takes a mail", "/usr/sbin/sendmail")
    smtp: Smtp = declare(_read_smtp, "the server of via: smtp", "{}")


def _read_mail(node: Node, faults: Faults) -> Mail:
    before = len(faults.found)
    mail: Mail = record_of(Keys(Mail))(node, faults)
    if mail.via == "smtp" and not mail.smtp.host and len(faults.found) == before:
        raise Wrong("via: smtp without a server", "write smtp: {host: NAME}")
    return mail


@dataclass(frozen=True, slots=True)
class Slack:
    """The channel that gets the alerts too (ALERT-19)."""

    channel: str = declare(scalar(word), "its id or name")
    token: str = declare(scalar(secret_source), "file:/PATH of the bot's token")
    url: str = declare(scalar(web_address), "where Slack's methods are", "https://slack.com/api/")


@dataclass(frozen=True, slots=True)
class Target:
    """A host and user whose crontab we keep (CRON-20).

    Attributes
    ----------
    hosts
        Name patterns.
    cron, timezone, home, site, environment, state, database
        Empty: not declared.
    """

    name: str
    hosts: tuple[str, ...] = declare(list_of(scalar(host_pattern)), "name patterns of its hosts")
    user: str = declare(scalar(login), "whose crontab it is")
    kind: str = declare(scalar(choice("user", "cron-d")), "user: its own; cron-d: a file of /etc/cron.d", "user")
    cron: str = declare(scalar(choice("debian", "cronie")), "which cron", "")
    timezone: str = declare(scalar(zone), "the host's zone", "")
    home: str = declare(scalar(_absolute), "where the home is there", "")
    site: str = declare(scalar(profile_part), "only profiles of this site", "")
    environment: str = declare(scalar(profile_part), "only profiles of this environment", "")
    state: str = declare(scalar(_path), "its state directory", "")
    database: str = declare(scalar(_database), "its ledger", "")

    def fits(self, host: str, user: str) -> bool:
        """Whether this is the target of `user` on `host`, by its full name or its first part."""
        return self.user == user and matches_host(self.hosts, host)


TARGET = Keys(Target)


def _read_targets(node: Node, faults: Faults) -> tuple[Target, ...]:
    """Return the targets in order of name."""
    targets = []
    for name, values in map_of(home_name, _keep_node)(node, faults):
        given = values.entries if isinstance(values, Mapping) else {}
        for key in TARGET.missing(given):
            faults.error(values, f'target {name} has no "{key}"', TARGET.by_name[key].about)
        try:
            found = TARGET.read(values, faults)
        except Wrong as wrong:
            faults.wrong(values, wrong)
            continue
        targets.append(Target(name, **{"hosts": (), "user": "", **TARGET.defaults, **found}))
    return tuple(sorted(targets, key=lambda target: target.name))


def _keep_node(node: Node, faults: Faults) -> Node:
    return node


@dataclass(frozen=True, slots=True)
class Site:
    """The hosts of one place, and the account there (PROF-14)."""

    hosts: tuple[str, ...] = declare(list_of(scalar(host_pattern)), "name patterns", "[]")
    account: str = declare(scalar(login), "who owns the trees of software", "")


@dataclass(frozen=True, slots=True)
class Allow:
    """A mix of profiles that is permitted where all that it says fits (PROF-82)."""

    reason: str = declare(scalar(word), "why it is permitted; in the log of each run that needs it")
    command: str = declare(scalar(name_pattern), "name pattern of the command", "", shown="any")
    version: str = declare(scalar(comparison), "which versions of it", "", shown="any")
    version_run: str = declare(scalar(word), "the command line that tells the version", "", shown="COMMAND --version")
    profile: str = declare(scalar(name_pattern), "name pattern of the profile that was chosen", "", shown="any")
    software: str = declare(scalar(name_pattern), "name pattern of the profile it mixes with", "", shown="any")
    host: str = declare(scalar(host_pattern), "name pattern of the host", "", shown="any")


def _read_allow(node: Node, faults: Faults) -> Allow:
    before = len(faults.found)
    rule: Allow = record_of(Keys(Allow))(node, faults)
    if len(faults.found) > before:
        return rule
    if not (rule.command or rule.profile or rule.software or rule.host):
        raise Wrong("it would permit everything", "name a command, profile, software or host")
    if (rule.version or rule.version_run) and not (rule.command and rule.version):
        raise Wrong("a version is that of a command", "give command, version and, if need be, version_run")
    return rule


def _read_renamed(node: Node, faults: Faults) -> tuple[tuple[str, str], ...]:
    """Return old and new names; a new one that is itself old makes a chain or a circle (PROF-13)."""
    pairs = map_of(profile_part, scalar(profile_part))(node, faults)
    names = dict(pairs)
    for old, value in entries_of(node):
        if isinstance(value, Scalar) and value.text in names:
            last = _follow(names, value.text)
            faults.error(value, f'"{value.text}" is an old name itself', f"write {old.text}: {last}" if last else "")
    return pairs


def _follow(names: dict[str, str], name: str) -> str:
    """Return what a name is called in the end, empty if it goes round in a circle."""
    for _ in names:
        if name not in names:
            return name
        name = names[name]
    return "" if name in names else name


@dataclass(frozen=True, slots=True)
class Base:
    """What is common to all profiles."""

    env: tuple[tuple[str, str], ...] = declare(map_of(variable, scalar(text)), "variables", "{}")
    activate: tuple[Activator, ...] = declare(list_of(read_activator), "what is activated before theirs", "[]")
    path: PathChange = declare(record_of(Keys(PathChange)), "changes of PATH", "{}")
    unset: tuple[str, ...] = declare(list_of(scalar(variable)), "names to take away", "[]")


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``envs/site.yaml`` says, its defaults filled in.

    Attributes
    ----------
    home
        The real path of the home.
    targets
        By name; where none is declared one, ``main``, of this host and user (CRON-20).
    state, database
        As written; empty: the default (see `state_of`, `database_of`).
    """

    home: Path
    name: str = declare(scalar(home_name), "of this home, in its crontab block", "", shown="its directory")
    state: str = declare(scalar(_path), "what runs leave", "", shown="state")
    database: str = declare(scalar(_database), "the ledger's URL", "", shown="SQLite in the state directory")
    group: str = declare(scalar(login), "who may read logs", "")
    mail: Mail = declare(_read_mail, "who is told, and how", "{}")
    slack: Slack | None = declare(none_or(record_of(Keys(Slack))), "the channel that gets the alerts too", "none")
    ping: str = declare(scalar(ping_address("host")), "address that hears of each sweep", "", shown="none")
    metrics: str = declare(scalar(_metrics_file), "file of metrics for Prometheus", "", shown="none")
    targets: tuple[Target, ...] = declare(_read_targets, "hosts and users whose crontabs we keep", "{}")
    sites: tuple[tuple[str, Site], ...] = declare(map_of(profile_part, record_of(Keys(Site))), "places", "{}")
    environments: tuple[str, ...] = declare(list_of(scalar(profile_part)), "parallel installations", "[]")
    layout: str = declare(scalar(word), "where the software trees of profiles are", "")
    base: Base = declare(record_of(Keys(Base)), "what is common to all profiles", "{}")
    capo: Capo = declare(record_of(Keys(Capo)), "where properties are looked for, and which are replicas", "{}")
    renamed: tuple[tuple[str, str], ...] = declare(_read_renamed, "old profile name: new one", "{}")
    allow: tuple[Allow, ...] = declare(list_of(_read_allow), "mixes of profiles that are permitted", "[]")
    guard: str = declare(scalar(choice("refuse", "warn")), "what a mix of profiles is: refused, or a line", "refuse")
    wrappers: tuple[tuple[str, str], ...] = declare(
        map_of(word, scalar(profile_part)), "env-wrapper of hand-written lines: the profile it stands for", "{}"
    )
    housekeeping: str = declare(scalar(choice("cron", "external")), "who starts the sweep", "cron")
    release: Release = declare(record_of(RELEASE), "what a commit must be and have to become a release", "{}")

    @property
    def base_env(self) -> tuple[tuple[str, str], ...]:
        """The variables that every job begins with (PROF-4)."""
        return tuple((dict(BASE_ENV) | dict(self.base.env)).items())

    def target_here(self, host: str, user: str) -> Target | None:
        """Return the target of `user` on `host`, the first of several."""
        return next((target for target in self.targets if target.fits(host, user)), None)

    def state_text(self, target: Target | None) -> str:
        """Return the state directory of a target as it is in a plan: absolute, or beginning ``{home}``.

        Without a target it is the home's own, whatever is declared, so that a developer's clone never
        opens production's (CRON-20).
        """
        declared = (target.state or self.state) if target else ""
        path = declared or "state"
        return path if path.startswith("/") else f"{{home}}/{path}"

    def state_of(self, target: Target | None) -> Path:
        """Return the state directory of a target on this machine."""
        return Path(self.state_text(target).replace("{home}", str(self.home), 1))

    def database_of(self, target: Target | None) -> str:
        """Return the URL of the ledger of a target."""
        declared = (target.database or self.database) if target else ""
        return declared or f"sqlite:///{self.state_of(target)}/{DATABASE}"


SETTINGS = Keys(Settings)


def parse_settings(data: bytes, home: Path, main: Target, faults: Faults) -> Settings | None:
    """Return the settings in `data`, with `main` as the target if it declares none; None if `faults` says why not."""
    before = len(faults.found)
    root = parse_document(data, faults)
    found = {}
    if root is not None and not is_empty(root):
        try:
            found = SETTINGS.read(root, faults)
        except Wrong as wrong:
            faults.wrong(root, wrong)
    if root is not None and "targets" in found and "name" not in found:
        faults.error(root, 'no "name"', "with targets a home needs one: what is compiled must not hang on a directory")
    if root is not None and "capo" in found and not has_errors(faults.found[before:]):
        master = dict(found.get("sites", ())).get(found["capo"].master)
        check_mirror(root, found["capo"], master.hosts if master else (), faults)
    if has_errors(faults.found[before:]):
        return None
    found.setdefault("name", name_after(home))
    found["targets"] = found.get("targets") or (main,)
    return Settings(home, **{**SETTINGS.defaults, **found})


def name_after(home: Path) -> str:
    """Return the name of a home that declares none: that of its directory, as far as it can be one.

    A release has that of its installation: one block of the crontab is for all releases.
    """
    return re.sub("[^A-Za-z0-9]+", "-", (find_base(home) or home).name).strip("-")[:32].strip("-") or "home"


def find_main_target() -> Target:
    """Return the target of a home that declares none: this host and this user."""
    return Target("main", **{**TARGET.defaults, "hosts": (read_host(),), "user": read_user()})


def read_settings(home: Path) -> Settings:
    """Return the settings of a home; one without ``envs/site.yaml`` has the defaults. Raises FaultsFound."""
    faults = Faults(SETTINGS_FILE)
    path = home / SETTINGS_FILE
    settings = parse_settings(path.read_bytes() if path.exists() else b"", home, find_main_target(), faults)
    check_faults(faults.found)
    assert settings is not None
    return settings
