#!/usr/bin/env python3
"""Writes Sources/Rego/Regex/UnicodeData.swift from the Unicode character database.

Usage: rego-unicode-tables.py DIR > UnicodeData.swift, where DIR holds UnicodeData.txt, Scripts.txt, CaseFolding.txt and
PropertyValueAliases.txt of Unicode 15.0 (Debian package unicode-data).

A table is a list of numbers, each the difference to the one before, in base 32 digits of six bits (the sixth: more digits follow), written with
the characters from `0` on (`\\` replaced).
"""
import re, sys

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
directory = sys.argv[1]


def lines(name):
    for line in open(f"{directory}/{name}", encoding="utf-8"):
        line = line.split("#")[0].strip()
        if line:
            yield [field.strip() for field in line.split(";")]


def encode(numbers):
    text = ""
    for number in numbers:
        number = (number << 1) ^ (-1 if number < 0 else 0)  # zigzag
        while True:
            digit, number = number & 31, number >> 5
            text += ALPHABET[digit | (32 if number else 0)]
            if not number:
                break
    return text


def ranges_text(points):
    points, numbers, last, index = sorted(points), [], 0, 0
    while index < len(points):
        end = index
        while end + 1 < len(points) and points[end + 1] == points[end] + 1:
            end += 1
        numbers += [points[index] - last, points[end] - points[index]]
        last, index = points[end], end + 1
    return encode(numbers)


def runs_text(mapping):
    """Runs of (start, count - 1, stride, delta)."""
    items, numbers, last, index = sorted(mapping.items()), [], 0, 0
    while index < len(items):
        start, delta = items[index][0], items[index][1] - items[index][0]
        best, stride = index, 1
        for step in (1, 2):
            end = index
            while end + 1 < len(items) and items[end + 1][0] == items[end][0] + step and items[end + 1][1] - items[end + 1][0] == delta:
                end += 1
            if end > best:
                best, stride = end, step
        numbers += [start - last, best - index, stride, delta]
        last, index = items[best][0], best + 1
    return encode(numbers)


categories, upper, lower, first = {}, {}, {}, None
for fields in lines("UnicodeData.txt"):
    point = int(fields[0], 16)
    points = [point]
    if fields[1].endswith(", First>"):
        first = point
        continue
    if fields[1].endswith(", Last>"):
        points = range(first, point + 1)
    categories.setdefault(fields[2], []).extend(points)
    if fields[12]:
        upper[point] = int(fields[12], 16)
    if fields[13]:
        lower[point] = int(fields[13], 16)

scripts = {}
for span, script in lines("Scripts.txt"):
    ends = [int(end, 16) for end in span.split("..")]
    scripts.setdefault(script, []).extend(range(ends[0], ends[-1] + 1))

folds = {int(f[0], 16): int(f[2], 16) for f in lines("CaseFolding.txt") if f[1] in "CS"}

aliases = {}
for fields in lines("PropertyValueAliases.txt"):
    if fields[0] == "gc":
        for alias in fields[2:]:
            aliases[alias] = fields[1]


def wrap(text, indent):
    width = 110 - indent
    pieces = [text[i : i + width] for i in range(0, len(text), width)] or [""]
    pad = " " * indent
    return '"""\n' + "".join(pad + piece + "\\\n" for piece in pieces[:-1]) + pad + pieces[-1] + "\n" + pad + '"""'


print("// Made by scripts/rego-unicode-tables.py from the Unicode character database 15.0. Do not edit.")
print("// swift-format-ignore-file")
print()
print("/// Code point tables in the text form that `UnicodeTables` reads.")
print("enum UnicodeData {")
print("    static let categories: [(name: String, ranges: StaticString)] = [")
for name in sorted(categories):
    print(f'        ("{name}", {wrap(ranges_text(categories[name]), 8)}),')
print("    ]")
print()
print("    static let scripts: [(name: String, ranges: StaticString)] = [")
for name in sorted(scripts):
    print(f'        ("{name}", {wrap(ranges_text(scripts[name]), 8)}),')
print("    ]")
print()
print("    static let categoryAliases: [(alias: String, name: String)] = [")
for alias in sorted(aliases):
    print(f'        ("{alias}", "{aliases[alias]}"),')
print("    ]")
for name, table in (("upper", upper), ("lower", lower), ("fold", folds)):
    print()
    print(f"    static let {name}: StaticString = {wrap(runs_text(table), 4)}")
print("}")
