"""Marks that image generators leave in the words of a file."""

from __future__ import annotations

import re

# Keywords under which web interfaces of diffusion models store how a picture was made.
_RECIPE_KEYWORDS = frozenset(
    {"invokeai_metadata", "invokeai_graph", "sd-metadata", "dream", "generation_data"}
)
_RECIPE_WORDS = re.compile(r"\bSteps: ?\d+, ?(?:Sampler|Schedule|CFG scale|Seed)", re.IGNORECASE)
_NODE_WORDS = re.compile(r'"(?:class_type|nodes)"\s*:')
_NAMES = re.compile(
    r"stable diffusion|automatic1111|comfyui|invokeai|novelai|midjourney|dall[-·]e\b|openai|"
    r"adobe firefly|made with google ai|leonardo\.ai|ideogram|bing image creator|dreamstudio",
    re.IGNORECASE,
)
# IPTC NewsCodes, digital source types that say that a model made the picture or part of it.
GENERATED_SOURCES = frozenset(
    {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "compositeSynthetic",
        "algorithmicMedia",
    }
)


def holds_recipe(keyword: str, words: str) -> bool:
    """Whether words of a file are the settings with which a generator made the picture."""
    name = keyword.lower()
    if name in _RECIPE_KEYWORDS:
        return True
    if name in ("prompt", "workflow"):
        return bool(_NODE_WORDS.search(words))
    return bool(_RECIPE_WORDS.search(words))


def names_generator(words: str) -> bool:
    """Whether a program named in a file is known as an image generator."""
    return bool(_NAMES.search(words))


def generated_source(source: str) -> bool:
    """Whether an IPTC digital source type, a URL or its last part, names a model."""
    return source.rpartition("/")[2] in GENERATED_SOURCES
