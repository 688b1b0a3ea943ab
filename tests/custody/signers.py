"""Keys of a log and its witnesses for tests; every seed is its name's hash."""

import hashlib

from tidewaiter.custody.keys import (
    ED25519_COSIGNATURE,
    ED25519_NOTE,
    SigningKey,
)

ORIGIN = "custody.customs.example/2026"


def key(name, algorithm=ED25519_NOTE):
    return SigningKey(name, algorithm, hashlib.sha256(f"{algorithm} {name}".encode()).digest())


LOG = key(ORIGIN)
VIGILANCE = key("vigilance.customs.example", ED25519_COSIGNATURE)
AUDIT = key("audit.example", ED25519_COSIGNATURE)
WCO = key("wco.example/w1", ED25519_COSIGNATURE)
POLICY = f"""# who confirms what this log says
log     {LOG.verifier} https://log.example/
witness vigilance {VIGILANCE.verifier}
witness audit     {AUDIT.verifier} https://audit.example/w
witness wco       {WCO.verifier}
group   outside 2 vigilance audit wco
quorum  outside
""".encode()
