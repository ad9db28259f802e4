#!/usr/bin/env python3
"""scan_beside_faiss.py BUILD/tests/prog_scan [ROWS] - the exact scan beside faiss-cpu's fp16 flat index, in turns.

Both search ROWS x 768 random unit vectors with 2 threads, one query a call, k = 10. The two take turns, best of all
turns counts, so that a busy machine hurts both alike. Needs faiss-cpu and numpy (a venv)."""
import json, subprocess, sys, time
import faiss, numpy as np

prog, rows, dim = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000, 768
faiss.omp_set_num_threads(2)
rng = np.random.default_rng(1)
index = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
for at in range(0, rows, 50_000):
    v = rng.standard_normal((min(50_000, rows - at), dim), dtype=np.float32)
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    if not index.is_trained:
        index.train(v)
    index.add(v)
q = rng.standard_normal((64, dim), dtype=np.float32)
q /= np.linalg.norm(q, axis=1, keepdims=True)
ours = subprocess.Popen([prog, str(rows), str(dim), "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
ours.stdout.readline()
best = {"faiss": 1e9, "kinoseek": 1e9}
for turn in range(30):
    t = time.perf_counter()
    index.search(q[turn:turn + 1], 10)
    best["faiss"] = min(best["faiss"], time.perf_counter() - t)
    ours.stdin.write("\n")
    ours.stdin.flush()
    best["kinoseek"] = min(best["kinoseek"], float(ours.stdout.readline()))
ours.stdin.close()
print(json.dumps({"rows": rows, "dim": dim, "threads": 2, "faiss_fp16_ms": best["faiss"] * 1e3,
                  "kinoseek_exact_ms": best["kinoseek"] * 1e3, "ratio": best["kinoseek"] / best["faiss"]}))
