"""Ed25519 public keys under which anybody can sign anything.

Eight points of the curve are of small order. For each of them whole families of messages have
signatures that nobody needed a secret for, and for the neutral one every message has. RFC 8032
does not ask a verifier to refuse them, and OpenSSL and Go do not: whoever enrols such a key could
later say that somebody else signed.
"""

from __future__ import annotations

_PRIME = 2**255 - 19
# The vertical coordinate of the points of order 8; the other sign is its negative.
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# Both spellings of a number that has two below 2^255 are here.
_SMALL_ORDER = frozenset({
    0, 1, _PRIME - 1, _PRIME, _PRIME + 1, _ORDER_8, _PRIME - _ORDER_8,
})  # fmt: skip
_ALL_BUT_SIGN = (1 << 255) - 1


def is_weak_key(public: bytes) -> bool:
    """Whether an Ed25519 public key, 32 bytes, is of small order: it binds nobody."""
    return int.from_bytes(public, "little") & _ALL_BUT_SIGN in _SMALL_ORDER
