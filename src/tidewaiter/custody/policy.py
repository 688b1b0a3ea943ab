"""Trust policies: which logs are known, which witnesses, and how many of these must agree.

The file is C2SP tlog-policy. Its words are bytes, compared as bytes. What counts towards the
quorum is distinct witnesses of the policy: never lines, and never the log's own signature.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from tidewaiter.custody.cosignature import COSIGNATURE_TYPES
from tidewaiter.custody.exact import changed_line_ends, must_be_short, quoted
from tidewaiter.custody.keys import ED25519_NOTE, VerifierKey
from tidewaiter.errors import MalformedText

NO_QUORUM = "none"
"""What a policy names as its quorum when nobody independent needs to confirm anything."""
LARGEST_POLICY_BYTES = 1 << 18
# Tab, newline and everything from space on but delete.
_ALLOWED = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_THRESHOLD = re.compile(rb"[1-9][0-9]{0,5}")


@dataclass(frozen=True)
class PolicyLog:
    """A log that is known: its key, whose name is the origin, and perhaps its address."""

    key: VerifierKey
    url: str


@dataclass(frozen=True)
class PolicyWitness:
    """A witness that is known, under the name by which the policy counts it."""

    name: str
    key: VerifierKey
    url: str


@dataclass(frozen=True)
class PolicyGroup:
    """A group that has confirmed once `threshold` of its members have."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Who is trusted, and the name of the witness or group whose confirmation is needed."""

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[PolicyGroup, ...]
    quorum: str

    @classmethod
    def parse(cls, data: bytes) -> Policy:
        """Read a policy file. Raises MalformedText, which names the line and the rule."""
        must_be_short(data, LARGEST_POLICY_BYTES, "the policy")
        if not _ALLOWED.fullmatch(data):
            raise MalformedText(
                "the policy holds a control character other than tab and "
                f"newline{changed_line_ends(data)}"
            )
        reading = _PolicyReading()
        for number, line in enumerate(data.split(b"\n"), 1):
            words = re.findall(rb"[^ \t]+", line)
            if words and not words[0].startswith(b"#"):
                try:
                    reading.take(words)
                except MalformedText as error:
                    raise MalformedText(f"line {number} of the policy: {error}") from error
        return reading.finished()

    @property
    def needs_witnesses(self) -> bool:
        """Whether anybody independent must have confirmed a checkpoint."""
        return self.quorum != NO_QUORUM

    def quorum_met(self, confirmed: AbstractSet[str]) -> bool:
        """Whether these witnesses, by their names in this policy, are enough."""
        if not self.needs_witnesses:
            return True
        met = {witness.name for witness in self.witnesses if witness.name in confirmed}
        # Members are defined before their group, so one pass in the file's order is enough.
        for group in self.groups:
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(group.name)
        return self.quorum in met

    @property
    def needed_words(self) -> str:
        """What the quorum asks for, in words: “2 of vigilance, audit, wco”."""
        words = {witness.name: shown_name(witness.name) for witness in self.witnesses}
        groups = {group.name for group in self.groups}
        # Members are defined before their group; one pass keeps deep nesting off the stack.
        for group in self.groups:
            members = [
                f"({words[member]})" if member in groups else words[member]
                for member in group.members
            ]
            words[group.name] = f"{group.threshold} of {', '.join(members)}"
        return words.get(self.quorum, self.quorum)


def shown_name(name: str) -> str:
    """A policy's name as it can be printed: bytes that are no UTF-8 become question marks."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@dataclass
class _PolicyReading:
    """The lines of a policy so far."""

    logs: list[PolicyLog] = field(default_factory=list)
    witnesses: list[PolicyWitness] = field(default_factory=list)
    groups: list[PolicyGroup] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)

    def take(self, words: list[bytes]) -> None:
        kinds: dict[bytes, Callable[[list[bytes]], None]] = {
            b"log": self._log,
            b"witness": self._witness,
            b"group": self._group,
            b"quorum": self._quorum,
        }
        if words[0] not in kinds:
            raise MalformedText(f"{quoted(words[0])} is none of log, witness, group, quorum")
        kinds[words[0]](words[1:])

    def finished(self) -> Policy:
        if self.quorum is None:
            raise MalformedText("the policy has no quorum line; exactly one is needed")
        return Policy(tuple(self.logs), tuple(self.witnesses), tuple(self.groups), self.quorum)

    def _log(self, words: list[bytes]) -> None:
        if len(words) not in {1, 2}:
            raise MalformedText("“log <vkey> [<url>]” is needed")
        key = VerifierKey.parse(words[0])
        if key.algorithm != ED25519_NOTE:
            raise MalformedText(f"the key {key.name} is not of the type 0x01, a log's")
        self._must_be_new_key(key)
        self.logs.append(PolicyLog(key, _policy_word(words[1]) if words[1:] else ""))

    def _witness(self, words: list[bytes]) -> None:
        if len(words) not in {2, 3}:
            raise MalformedText("“witness <name> <vkey> [<url>]” is needed")
        name, key = self._new_name(words[0]), VerifierKey.parse(words[1])
        if key.algorithm not in COSIGNATURE_TYPES:
            raise MalformedText(f"the key {key.name} is not of the type 0x04 or 0x06, a witness's")
        self._must_be_new_key(key)
        url = _policy_word(words[2]) if words[2:] else ""
        self.witnesses.append(PolicyWitness(name, key, url))
        self.names.add(name)

    def _group(self, words: list[bytes]) -> None:
        if len(words) < 3:
            raise MalformedText("“group <name> <k|any|all> <member>…” is needed")
        name = self._new_name(words[0])
        members = tuple(self._new_member(word) for word in words[2:])
        self.groups.append(PolicyGroup(name, _threshold(words[1], len(members)), members))
        self.names.add(name)

    def _quorum(self, words: list[bytes]) -> None:
        if len(words) != 1:
            raise MalformedText("“quorum <name>” is needed")
        if self.quorum is not None:
            raise MalformedText("a second quorum line; exactly one is needed")
        name = _policy_word(words[0])
        if name != NO_QUORUM and name not in self.names:
            raise MalformedText(f"the quorum {quoted(words[0])} is not defined above")
        self.quorum = name

    def _new_name(self, word: bytes) -> str:
        name = _policy_word(word)
        if name == NO_QUORUM or name in self.names:
            raise MalformedText(f"the name {quoted(word)} is taken already")
        return name

    def _new_member(self, word: bytes) -> str:
        name = _policy_word(word)
        if name not in self.names:
            raise MalformedText(f"the member {quoted(word)} is not defined above")
        if name in self.members:
            raise MalformedText(f"{quoted(word)} is a member already; a name may be one only once")
        self.members.add(name)
        return name

    def _must_be_new_key(self, key: VerifierKey) -> None:
        listed = [log.key for log in self.logs] + [witness.key for witness in self.witnesses]
        for known in listed:
            if known.public == key.public:
                raise MalformedText(
                    f"the key of {key.name} is listed already, as {known.name}: "
                    "one key cannot count twice"
                )


def _threshold(word: bytes, members: int) -> int:
    if word == b"any":
        return 1
    if word == b"all":
        return members
    if not _THRESHOLD.fullmatch(word) or int(word) > members:
        raise MalformedText(f"the threshold {quoted(word)} is not 1 to {members}, any or all")
    return int(word)


def _policy_word(word: bytes) -> str:
    """Names are opaque bytes; bytes that are no UTF-8 stay apart from all that are."""
    return word.decode("utf-8", "surrogateescape")
