#!/usr/bin/env python3
"""make_samples.py COLLECTION -- writes data/samples: a miniature data set in class folders, from real radiographs.

COLLECTION is a folder with labels.csv and boxes.csv as data/README describes them. Taken are the first images by name, four
training and two test images a class and source; test images that are diseased have boxes. Only sources that may be passed on:
NIH ChestX-ray14 (boxes of the NIH list and of RSNA, never others) and Kermany 2018. Needs Pillow. The same collection
gives the same files.
"""
import csv
import json
import os
import sys

from PIL import Image

SIDE = 128  # longer side, pixels
CLASSES = {"normal": "healthy", "diseased": "diseased"}
COUNT = {"train": 4, "test": 2}
ANNOTATORS = {"nih_bbox_list", "rsna"}


def rows(collection, name):
    with open(os.path.join(collection, name), newline="") as table:
        return list(csv.DictReader(table))


def main():
    collection = sys.argv[1]
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "samples")
    boxes = {}
    for box in rows(collection, "boxes.csv"):
        boxes.setdefault(box["file"], []).append(box)
    taken, patients = {}, set()
    coco = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "diseased"}]}
    for row in sorted(rows(collection, "labels.csv"), key=lambda r: r["file"]):
        source = row["file"].split("/")[1]
        place = (source, row["split"], row["label"])
        own = boxes.get(row["file"], [])
        if source not in ("nih", "kermany") or row["patient"] in patients or taken.get(place, 0) == COUNT[row["split"]]:
            continue
        if {box["annotator"] for box in own} - ANNOTATORS or (place == ("nih", "test", "diseased")) != bool(own):
            continue
        if len({box["annotator"] for box in own}) > 1:  # two readers' boxes overlap
            continue
        taken[place] = taken.get(place, 0) + 1
        patients.add(row["patient"])
        picture = Image.open(os.path.join(collection, row["file"])).convert("L")
        before = picture.size
        picture.thumbnail((SIDE, SIDE), Image.LANCZOS)
        base = os.path.splitext(os.path.basename(row["file"]))[0] + ".png"
        path = "/".join((row["split"], CLASSES[row["label"]], base))
        os.makedirs(os.path.dirname(os.path.join(out, path)), exist_ok=True)
        picture.save(os.path.join(out, path), optimize=True)
        if not own:  # nobody drew boxes here: that is not the same as "there are none"
            continue
        number = len(coco["images"]) + 1
        coco["images"].append({"id": number, "file_name": path, "width": picture.width, "height": picture.height})
        for box in own:
            sx, sy = picture.width / before[0], picture.height / before[1]
            x, y, w, h = (round(float(box[k]) * s, 2) for k, s in (("x", sx), ("y", sy), ("width", sx), ("height", sy)))
            coco["annotations"].append({"id": len(coco["annotations"]) + 1, "image_id": number, "category_id": 1,
                                        "bbox": [x, y, w, h], "area": round(w * h, 2), "iscrowd": 0})
    with open(os.path.join(out, "boxes.json"), "w") as file:
        json.dump(coco, file, indent=1)
        file.write("\n")


main()
