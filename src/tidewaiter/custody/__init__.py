"""The tamper-evident log of recordings: its tree, its notes, its witnesses and its verifier."""
