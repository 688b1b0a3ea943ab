"""A log for tests of witnesses: leaves, roots, and the requests its operator would send."""

from tests.custody.signers import LOG, ORIGIN
from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.witness import AddCheckpoint


class SmallLog:
    """A history named by a label; two labels that share a beginning share its leaves."""

    def __init__(self, label="honest", forked_at=0, signer=LOG, origin=ORIGIN):
        self.label, self.forked_at, self.signer, self.origin = label, forked_at, signer, origin
        self.tree = Tree()

    def grow(self, size):
        for index in range(self.tree.size, size):
            label = self.label if index >= self.forked_at else "honest"
            self.tree.append(leaf_hash(f"{label} {index}".encode()))
        return self

    def checkpoint(self, size):
        self.grow(size)
        return Checkpoint(self.origin, size, self.tree.root(size))

    def note(self, size):
        return sign_checkpoint(self.checkpoint(size), self.signer)

    def proof(self, old, new):
        self.grow(new)
        return self.tree.consistency_proof(old, new) if old <= new else []

    def request(self, old, new):
        return AddCheckpoint(old, tuple(self.proof(old, new)), self.note(new)).encoded


class ForgetfulBook:
    """A WitnessBook in memory, for one thread."""

    def __init__(self):
        self.states, self.requests = {}, []

    def last(self, origin):
        return self.states.get(origin)

    def step(self, origin, judge):
        answer = judge(self.states.get(origin))
        if answer.remember is not None:
            self.states[origin] = answer.remember
        return answer

    def keep(self, origin, time_s, suspect):
        self.requests.append((origin, time_s, suspect.reason, suspect.request))
