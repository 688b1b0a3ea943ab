"""A protocol and a list of people to begin with, commented."""

from __future__ import annotations

PROTOCOL_FILE, PEOPLE_FILE = "protocol.toml", "identities.csv"

PROTOCOL = """\
# The protocol of an audit. `tidewaiter audit plan protocol.toml` checks it and sends nothing.
audit = "gate-1"               # a name for the report
people = "identities.csv"      # beside this file; one row per picture
# targets = ["anna"]           # who is impersonated; without it everybody authorised

[target]
adapter = "dlib"               # dlib, faceres: here, free; exec, rest, rekognition, azure …
mode = "verify"                # verify (1:1) or identify (1:N)
score = "distance"             # scale of `given`: similarity or distance
threshold = { given = 0.6, fmr = [0.001, 0.0001] }   # given: the one in service
# [target.options]             # the adapter's own keys; secrets are named, never written:
# key_env = "GATE_KEY"         # docs/howto/audit-adapters.md

# [[also]]                     # a further recogniser, which morphs meet, too
# adapter = "faceres"
# options = { model = "models" }

# [capture]                    # genuine and forged pictures saved alike, as your camera does
# jpeg = 90

# [gate]                       # what stands before the service; without it none
# detector = "face.manipulation_network"   # or opinion = "face.manipulated", program = ["./gate"],
#                              # network = "gate-3" (a folder of `tidewaiter fit gate`)
# bpcer = 0.05                 # share of genuine pictures it may reject
# on_decline = "reject"        # a picture that it will not judge: reject or pass

[[attacks]]
species = "swap-feather"
seeds = [1]                    # each pair is forged once per seed
pairs = { lookalike = 1, random = 3 }

[[attacks]]
species = "morph-complete"
pairs = { lookalike = 1, random = 3 }
# alpha = [0.3, 0.5]           # the target's part; without it drawn from the seed
references = 2                 # pictures of each contributor that a morph meets

[[attacks]]
species = "recapture-screen"

[licit]
zero_effort = 40               # impostors without an attack, per enrolled person
lookalike = 1

[split]
calibrate = 0.4                # share of people who set thresholds and the gate's cut
seed = 1
hold_out_species = []          # species that nobody used to make the gate

[limits]
max_calls = 5000
max_cost = "8.00 EUR"          # checked before every call
price_per_call = 0.0           # needed for services that may cost money
# rps = 4                      # calls a second
retries = 5
on_doubt = "resend"            # a call whose reply was lost in a crash: resend or leave
"""

PEOPLE = """\
id,file,role,consent,authorised,part,sex,age
anna,people/anna-1.jpg,enrol,signed 2026-03-02,yes,,f,40-49
anna,people/anna-2.jpg,probe,signed 2026-03-02,yes,,f,40-49
anna,people/anna-3.jpg,probe,signed 2026-03-02,yes,,f,40-49
"""
