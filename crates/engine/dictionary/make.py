"""Makes ../src/lexicon/general.txt: the ordinary words of the language, each with a cost and a part of speech.

    pip download --no-deps --no-binary :all: jieba==0.42.1 && tar xzf jieba-0.42.1.tar.gz
    python3 make.py jieba-0.42.1/jieba/dict.txt

The source is the frequency list of jieba (MIT, see LICENSE beside this file). Kept are words that its use here needs:
the engine's own tables bring the words of finance, `region.tsv` the places, and recognizers the numbers, dates and names.
A word that two others make up (小额 + 贷款) is left out: what is said of its parts is said of it.

What smaller costs: of the borders in 200,000 glyphs of finance news, tiled by these words alone, so many differ from those
that the whole list gives (298,000 words, without the made-up): 77,600 words 2.8 in a hundred, 60,500 words 3.7,
44,900 words 5.2, 32,300 words 7.2, 22,200 words 10.0. Nearly all are rare words that fall apart.
"""

import collections
import math
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
LEXICON = HERE.parent / "src" / "lexicon"

# How often a word must stand in the list's corpus, by its tag or its first letter: names and sayings need more.
LEAST = 20
LEAST_OF = {
    "nr": 300, "nrt": 300, "nrfg": 300, "nt": 100, "nz": 50, "ns": 50, "m": 300, "mq": 300,
    "i": 60, "l": 60, "z": 60, "o": 100, "e": 100,
}
LEAST_OF_ONE_GLYPH = 30
LONGEST = 6
# Costs are eighths of a bit.
STEPS = 8
NUMERALS = "一二三四五六七八九十百千万亿两零几数第"

# The part of speech that the engine sees, by the list's tag or its first letter.
LETTERS = {
    "vn": "E", "vg": "V", "v": "V",
    "nr": "H", "nrt": "H", "nrfg": "H", "ns": "G", "nt": "O", "n": "N", "j": "N", "g": "N", "l": "I", "i": "I",
    "a": "A", "b": "A", "z": "A", "zg": "N", "x": "N",
    "d": "D", "p": "P", "c": "C", "r": "R", "m": "M", "q": "Q", "t": "T", "f": "F", "s": "F",
    "u": "U", "y": "U", "e": "U", "o": "U", "k": "U", "h": "U",
}

HEAD = """\
# Ordinary words by part of speech and cost: eighths of a bit of how much a word tells, so that frequent words cost little.
# Made by crates/engine/dictionary/make.py from the frequency list of jieba 0.42.1 (dict.txt, https://pypi.org/project/jieba),
# Copyright (c) 2013 Sun Junyi, under the MIT licence that stands in crates/engine/dictionary/LICENSE.
# Not to be edited: a word that is missing or wrong belongs into a table of its own.
"""


def places():
    """Names and short names of regions, but for those that are words as well."""
    rows = [line.split("\t") for line in (LEXICON / "region.tsv").read_text("utf-8").splitlines() if line and line[0] != "#"]
    return {name for row in rows for name in " ".join(row[1:3]).split()}


def kept(frequencies):
    regions = places()
    words = {}
    for word, (count, tag) in frequencies.items():
        if not re.fullmatch("[\u4e00-\u9fff]+", word) or len(word) > LONGEST or word in regions:
            continue
        if tag in ("m", "mq") and len(word) > 1 and word[0] in NUMERALS and word[0] != "一":
            continue
        least = LEAST_OF.get(tag) or LEAST_OF.get(tag[0], LEAST)
        # 养殖户, 存款人: nouns of three glyphs are what hides a word in a longer one.
        least = least * 3 // 4 if len(word) == 3 else least
        if count >= (LEAST_OF_ONE_GLYPH if len(word) == 1 else least):
            words[word] = (count, tag)
    for word in [word for word in words if len(word) >= 4]:
        count, tag = words[word]
        halves = [(words.get(word[:at]), words.get(word[at:])) for at in range(2, len(word) - 1)]
        if tag[0] != "i" and any(left and right and min(left[0], right[0]) >= count for left, right in halves):
            del words[word]
    return words


def main(path):
    lines = [line.split(" ") for line in pathlib.Path(path).read_text("utf-8").splitlines()]
    frequencies = {word: (int(count), tag) for word, count, tag in lines}
    total = sum(count for count, _ in frequencies.values())
    groups = collections.defaultdict(list)
    for word, (count, tag) in kept(frequencies).items():
        letter = LETTERS.get(tag) or LETTERS[tag[0]]
        groups[letter, round(STEPS * math.log2(total / count))].append(word)
    rows = [f"{letter} {cost} {' '.join(sorted(words))}\n" for (letter, cost), words in sorted(groups.items())]
    (LEXICON / "general.txt").write_text(HEAD + "".join(rows), "utf-8")
    print(sum(map(len, groups.values())), "words")


main(sys.argv[1])
