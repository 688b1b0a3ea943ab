"""What a verifier says, in French: every English sentence of a verdict with its translation.

`{x}` stands for one word, `{x*}` for any text, `{x#}` for a number, `{x@}` for a time; they are
carried over as they are. `<x>` stands for a part that is translated in its turn, `<x,>` and
`<x;>` for a list of such parts. Names of findings stay English: the documents explain them.
"""

from __future__ import annotations

FRENCH_HEADLINES = {
    "proven": "PROUVÉ : ce qui est listé en premier est établi, et rien de ce qui a été remis ne "
    "le contredit.",
    "not-a-bundle": "PAS UN DOSSIER : il n'y a rien ici qui puisse être vérifié.",
    "cannot-tell": "INDÉCIDABLE : il manque quelque chose de nécessaire à une preuve.",
    "contradicted": "CONTREDIT : quelque chose ici n'est pas ce qui a été consigné.",
}
"""The first line of a verdict by its conclusion."""

FRENCH_TITLES = {
    "Contradicted": "Contredit",
    "Proven": "Prouvé",
    "Missing": "Manquant",
    "Not proven": "Non prouvé",
}

FRENCH_WORDS = {
    "device": "appareil",
    "dock": "station d'accueil",
    "service": "service",
    "person": "personne",
    "nobody": "personne",
    "no witness": "aucun témoin",
    "forward": "en avant",
    "back": "en arrière",
    "report": "le rapport",
    "exhibit": "la pièce",
    "examination": "l'examen",
    "decision": "la décision",
    "is": "figure",
    "are": "figurent",
    ", still sealed": ", encore scellé",
}
"""Single words that sentences are put together from."""

FRENCH_SENTENCES = {
    # What was confirmed, and by whom.
    "the log of {n#} entries existed no later than {at@}, confirmed by <who,> (<needed> needed)": (
        "le registre de {n#} entrées existait au plus tard le {at@}, confirmé par <who,> "
        "(il faut : <needed>)"
    ),
    "the log of {n#} entries is confirmed by <who,>; the policy asks for <needed>": (
        "le registre de {n#} entrées est confirmé par <who,> ; la politique exige : <needed>"
    ),
    "{name} on {at@}": "{name} le {at@}",
    "{n#} of {names*}": "{n#} parmi {names*}",
    "that anybody independent had to confirm anything: the policy asks for no witness, and whoever "
    "holds the log's key could have written another history": (
        "que quiconque d'indépendant ait dû confirmer quoi que ce soit : la politique n'exige "
        "aucun témoin, et le détenteur de la clé du registre aurait pu écrire une autre histoire"
    ),
    "the bundle holds all of <where>: none is left out": (
        "le dossier contient tout <where> : aucune entrée n'est omise"
    ),
    "<shown> of the bundle <are> in <where>, unaltered": (
        "<shown> du dossier <are> sans altération dans <where>"
    ),
    "the log {origin} of {n#} entries": "le registre {origin} de {n#} entrées",
    "entry {n#}": "l'entrée {n#}",
    "entries {n*}": "les entrées {n*}",
    "{n#} entries between {a#} and {b#}": "{n#} entrées entre {a#} et {b#}",
    "entry {n#} ({kind} {recording}) was signed by key {k#} of {who}, enrolled by entry {m#}; it "
    "claims the time {at@}": (
        "l'entrée {n#} ({kind} {recording}) a été signée par la clé {k#} de {who}, inscrite par "
        "l'entrée {m#} ; elle se dit du {at@}"
    ),
    "{who} signed a stop ({reason}) on {at@}": "{who} a signé un arrêt ({reason}) le {at@}",
    "numbers {a#} to {b#} of {who} are all there, from {at@} to {to@} by its clock": (
        "les numéros {a#} à {b#} de {who} sont tous présents, du {at@} au {to@} selon son horloge"
    ),
    "{recording} was erased by entry {n#}, approved by {who*}: {basis*}": (
        "{recording} a été effacé par l'entrée {n#}, approuvée par {who*} : {basis*}"
    ),
    "{recording} was erased by entry {n#}; who approved that is not proven: {basis*}": (
        "{recording} a été effacé par l'entrée {n#} ; qui l'a approuvé n'est pas prouvé : {basis*}"
    ),
    # Files and openings.
    "{name*} is, byte for byte, the recording {recording} of {who} logged as entry {n#}<sealed>": (
        "{name*} est, octet pour octet, l'enregistrement {recording} de {who} consigné par "
        "l'entrée {n#}<sealed>"
    ),
    "{name*} is, byte for byte, the <field> of the <kind> logged as entry {n#}": (
        "{name*} est, octet pour octet, <field> désigné par <kind> de l'entrée {n#}"
    ),
    "{name*} is the manifest of {recording} logged as entry {n#}<sealed>": (
        "{name*} est le manifeste de {recording} consigné par l'entrée {n#}<sealed>"
    ),
    "{name*} is, byte for byte, the redacted copy {result} logged as entry {n#}<sealed>: made from "
    "{recording}, and not the original": (
        "{name*} est, octet pour octet, la copie caviardée {result} consignée par l'entrée "
        "{n#}<sealed> : faite à partir de {recording}, et non l'original"
    ),
    "{field} of entry {n#} is: {value*}": "{field} de l'entrée {n#} : {value*}",
    "the opening of {field} does not fit what entry {n#} committed to": (
        "l'ouverture de {field} ne correspond pas à l'engagement de l'entrée {n#}"
    ),
    "the entry that the opening of {field} belongs to": (
        "l'entrée à laquelle appartient l'ouverture de {field}"
    ),
    "the entry with which {name*} could be compared": (
        "l'entrée à laquelle {name*} pourrait être comparé"
    ),
    "{name*} ({n#} bytes, SHA-256 {digest}) is not <names,> as logged": (
        "{name*} ({n#} octets, SHA-256 {digest}) n'est pas ce qui a été consigné : <names,>"
    ),
    "the exhibit or report of entry {n#}": "la pièce ou le rapport de l'entrée {n#}",
    "{name*} is not the sealed file of any entry here; whether it is the plain recording takes the "
    "salt of {names*}, which was not handed in or was destroyed": (
        "{name*} n'est le fichier scellé d'aucune entrée présente ; pour savoir si c'est "
        "l'enregistrement en clair, il faut le sel de {names*}, qui n'a pas été remis ou a été "
        "détruit"
    ),
    "the content of {recording} (entry {n#}): no file that fits it was handed in, only its entry "
    "was checked": (
        "le contenu de {recording} (entrée {n#}) : aucun fichier correspondant n'a été remis, "
        "seule l'entrée a été vérifiée"
    ),
    "what signatures inside {recording} said (entry {n#} noted {names*}): they were read when it "
    "came in, and nothing here rests on them": (
        "ce que disaient les signatures contenues dans {recording} (l'entrée {n#} a noté "
        "{names*}) : elles ont été lues à la réception, et rien ici ne repose sur elles"
    ),
    # What even an unbroken proof does not show.
    "claim level {level}: <words>": "niveau {level} : <words>",
    "the device itself signed first: what it was shown or fed before is not covered": (
        "l'appareil lui-même a signé le premier : ce qu'on lui a montré ou fourni auparavant n'est "
        "pas couvert"
    ),
    "the dock signed first: nothing before the docking is covered": (
        "la station d'accueil a signé la première : rien de ce qui précède n'est couvert"
    ),
    "the ingest signed first: nothing before it is covered": (
        "la réception a signé la première : rien de ce qui précède n'est couvert"
    ),
    "it was imported: nothing before the import is covered": (
        "il a été importé : rien de ce qui précède l'importation n'est couvert"
    ),
    "who signed {n#} of the entries {a#} to {b#}: entry {m#} says that the key of {who} may have "
    "been in other hands since {at@}": (
        "qui a signé {n#} des entrées {a#} à {b#} : l'entrée {m#} dit que la clé de {who} a pu "
        "être en d'autres mains depuis le {at@}"
    ),
    "that no later entry revoked a key, or erased or changed what is proven here: the bundle is "
    "only part of the log": (
        "qu'aucune entrée postérieure n'ait révoqué une clé, ni effacé ou modifié ce qui est "
        "prouvé ici : le dossier n'est qu'une partie du registre"
    ),
    "who holds the keys: entry 0, in which the founders name each other, is not in the bundle": (
        "qui détient les clés : l'entrée 0, où les fondateurs se nomment, n'est pas dans le dossier"
    ),
    "who signed: <text> (the bundle is only part of the log)": (
        "qui a signé : <text> (le dossier n'est qu'une partie du registre)"
    ),
    "<text> (the bundle is only part of the log)": (
        "<text> (le dossier n'est qu'une partie du registre)"
    ),
    "the time that the device claims: <text>": "l'heure que l'appareil affirme : <text>",
    # What a proof file or a policy lacks.
    "that these are the right witnesses: the policy was taken from the bundle itself, so who made "
    "the bundle chose whom to trust; get it from somebody else": (
        "que ce soient les bons témoins : la politique a été prise dans le dossier lui-même, donc "
        "l'auteur du dossier a choisi à qui se fier ; obtenez-la de quelqu'un d'autre"
    ),
    "{name*} proves an entry that is not in it": (
        "{name*} prouve une entrée qui n'y est pas contenue"
    ),
    "no proof file was handed in: none begins with {line}": (
        "aucun fichier de preuve n'a été remis : aucun ne commence par {line}"
    ),
    "the policy cannot be read: <error>": "la politique ne peut être lue : <error>",
    "the log {origin} is not in the policy": "le registre {origin} n'est pas dans la politique",
    "the checkpoint of {origin} has extension lines; this log never writes any, and not every "
    "cosignature covers them": (
        "le point de contrôle de {origin} a des lignes d'extension ; ce registre n'en écrit "
        "jamais, et toutes les cosignatures ne les couvrent pas"
    ),
    "the proof for leaf {n#} of {m#} leads to another root than the checkpoint's: the entry is not "
    "the one that was logged there, or the proof was altered": (
        "la preuve de l'entrée {n#} sur {m#} mène à une autre racine que celle du point de "
        "contrôle : l'entrée n'est pas celle qui y a été consignée, ou la preuve a été altérée"
    ),
    "the signature of {who} does not fit what is signed": (
        "la signature de {who} ne correspond pas à ce qui est signé"
    ),
    "no signature of {names*} under the note; one is needed": (
        "aucune signature de {names*} sous la note ; il en faut une"
    ),
    # Two histories.
    "{origin} signed two different logs of {n#} entries; keep both checkpoints: together they "
    "prove it to anybody": (
        "{origin} a signé deux registres différents de {n#} entrées ; conservez les deux points "
        "de contrôle : ensemble, ils le prouvent à quiconque"
    ),
    "two checkpoints of {origin} show different entries {n#}": (
        "deux points de contrôle de {origin} montrent des entrées {n#} différentes"
    ),
    "the first {n#} entries of {origin} are not those of its checkpoint of {m#} entries: it signed "
    "two histories": (
        "les {n#} premières entrées de {origin} ne sont pas celles de son point de contrôle de "
        "{m#} entrées : il a signé deux histoires"
    ),
}
"""English sentences of the verifier itself, each with the French one."""
