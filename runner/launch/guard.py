"""The mixing guard: all that a command is about to use must be of the profile that was chosen (PROF-80 to PROF-83).

What it must know of the home is compiled into ``home.plan``, as lines ``guard_KIND VALUE``; a home that declares
neither the layout of its software nor the hosts of its sites has none, and pays nothing.
"""

from __future__ import annotations

from runner.launch.environment import expand_path, find_program, real_path
from runner.launch.hosts import find_sites, matches, matches_host
from runner.launch.outcome import CannotStart

RULE_KEYS = ("command", "version", "version_run", "profile", "software", "host")
_PRODUCTION = "prod"
_NOWHERE = "-"
_USER_ERROR = 2


class Member:
    """A profile as the guard knows it: site, environment, and the tree of its software for `expand_path`."""

    __slots__ = ("environment", "name", "site", "tree")

    def __init__(self, name: str) -> None:
        self.name = name
        self.site = ""
        self.environment = ""
        self.tree = ""


class Rule:
    """A mix that is permitted where all of `RULE_KEYS` that are not empty fit (PROF-82)."""

    __slots__ = (*RULE_KEYS, "reason")

    command: str
    version: str
    version_run: str
    profile: str
    software: str
    host: str

    def __init__(self, reason: str) -> None:
        self.reason = reason
        for key in RULE_KEYS:
            setattr(self, key, "")


class Guard:
    """What a home declares: ``mode`` (``refuse warn``), sites with their host patterns, all profiles, the rules."""

    __slots__ = ("members", "mode", "rules", "sites")

    def __init__(self) -> None:
        self.mode = "refuse"
        self.sites: list[tuple[str, list[str]]] = []
        self.members: dict[str, Member] = {}
        self.rules: list[Rule] = []


class Start:
    """What is about to start.

    Attributes
    ----------
    profile, capo_profile
        The profile that was chosen, and the CAPO_PROFILE that it sets.
    environment
        As the command will find it.
    programs
        The absolute names of all commands that it will be; none where a person's shell is activated.
    host, home
        The host's full name; the home.
    """

    __slots__ = ("capo_profile", "environment", "home", "host", "profile", "programs")

    def __init__(
        self,
        profile: str,
        environment: dict[str, str],
        programs: list[str],
        host: str,
        home: str,
        capo_profile: str = "",
    ) -> None:
        self.profile = profile
        self.capo_profile = capo_profile or profile
        self.environment = environment
        self.programs = programs
        self.host = host
        self.home = home


class Verdict:
    """What the guard says.

    Attributes
    ----------
    refusal
        Why nothing may start, empty if it may.
    warnings
        What would have been refused, but for ``guard: warn``.
    allowed
        The rules that were needed, for the log.
    """

    __slots__ = ("allowed", "refusal", "warnings")

    def __init__(self) -> None:
        self.refusal = ""
        self.warnings: list[str] = []
        self.allowed: list[str] = []


class Mix:
    """Something that is not of the profile chosen: what it is, whose (empty: of another site), and all in words."""

    __slots__ = ("owner", "text")

    def __init__(self, what: str, owner: str, wanted: str, *, is_site: bool = False) -> None:
        self.owner = "" if is_site else owner
        self.text = f"mixed: {what} belongs to {owner}, not {wanted}"


def encode_guard(guard: Guard) -> list[tuple[str, str]]:
    """Return the pairs of a guard; what is empty is not written."""
    pairs = [] if guard.mode == "refuse" else [("mode", guard.mode)]
    for name, patterns in guard.sites:
        pairs += [("site", name), *[("site_host", pattern) for pattern in patterns]]
    for member in guard.members.values():
        pairs.append(("profile", member.name))
        pairs += [(f"profile_{key}", getattr(member, key)) for key in ("site", "environment", "tree")]
    for rule in guard.rules:
        pairs.append(("allow", rule.reason))
        pairs += [(f"allow_{key}", getattr(rule, key)) for key in RULE_KEYS]
    return [pair for pair in pairs if pair[1]]


def decode_guard(pairs: list[tuple[str, str]]) -> Guard:
    """Return the guard of its pairs; ValueError if one of them means nothing."""
    guard = Guard()
    member, rule = Member(""), Rule("")
    for kind, value in pairs:
        owner, _, key = kind.partition("_")
        if kind == "mode":
            guard.mode = value
        elif kind == "site":
            guard.sites.append((value, []))
        elif kind == "site_host" and guard.sites:
            guard.sites[-1][1].append(value)
        elif kind == "profile":
            member = guard.members[value] = Member(value)
        elif kind == "allow":
            rule = Rule(value)
            guard.rules.append(rule)
        elif owner == "profile" and key in Member.__slots__:
            setattr(member, key, value)
        elif owner == "allow" and key in RULE_KEYS:
            setattr(rule, key, value)
        else:
            raise ValueError(f"it has a line 'guard_{kind}' that means nothing there")
    return guard


def check_mix(guard: Guard, start: Start, tell_version: Callable[[str, str], str]) -> Verdict:
    """Return whether all that is about to be used is of one profile (PROF-80), of the site of this host (PROF-81).

    Parameters
    ----------
    tell_version
        Returns the version of a program, given its name and the command line that tells it (empty: ``--version``);
        empty if it cannot be found out. Called only where a rule asks for it.
    """
    verdict = Verdict()
    member = guard.members.get(start.profile)
    is_lenient = guard.mode == "warn" and member is not None and member.environment != _PRODUCTION
    roots = _find_roots(guard, start.home)
    shared = _find_mixes(start, roots)
    if member:
        shared += _find_site_mix(guard, start, member)
    for program in start.programs or [""]:
        name = program.rpartition("/")[2]
        owner = _find_owner(program, roots, start.profile)
        own = [Mix(name, owner, start.profile)] if owner else []
        for mix in own + shared:
            rule = next((rule for rule in guard.rules if _permits(rule, mix, program, start, tell_version)), None)
            if rule:
                _add(verdict.allowed, f"mix allowed: {rule.reason}")
            elif is_lenient:
                _add(verdict.warnings, mix.text)
            else:
                verdict.refusal = verdict.refusal or mix.text
    return verdict


def _add(lines: list[str], line: str) -> None:
    if line not in lines:
        lines.append(line)


def _find_mixes(start: Start, roots: list[tuple[str, str]]) -> list[Mix]:
    """Return what in the environment is another profile's."""
    environment, profile = start.environment, start.profile
    mixes = []
    properties = environment.get("CAPO_PROFILE", "")
    if properties not in ("", start.capo_profile):
        mixes.append(Mix("CAPO_PROFILE", properties, start.capo_profile))
    places = [
        (f"{name} {path}", path) for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if (path := environment.get(name, ""))
    ]
    places += [(f"{path} on PATH", path) for path in environment.get("PATH", "").split(":")]
    for what, path in places:
        owner = _find_owner(path, roots, profile)
        if owner:
            mixes.append(Mix(what, owner, profile))
    return mixes


def _find_site_mix(guard: Guard, start: Start, member: Member) -> list[Mix]:
    """Return that the host is another site's, if the profile's site says which hosts are its own (PROF-81)."""
    if not dict(guard.sites).get(member.site):
        return []
    sites = find_sites(guard.sites, start.host)
    if sites == [member.site]:
        return []
    return [Mix(f"host {start.host}", " and ".join(sites) or "no site", member.site, is_site=True)]


def _find_roots(guard: Guard, home: str) -> list[tuple[str, str]]:
    """Return where software lies on this machine, and whose it is: by name and, where links lead elsewhere, really."""
    starts: dict[str, str] = {}  # the password database may be far away: of each account it is asked once
    roots = []
    for member in guard.members.values():
        start, slash, rest = member.tree.partition("/")
        if start not in starts:
            starts[start] = _expand(start, home)
        # Only at its start is ~ an account.
        end = _expand(slash + rest, home)
        if member.tree and _NOWHERE not in (starts[start], end):
            tree = starts[start] + end
            roots += [(f"{place.rstrip('/')}/", member.name) for place in (tree, _follow(tree))]
    return roots


def _expand(path: str, home: str) -> str:
    try:
        return expand_path(path, home)
    except CannotStart:
        return _NOWHERE  # this machine has no such account, and nothing of it


def _find_owner(path: str, roots: list[tuple[str, str]], profile: str) -> str:
    """Return whose software a path is, by its name or by where it leads; empty if nobody's, or that of `profile`."""
    if path[:1] != "/":
        return ""
    for place in (path, _follow(path)):
        fitting = [(len(root), owner) for root, owner in roots if f"{place}/".startswith(root)]
        owners = [owner for length, owner in fitting if length == max(fitting)[0]]
        if owners and profile not in owners:
            return owners[0]
    return ""


def _follow(path: str) -> str:
    try:
        return real_path(path)
    except OSError:
        return path


def _permits(rule: Rule, mix: Mix, program: str, start: Start, tell_version: Callable[[str, str], str]) -> bool:
    """Whether all that a rule says fits; of hosts it permits only what it names."""
    if rule.host and not matches_host([rule.host], start.host):
        return False
    if not mix.owner and (not rule.host or rule.software):
        return False
    texts = ((rule.command, program.rpartition("/")[2]), (rule.profile, start.profile), (rule.software, mix.owner))
    if not all(not pattern or matches(pattern, text) for pattern, text in texts):
        return False
    if not rule.version:
        return True
    from runner.launch.version import compare_versions, split_comparison

    found = tell_version(program, rule.version_run)
    return bool(found) and compare_versions(found, *split_comparison(rule.version))


def guard_run(run: Run, environment: dict[str, str], steps: list[Step]) -> list[str]:
    """Return what must be said of a run that may start; CannotStart with the reason if it must not."""
    assert run.stopper
    programs = [_name_program(step.words[0], environment, run.place.home) for step in steps]
    verdict = _judge(run.place, run.plan.activation, run.plan.profile, environment, programs, run.stopper)
    for line in verdict.allowed:
        run.log.write_comment(line)
    if verdict.refusal:
        raise CannotStart(verdict.refusal)
    return verdict.warnings


def guard_command(
    place: Place, activation: Activation, profile: str, environment: dict[str, str], programs: list[str]
) -> list[str]:
    """Return what must be said before a command without a job starts, or a shell is activated (no `programs`).

    CannotStart with code 2, the user's mistake, if it must not.
    """
    if not place.plan.guard and environment.get("CAPO_PROFILE", profile) == profile:
        return []
    from runner.launch.attempt import Stopper

    stopper = Stopper()
    try:
        named = [_name_program(program, environment, place.home) for program in programs]
        verdict = _judge(place, activation, profile, environment, named, stopper)
    finally:
        stopper.let_go()
    if verdict.refusal:
        raise CannotStart(verdict.refusal, _USER_ERROR)
    return verdict.warnings


def _judge(
    place: Place,
    activation: Activation,
    profile: str,
    environment: dict[str, str],
    programs: list[str],
    stopper: Stopper,
) -> Verdict:
    try:
        guard = decode_guard(place.plan.guard)
    except ValueError as error:
        raise CannotStart(f"no usable home.plan: {error}") from None
    capo_profile = [change.value for change in activation.changes if change.name == "CAPO_PROFILE"][-1:]
    start = Start(profile, environment, programs, place.host, place.home, "".join(capo_profile))
    versions: dict[tuple[str, str], str] = {}

    def tell_version(program: str, command: str) -> str:
        if (program, command) not in versions:
            from runner.launch.version import ask_version

            versions[program, command] = ask_version(program, command, environment, place.home, stopper)
        return versions[program, command]

    return check_mix(guard, start, tell_version)


def _name_program(word: str, environment: dict[str, str], home: str) -> str:
    """Return the file of a command; one that cannot be found is refused in its turn."""
    try:
        return find_program(word, environment.get("PATH", ""), home)
    except CannotStart:
        return word


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.launch.activation import Activation
    from runner.launch.attempt import Stopper
    from runner.launch.gates import Place
    from runner.launch.plan import Step
    from runner.launch.records import Run
