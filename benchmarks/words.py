"""How much of what people write is read: shares of sentences, and a sample to read by hand.

    python benchmarks/words.py FOLDER schema.csv --schema experiments/catalogues/hm-tops-7.toml

FOLDER holds files of sentences, one a line. The schema is that of a catalogue's table: its settings
file names the attributes, its table has the values.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
import tomllib
from collections import Counter
from pathlib import Path

import pyarrow.csv

from amgan.attributes import AttributeSchema
from amgan.words import Reading, WordReader


def read_schema(settings: Path, table: Path) -> AttributeSchema:
    """Values of the attributes that a settings file names, as the table has them."""
    names = tomllib.loads(settings.read_text("utf-8"))["catalogue"]["attributes"]
    columns = pyarrow.csv.read_csv(
        table, convert_options=pyarrow.csv.ConvertOptions(include_columns=names)
    )
    values = {name: sorted({str(v) for v in columns[name].to_pylist() if v}) for name in names}
    return AttributeSchema.from_dict(values)


def grade(reading: Reading) -> str:
    """Whether a sentence was read fully, partly or not at all."""
    if reading.is_empty:
        return "not at all"
    return "partly" if reading.not_understood or reading.ambiguous else "fully"


def measure_speed(reader: WordReader, sentences: list[str], seed: int) -> float:
    """The longest of 200 readings of 1,000 characters, in milliseconds: sentences and noise.

    Each is read three times and its shortest time counts, so that other programs do not.
    """
    rng = random.Random(seed)
    slowest = 0.0
    for number in range(200):
        if number % 2:
            text = " ".join(rng.sample(sentences, min(len(sentences), 60)))[:1000]
        else:
            text = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz  ,'", k=1000))
        times = []
        for _ in range(3):
            began = time.perf_counter()
            reader.read(text)
            times.append(time.perf_counter() - began)
        slowest = max(slowest, min(times))
    return 1000 * slowest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="files of sentences, one a line")
    parser.add_argument("table", type=Path, help="the catalogue's table")
    parser.add_argument("--schema", type=Path, required=True, help="its settings file")
    parser.add_argument("--files", nargs="+", help="names of files to read; all .txt without")
    parser.add_argument("--language", default="en")
    parser.add_argument(
        "--sample", type=int, default=0, help="readings to print for reading by hand"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--grade", help="print readings of this grade only")
    parser.add_argument(
        "--left-out", type=int, default=0, help="most frequent words not understood"
    )
    options = parser.parse_args()
    reader = WordReader(read_schema(options.schema, options.table), language=options.language)
    files = [options.folder / f for f in options.files or ()] or sorted(
        options.folder.glob("*.txt")
    )
    readings: list[tuple[str, Reading]] = []
    seconds = []
    for file in files:
        lines = [line for line in file.read_text("utf-8").splitlines() if line.strip()]
        grades: Counter[str] = Counter()
        for line in lines:
            began = time.perf_counter()
            reading = reader.read(line)
            seconds.append(time.perf_counter() - began)
            grades[grade(reading)] += 1
            readings.append((line, reading))
        print_shares(file.name, grades)
    if not readings:
        parser.error(f"no sentences in {options.folder}")
    print_shares("all", Counter(grade(reading) for _, reading in readings))
    print(f"median {1000 * statistics.median(seconds):.2f} ms a sentence")
    slowest = measure_speed(reader, [line for line, _ in readings], options.seed)
    print(f"slowest of 200 texts of 1,000 characters: {slowest:.1f} ms")
    if options.left_out:
        left = Counter(part.casefold() for _, r in readings for part in r.not_understood)
        for part, count in left.most_common(options.left_out):
            print(f"{count:6} {part}")
    chosen = [pair for pair in readings if options.grade in (None, grade(pair[1]))]
    sample = random.Random(options.seed).sample(chosen, min(options.sample, len(chosen)))
    for line, reading in sample:
        found = {name: value for name, value in reading.to_dict().items() if value}
        if reading.details:
            found["details"] = list(reading.details)
        print(f"{line}\n    {grade(reading)}: {json.dumps(found, ensure_ascii=False)}")


def print_shares(name: str, grades: Counter[str]) -> None:
    """One line of shares."""
    total = grades.total()
    shares = ", ".join(f"{g} {grades[g] / total:.1%}" for g in ("fully", "partly", "not at all"))
    print(f"{name}: {total:,} sentences: {shares}")


if __name__ == "__main__":
    main()
