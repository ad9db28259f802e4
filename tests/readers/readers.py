"""readers.py OUT FILM QUESTION: what other programs make of what kinoseek wrote. One line a check; exit 1 where one fails."""
import json, os, subprocess, shutil, sys, traceback
from fractions import Fraction as F

OUT, FILM, QUESTION = sys.argv[1:4]
RATE = F(30000, 1001)
hits = [json.loads(l) for l in open(OUT + "/hits")]
frames = lambda t: round(F(str(t)) * RATE)
WANT = [(frames(h["start"]), frames(h["end"])) for h in hits]                    # in order of rank, all films
ONE = sorted((frames(h["start"]), frames(h["end"])) for h in hits if h["path"] == FILM)
bad = 0

def check(name, needs=None):
    def run(f):
        global bad
        try:
            got, want = f()
            good = got == want
            print(("ok - " if good else "not ok - ") + name + ("" if good else "\n# got  %r\n# want %r" % (got, want)))
            bad += not good
        except (ImportError, FileNotFoundError) as e:
            print("# not tried - %s: %s" % (name, e))
        except Exception as e:
            print("not ok - %s: %s" % (name, "".join(traceback.format_exception_only(type(e), e)).strip())); bad += 1
    return run

def clips(timeline):
    return [c for c in timeline.find_clips()]

@check("opentimelineio reads OTIO")
def _():
    import opentimelineio as o
    c = clips(o.adapters.read_from_file(OUT + "/otio.otio"))
    return ([(round(x.source_range.start_time.value), round(x.source_range.end_time_exclusive().value)) for x in c], c[0].metadata["kinoseek"]["query"]), (WANT, QUESTION)

@check("otio-cmx3600-adapter reads CMX 3600")
def _():
    import opentimelineio as o
    got = []
    for name in ("cmx3600.cmx3600", "cmx3600.ndf"):         # drop-frame, and not
        c = clips(o.adapters.read_from_file(OUT + "/" + name, "cmx_3600", rate=float(RATE)))
        got.append([(round(x.source_range.start_time.value), round(x.source_range.end_time_exclusive().value)) for x in c])
    return (got, [m.name for m in c[0].markers]), ([WANT, WANT], [QUESTION])    # marks of the non-drop one: it sees no others

@check("otio-fcp-adapter reads xmeml")
def _():
    import opentimelineio as o
    c = clips(o.adapters.read_from_file(OUT + "/xmeml.xmeml", "fcp_xml"))
    return ([(round(x.source_range.start_time.value), round(x.source_range.end_time_exclusive().value)) for x in c], c[0].markers[0].name, c[0].name), (WANT, QUESTION, os.path.basename(hits[0]["path"]))

@check("xmllint finds FCPXML valid")
def _():
    if not shutil.which("xmllint"): raise FileNotFoundError("xmllint")
    p = subprocess.run(["xmllint", "--noout", "--dtdvalid", os.path.dirname(__file__) + "/fcpxml-1.10.dtd", OUT + "/fcpxml.fcpxml"], capture_output=True, text=True)
    return p.stderr, ""

@check("pympi reads ELAN")
def _():
    import pympi
    e = pympi.Elan.Eaf(OUT + "/elan")
    tiers = list(e.get_tier_names())
    spans = sorted(a[:2] for t in tiers for a in e.get_annotation_data_for_tier(t))
    labels = {a[2] for t in tiers for a in e.get_annotation_data_for_tier(t)}
    return (spans, labels, tiers[0]), (sorted((round(h["start"] * 1000), round(h["end"] * 1000)) for h in hits if h["path"] == FILM), {QUESTION}, QUESTION)

@check("label-studio-sdk takes the interface and the predictions")
def _():
    from label_studio_sdk.label_interface import LabelInterface
    li = LabelInterface(open(OUT + "/label-studio/config.xml").read())
    li.validate()
    tasks = json.load(open(OUT + "/label-studio/tasks.json"))
    good = [li.validate_prediction(p) for t in tasks for p in t["predictions"]]
    ranges = sorted((r["value"]["ranges"][0]["start"] - 1, r["value"]["ranges"][0]["end"]) for t in tasks for p in t["predictions"] for r in p["result"])
    return (all(good), ranges, [abs(t["data"]["fps"] - float(RATE)) < 1e-9 for t in tasks]), (True, sorted(WANT), [True, True])

@check("FiftyOne's importer reads temporal detections")
def _():
    import fiftyone as fo
    from fiftyone.utils.data.importers import FiftyOneTemporalDetectionDatasetImporter as Importer
    i = Importer(dataset_dir=OUT + "/fiftyone", data_path="data.json", compute_metadata=True)
    got = []
    with i:
        for path, metadata, labels, _ in i:
            for d in (labels.detections if labels is not None else []):
                got.append((os.path.basename(path), tuple(d.support), d.label))
    # it counts from 1, and both ends are in it; it rounds seconds its own way: within a frame
    want = sorted((os.path.basename(h["path"]), (frames(h["start"]) + 1, frames(h["end"])), QUESTION) for h in hits)
    near = lambda a, b: a[0] == b[0] and a[2] == b[2] and all(abs(x - y) <= 1 for x, y in zip(a[1], b[1]))
    return len(got) == len(want) and all(near(a, b) for a, b in zip(sorted(got), want)), True

@check("FiftyOne makes a data set of it")
def _():
    import fiftyone as fo
    try: fo.list_datasets()
    except fo.core.config.FiftyOneConfigError as e: raise FileNotFoundError(str(e).split(".")[0])
    d = fo.Dataset.from_dir(dataset_dir=OUT + "/fiftyone", data_path="data.json", dataset_type=fo.types.FiftyOneTemporalDetectionDataset)
    return len(d), len({h["path"] for h in hits})

@check("ActivityNet's evaluation reads truth and predictions, and finds them equal")
def _():
    # Evaluation/eval_detection.py, as it takes files apart: required members, then label index, then segments
    truth, said = json.load(open(OUT + "/activitynet-truth.truth")), json.load(open(OUT + "/activitynet.activitynet"))
    assert all(k in truth for k in ("database", "taxonomy", "version")) and all(k in said for k in ("results", "version", "external_data"))
    index, gt = {}, {}
    for vid, v in truth["database"].items():
        if v["subset"] == "validation":
            for a in v["annotations"]:
                gt.setdefault((vid, index.setdefault(a["label"], len(index))), []).append((float(a["segment"][0]), float(a["segment"][1])))
    ap = []
    for vid, l in said["results"].items():
        for r in l:
            cell = gt[(vid, index[r["label"]])]
            iou = [max(0, min(e, r["segment"][1]) - max(s, r["segment"][0])) / (max(e, r["segment"][1]) - min(s, r["segment"][0])) for s, e in cell]
            ap.append(max(iou) > 0.999)
    return ap, [True] * len(hits)

@check("NumPy reads the vectors")
def _():
    import numpy as n
    z = n.load(OUT + "/v.npz")
    return (z["vectors"].dtype.str, len(z["vectors"]), len(z["ids"]), bool(abs(n.linalg.norm(z["vectors"].astype("f4"), axis=1) - 1).max() < 1e-3), len(str(z["model"]))), ("<f2", 4, 4, True, 64)

@check("mkvmerge takes the chapters")
def _():
    if not shutil.which("mkvmerge"): raise FileNotFoundError("mkvmerge")
    p = subprocess.run(["mkvmerge", "-q", "-o", OUT + "/c.mkv", "--chapters", OUT + "/mkv-chapters", FILM], capture_output=True, text=True)
    c = json.loads(subprocess.check_output(["ffprobe", "-v", "error", "-show_chapters", "-of", "json", OUT + "/c.mkv"]))["chapters"]
    return (p.stdout, [round(F(x["start_time"]) * RATE) for x in c], c[0]["tags"]["title"]), ("", [a for a, _ in ONE], QUESTION)

@check("ffmpeg reads SubRip and WebVTT")
def _():
    got = [[x["pts_time"][:-3] for x in json.loads(subprocess.check_output(["ffprobe", "-v", "error", "-f", f, "-show_packets", "-of", "json", OUT + "/" + n]))["packets"]] for f, n in (("srt", "srt"), ("webvtt", "vtt"))]
    return got, [["%.3f" % t for t in sorted(h["start"] for h in hits if h["path"] == FILM)]] * 2

@check("CVAT's reading of tags")
def _():
    # cvat/apps/dataset_manager/formats/cvat.py, load_anno: image elements by id, their tags by label
    import xml.etree.ElementTree as E
    got = {}
    for image in E.parse(OUT + "/cvat").getroot().iter("image"):
        for tag in image.iter("tag"):
            got.setdefault(int(image.attrib["id"]), []).append(tag.attrib["label"])
    return got, {f: [QUESTION] for a, b in ONE for f in range(a, b)}

@check("DuckDB makes Parquet of JSON lines")
def _():
    import duckdb
    duckdb.sql("COPY (FROM read_json_auto('%s/hits', format='newline_delimited')) TO '%s/hits.parquet'" % (OUT, OUT))
    return sorted(duckdb.sql("SELECT path, start FROM '%s/hits.parquet'" % OUT).fetchall()), sorted((h["path"], h["start"]) for h in hits)

@check("Python's CSV")
def _():
    import csv
    rows = list(csv.DictReader(open(OUT + "/csv.csv", newline="", encoding="utf-8")))
    return [(frames(r["start"]), frames(r["end"])) for r in rows], WANT

print("%s" % ("all that were tried agree" if not bad else "%d disagree" % bad))
sys.exit(bad > 0)
