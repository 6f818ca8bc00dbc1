"""Small data sets in the exact layouts of the published ones, written by the tests themselves."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from amgan.catalogue.shopping100k import SHOPPING100K_ATTRIBUTES

CATEGORY_FOLDERS = {1: "Coat", 2: "Jacket", 4: "Shirt", 5: "T-shirt", 6: "Jumper", 9: "Dress"}


def write_picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    picture = Image.fromarray(generator.integers(0, 256, (12, 10, 3), np.uint8))
    picture.save(path, "JPEG")


def write_lines(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


@dataclass(frozen=True)
class Shopping:
    root: Path
    paths: list[str]
    labels: dict[str, list[int | None]]  # from 0


def write_shopping100k(root: Path, form: str = "pairs", base: int = 1, n: int = 36) -> Shopping:
    generator = np.random.default_rng(7)
    paths, labels = [], {name: [] for name in SHOPPING100K_ATTRIBUTES}
    for i in range(n):
        gender = int(generator.integers(2))
        category = list(CATEGORY_FOLDERS)[i % len(CATEGORY_FOLDERS)]
        folder = f"{('Female', 'Male')[gender]}/{category}_{CATEGORY_FOLDERS[category]}"
        paths.append(f"{folder}/{i // 6:07d}_{i % 3}.jpg")
        write_picture(root / "Images" / paths[-1], i)
        for name, size in SHOPPING100K_ATTRIBUTES.items():
            value = {"category": category - 1, "gender": gender}.get(name)
            if value is None:
                value = int(generator.integers(size)) if generator.random() < 0.8 else None
            labels[name].append(value)
    for name, size in SHOPPING100K_ATTRIBUTES.items():
        lines = []
        for path, value in zip(paths, labels[name], strict=True):
            number = "-1" if value is None else str(value + base)
            one_hot = " ".join("1" if i == value else "0" for i in range(size))
            lines.append(
                {
                    "pairs": f"Images/{path} {number}",
                    "backslashes": f"{path},{number}".replace("/", "\\"),
                    "integers": number,
                    "one-hot": one_hot,
                    "named one-hot": f"{path} {one_hot}",
                }[form]
            )
        write_lines(root / "Attributes" / f"{name}.txt", lines)
    if form in ("integers", "one-hot"):
        write_lines(root / "Attributes" / "images.txt", [f"Images/{path}" for path in paths])
    return Shopping(root, paths, labels)


@dataclass(frozen=True)
class Darn:
    root: Path
    paths: dict[str, list[str]]
    labels: dict[str, list[dict[int, int]]]
    gone: set[str]


def write_darn(root: Path) -> Darn:
    generator = np.random.default_rng(3)
    names = ["clothes category", "clothes color", "sleeve length"]
    sizes = [4, 12, 3]
    paths: dict[str, list[str]] = {}
    labels: dict[str, list[dict[int, int]]] = {}
    for part, n in (("train", 20), ("valid", 8), ("test", 8)):
        paths[part] = [f"pic/{part}_{i}.jpg" for i in range(n)]
        labels[part] = []
        for i, path in enumerate(paths[part]):
            write_picture(root / path, i)
            asked = {a: int(generator.integers(s)) for a, s in enumerate(sizes)}
            labels[part].append(
                {a: v for a, v in asked.items() if a == 0 or generator.random() < 0.8}
            )
        write_lines(root / f"filenames_{part}.txt", paths[part])
    gone = {paths["train"][3], paths["test"][5]}
    for path in gone:
        (root / path).unlink()
    lines = [
        " ".join([str(i), *(f"{a} {v}" for a, v in values.items())])
        for i, values in enumerate(labels["train"])
    ]
    write_lines(root / "label_train.txt", lines)
    for part in ("valid", "test"):
        triples = [f"{i} {a} {v}" for i, vs in enumerate(labels[part]) for a, v in vs.items()]
        write_lines(root / f"query_{part}.txt", triples[::4])
        write_lines(root / f"candidate_{part}.txt", [t for i, t in enumerate(triples) if i % 4])
    meta = {
        "DARN": {
            "ATTRIBUTES": names,
            "ATTRIBUTES_NUM": dict(zip(names, sizes, strict=True)),
            "ATTRIBUTES_VALUES": {"sleeve length": ["none", "short", "long"]},
        }
    }
    (root / "meta.json").write_text(json.dumps(meta, indent=1), "utf-8")
    return Darn(root, paths, labels, gone)


HM_HEADER = """
    article_id product_code prod_name product_type_no product_type_name product_group_name
    graphical_appearance_no graphical_appearance_name colour_group_code colour_group_name
    perceived_colour_value_id perceived_colour_value_name perceived_colour_master_id
    perceived_colour_master_name department_no department_name index_code index_name
    index_group_no index_group_name section_no section_name garment_group_no
    garment_group_name detail_desc
""".split()  # noqa: SIM905 - a list of one name a line says no more


def write_hm(root: Path, n: int = 20) -> Path:
    generator = np.random.default_rng(5)
    rows = []
    for i in range(n):
        product = 108775 + i // 3
        article = f"{product:07d}{15 + i:03d}"
        if i != 4:  # one article has no picture
            write_picture(root / "images" / article[:3] / f"{article}.jpg", i)
        colour = ["Black", "White", "Unknown", "Dark Blue"][generator.integers(4)]
        kind, group = [
            ("T-shirt", "Garment Upper body"),
            ("Sweater", "Garment Upper body"),
            ("Trousers", "Garment Lower body"),
        ][i % 3]
        look = ["Solid", "Stripe", "undefined"][generator.integers(3)]
        cells = dict.fromkeys(HM_HEADER, "7")
        cells |= {
            "article_id": article,
            "product_code": str(product),
            "prod_name": f"Name {i}",
            "product_type_name": kind,
            "product_group_name": group,
            "graphical_appearance_name": look,
            "colour_group_name": colour,
            "perceived_colour_value_name": ["Dark", "Light"][i % 2],
            "perceived_colour_master_name": colour.split()[-1],
            "index_group_name": ["Ladieswear", "Menswear"][i % 2],
            "garment_group_name": ["Jersey Basic", "Knitwear"][i % 2],
            "detail_desc": "Jersey top, with\nnarrow straps é.",
        }
        rows.append(list(cells.values()))
    root.mkdir(parents=True, exist_ok=True)
    with (root / "articles.csv").open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([HM_HEADER, *rows])
    return root


@dataclass(frozen=True)
class Celeba:
    root: Path
    names: list[str]
    answers: np.ndarray  # (N, M) of -1 and 1
    splits: list[int]
    identities: list[int]


def write_celeba(root: Path, n: int = 24) -> Celeba:
    generator = np.random.default_rng(9)
    names = ["5_o_Clock_Shadow", "Bald", "Eyeglasses", "Male", "Smiling"]
    answers = generator.choice([-1, 1], (n, len(names)))
    splits = [0] * (n - 8) + [1] * 4 + [2] * 4
    identities = [2880 + i // 2 for i in range(n)]
    pictures = [f"{i + 1:06d}.jpg" for i in range(n)]
    for i, picture in enumerate(pictures):
        write_picture(root / "Img" / "img_align_celeba" / picture, i)
    lines = [
        f"{p} {' '.join(f'{a:2d}' for a in row)}" for p, row in zip(pictures, answers, strict=True)
    ]
    write_lines(root / "Anno" / "list_attr_celeba.txt", [str(n), " ".join(names) + " ", *lines])
    pairs = [f"{p} {s}" for p, s in zip(pictures, splits, strict=True)]
    write_lines(root / "Eval" / "list_eval_partition.txt", pairs)
    pairs = [f"{p} {s}" for p, s in zip(pictures, identities, strict=True)]
    write_lines(root / "Anno" / "identity_CelebA.txt", pairs)
    return Celeba(root, names, answers, splits, identities)


CUB_VALUES = [
    "has_bill_shape::curved_(up_or_down)",
    "has_bill_shape::dagger",
    "has_bill_shape::hooked",
    "has_wing_color::blue",
    "has_wing_color::brown",
    "has_size::large_(16_-_32_in)",
    "has_size::small_(5_-_9_in)",
]


def write_cub(root: Path, n: int = 12) -> Path:
    generator = np.random.default_rng(11)
    classes = ["001.Black_footed_Albatross", "002.Laysan_Albatross", "003.Sooty_Albatross"]
    pictures = [f"{classes[i % 3]}/{classes[i % 3][4:]}_{i:04d}_{i + 18}.jpg" for i in range(n)]
    for i, picture in enumerate(pictures):
        write_picture(root / "images" / picture, i)
    write_lines(root / "images.txt", [f"{i} {p}" for i, p in enumerate(pictures, 1)])
    write_lines(root / "classes.txt", [f"{i} {c}" for i, c in enumerate(classes, 1)])
    write_lines(root / "image_class_labels.txt", [f"{i + 1} {i % 3 + 1}" for i in range(n)])
    write_lines(root / "train_test_split.txt", [f"{i + 1} {int(i % 4 != 3)}" for i in range(n)])
    write_lines(
        root / "attributes" / "attributes.txt", [f"{i} {v}" for i, v in enumerate(CUB_VALUES, 1)]
    )
    lines = []
    for picture in range(1, n + 1):
        for value in range(1, len(CUB_VALUES) + 1):
            present, certainty = int(generator.integers(2)), int(generator.integers(1, 5))
            lines.append(f"{picture} {value} {present} {certainty} {generator.random() * 20:.3f}")
    write_lines(root / "attributes" / "image_attribute_labels.txt", lines)
    return root


@dataclass(frozen=True)
class Adde:
    root: Path
    sizes: list[int]
    paths: dict[str, list[str]]
    labels: dict[str, list[tuple[int, ...]]]  # -1 where missing
    triplets: list[tuple[int, int, int]]
    queries: list[tuple[int, int, tuple[int, ...]]]  # reference, changed attribute, target


def one_hot(labels: tuple[int, ...], sizes: list[int]) -> list[int]:
    return [int(label == i) for label, size in zip(labels, sizes, strict=True) for i in range(size)]


def write_adde(root: Path) -> Adde:
    generator = np.random.default_rng(13)
    sizes = [3, 4, 2]
    paths: dict[str, list[str]] = {}
    labels: dict[str, list[tuple[int, ...]]] = {}
    for part, n in (("train", 40), ("test", 30)):
        paths[part] = [f"Female/5_T-shirt/{i:07d}_{part}.jpg" for i in range(n)]
        labels[part] = [
            tuple(int(generator.integers(-1 if a == 1 else 0, s)) for a, s in enumerate(sizes))
            for _ in range(n)
        ]
        for i, path in enumerate(paths[part]):
            write_picture(root / path, i)
        write_lines(root / f"imgs_{part}.txt", paths[part])
        write_lines(
            root / f"labels_{part}.txt",
            [" ".join(map(str, one_hot(row, sizes))) for row in labels[part]],
        )
    write_lines(root / "attr_num.txt", [str(size) for size in sizes])

    def change(row: tuple[int, ...], attribute: int, value: int) -> tuple[int, ...]:
        return (*row[:attribute], value, *row[attribute + 1 :])

    def signs(before: tuple[int, ...], after: tuple[int, ...]) -> str:
        pairs = zip(one_hot(before, sizes), one_hot(after, sizes), strict=True)
        return " ".join(str(b - a) for a, b in pairs)

    triplets, indicators = [], []
    for reference, row in enumerate(labels["train"]):
        for attribute, size in enumerate(sizes):
            target = change(row, attribute, (row[attribute] + 1) % size)
            if target in labels["train"]:
                negative = int(generator.integers(len(labels["train"])))
                triplets.append((reference, labels["train"].index(target), negative))
                indicators.append(signs(row, target))
    write_lines(root / "triplet_train.txt", [" ".join(map(str, t)) for t in triplets])
    write_lines(root / "triplet_train_ind.txt", indicators)
    queries = []
    for reference, row in enumerate(labels["test"]):
        for attribute, size in enumerate(sizes):
            target = change(row, attribute, (row[attribute] + 1) % size)
            if target in labels["test"]:
                queries.append((reference, attribute, target))
    write_lines(root / "ref_test.txt", [str(reference) for reference, _, _ in queries])
    write_lines(
        root / "indfull_test.txt", [signs(labels["test"][r], target) for r, _, target in queries]
    )
    write_lines(
        root / "gt_test.txt", [" ".join(map(str, one_hot(t, sizes))) for _, _, t in queries]
    )
    return Adde(root, sizes, paths, labels, triplets, queries)
