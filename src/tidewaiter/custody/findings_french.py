"""What the judge of a log finds, in French; the notation is that of `verdict_french`."""

from __future__ import annotations

FRENCH_FINDINGS = {
    # Where, and since when.
    "<text> after {at@} before {to@}": "<text>, après le {at@} et avant le {to@}",
    "<text> after {at@}": "<text>, après le {at@}",
    "<text> before {at@}": "<text>, avant le {at@}",
    "entry {n#}: <text>": "entrée {n#} : <text>",
    "entry {n#}, {kind}: <text>": "entrée {n#}, {kind} : <text>",
    "entry {n#} of {who} <text>": "l'entrée {n#} de {who} <text>",
    "entry {n#} of {who}: <text>": "l'entrée {n#} de {who} : <text>",
    # Signatures.
    "the signature is not by key {k#} of {who}": (
        "la signature n'est pas celle de la clé {k#} de {who}"
    ),
    "the signature is not by the founder {who}": "la signature n'est pas celle du fondateur {who}",
    "entry 0 was signed by {who}, who is not among the founders": (
        "l'entrée 0 a été signée par {who}, qui n'est pas parmi les fondateurs"
    ),
    "was signed by {who}, not by {other}": "a été signée par {who}, et non par {other}",
    "was signed by {who}, but {other} has a key of its own": (
        "a été signée par {who}, alors que {other} a sa propre clé"
    ),
    "was signed by {who}, which is a <kind> and no dock": (
        "a été signée par {who} (<kind>), qui n'est pas une station d'accueil"
    ),
    "cannot be attributed: <problem>": "ne peut être attribuée : <problem>",
    "does not count: <problem>": "ne compte pas : <problem>",
    "entry {n#} claims the level {level}, but {who}, which signed it, is a <kind>": (
        "l'entrée {n#} affirme le niveau {level}, mais {who}, qui l'a signée, est : <kind>"
    ),
    "claims a time {s#} s after witnesses had confirmed it": (
        "affirme une heure postérieure de {s#} s à sa confirmation par les témoins"
    ),
    "the clock of {who} was off by {s#} s when it was docked": (
        "l'horloge de {who} était décalée de {s#} s lors du dépôt à la station"
    ),
    # Keys.
    "no entry before {n#} enrols key {k#} of {who}": (
        "aucune entrée avant {n#} n'inscrit la clé {k#} de {who}"
    ),
    "key {k#} of {who} was revoked by entry {n#}": (
        "la clé {k#} de {who} a été révoquée par l'entrée {n#}"
    ),
    "key {k#} of {who} was replaced by entry {n#}": (
        "la clé {k#} de {who} a été remplacée par l'entrée {n#}"
    ),
    "entry {n#} names founders; only entry 0 may": (
        "l'entrée {n#} nomme des fondateurs ; seule l'entrée 0 le peut"
    ),
    "the founding entry names a founder, or a key, twice": (
        "l'entrée fondatrice nomme deux fois un fondateur ou une clé"
    ),
    "the founding entry names a key for which anybody can sign": (
        "l'entrée fondatrice nomme une clé pour laquelle n'importe qui peut signer"
    ),
    "anybody can sign for the key that entry {n#} gives {who}": (
        "n'importe qui peut signer pour la clé que l'entrée {n#} donne à {who}"
    ),
    "the key that entry {n#} gives {who} is already that of {other}": (
        "la clé que l'entrée {n#} donne à {who} est déjà celle de {other}"
    ),
    "entry {n#} enrols key {k#} of {who}, which has key {m#}": (
        "l'entrée {n#} inscrit la clé {k#} de {who}, qui a déjà la clé {m#}"
    ),
    "entry {n#} makes {who} another <kind> than it was before": (
        "l'entrée {n#} fait de {who} autre chose que ce qu'il était (<kind>)"
    ),
    "entry {n#}, a record of {other}, rotates a key of {who}": (
        "l'entrée {n#}, dans la chaîne de {other}, remplace une clé de {who}"
    ),
    "entry {n#} rotates key {k#} of {who} to another epoch than the next": (
        "l'entrée {n#} remplace la clé {k#} de {who} par une autre que la suivante"
    ),
    "entry {n#} revokes the keys of {who} without being a person's": (
        "l'entrée {n#} révoque les clés de {who} sans être celle d'une personne"
    ),
    "entry {n#} revokes the keys of {who}, which has none": (
        "l'entrée {n#} révoque les clés de {who}, qui n'en a pas"
    ),
    # Approvals.
    "approved by <who,>; two people of different roles needed": (
        "approuvé par <who,> ; il faut deux personnes de rôles différents"
    ),
    "approved by <who,>; two people of different roles needed (<why;>)": (
        "approuvé par <who,> ; il faut deux personnes de rôles différents (<why;>)"
    ),
    "the founding entry is signed by fewer than two of the people it names": (
        "l'entrée fondatrice est signée par moins de deux des personnes qu'elle nomme"
    ),
    "all founders have one role; two roles needed": (
        "tous les fondateurs ont un seul rôle ; il en faut deux"
    ),
    "the founding entry is not signed by {names*}": (
        "l'entrée fondatrice n'est pas signée par {names*}"
    ),
    "{who} is a <kind>, not a person": "{who} n'est pas une personne (<kind>)",
    "{who} has the role {role}, which approves nothing": (
        "{who} a le rôle {role}, qui n'approuve rien"
    ),
    "{who} is who asked for it": "{who} est l'auteur de la demande",
    "the signature of {who} is not over this action": (
        "la signature de {who} ne porte pas sur cette action"
    ),
    "all who approved have the role {role}": "tous les approbateurs ont le rôle {role}",
    "{who} approved twice": "{who} a approuvé deux fois",
    "entry {n#} uses the approvals given for entry {m#} again": (
        "l'entrée {n#} réutilise les approbations données pour l'entrée {m#}"
    ),
    # Chains of devices, and what is missing in them.
    "is the medium of entry {m#} again": "est de nouveau le contenu de l'entrée {m#}",
    "the clock of {who} went <way> by {s#} s between numbers {a#} and {b#}": (
        "l'horloge de {who} est allée <way> de {s#} s entre les numéros {a#} et {b#}"
    ),
    "number {n#} of {who} is logged again by entry {m#}": (
        "le numéro {n#} de {who} est consigné de nouveau par l'entrée {m#}"
    ),
    "number {n#} of {who} is used for a second record with other content by entry {m#}": (
        "le numéro {n#} de {who} est utilisé par l'entrée {m#} pour un second contenu"
    ),
    "number {n#} of {who} (entry {m#}) does not name number {a#} as logged (entry {b#})": (
        "le numéro {n#} de {who} (entrée {m#}) ne désigne pas le numéro {a#} tel que consigné "
        "(entrée {b#})"
    ),
    "number {n#} of {who} (entry {m#}) is its first and yet names one before it": (
        "le numéro {n#} de {who} (entrée {m#}) est son premier et en désigne pourtant un précédent"
    ),
    "the file numbers of camera {who} jump from {a#} to {b#}: files {c#} to {d#} were not docked": (
        "les numéros de fichier de la caméra {who} sautent de {a#} à {b#} : les fichiers {c#} à "
        "{d#} n'ont pas été déposés"
    ),
    "the file numbers of camera {who} jump from {a#} to {b#}: file {c#} was not docked": (
        "les numéros de fichier de la caméra {who} sautent de {a#} à {b#} : le fichier {c#} n'a "
        "pas été déposé"
    ),
    "number {n#} is missing from the records of {who}": (
        "le numéro {n#} manque parmi les entrées de {who}"
    ),
    "numbers {a#} to {b#} are missing from the records of {who}": (
        "les numéros {a#} à {b#} manquent parmi les entrées de {who}"
    ),
    "{who} was to record {what}; {s#} s are missing": (
        "{who} devait enregistrer {what} ; il manque {s#} s"
    ),
    "the unit {who} was to record {what}; {s#} s are missing": (
        "l'unité {who} devait enregistrer {what} ; il manque {s#} s"
    ),
    "{who} has not been heard from since, and signed no stop": (
        "{who} n'a plus donné signe depuis, et n'a signé aucun arrêt"
    ),
    "{who} was silent for {s#} s, and signed no stop before": (
        "{who} est resté muet {s#} s, sans avoir signé d'arrêt auparavant"
    ),
    # How long recordings are kept.
    "entry {n#} erases {recording}, which no entry before it brought in": (
        "l'entrée {n#} efface {recording}, qu'aucune entrée antérieure n'a fait entrer"
    ),
    "entry {n#} erases {recording} while a hold on it is in force": (
        "l'entrée {n#} efface {recording} alors qu'un gel le protège"
    ),
    "entry {n#} erases {recording} {d#} days before its date; <lacking>": (
        "l'entrée {n#} efface {recording} {d#} jours avant son terme ; <lacking>"
    ),
    "no entry before it brings in {recording}": (
        "aucune entrée antérieure ne fait entrer {recording}"
    ),
}
"""English sentences of the judge, and the parts that they are put together from."""
