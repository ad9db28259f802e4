# check_probe.awk - rows of prog_film_probe (names already put back) against expected.tsv: one TAP line a file.
# awk -F'\t' -f check_probe.awk expected.tsv probe.tsv
function near(a, b, by) { return a - b <= by && b - a <= by }
function wrong(what) { why = why (why ? ", " : "") what }
function clock_ok(want, got,   w, g, n, m, i, lo, hi, x) {
    if (want == "-") return 1
    n = split(want, w, "/"); m = split(got, g, "/")
    if (n > 1 && n != m) return 0
    for (i = 1; i <= m; i++) {
        x = n == 1 ? w[1] : w[i]
        split(g[i], r, /\.\./)
        if (r[1] < x - 0.041 || r[2] > x + 0.291) return 0   # within one frame of 40 ms
    }
    return 1
}
FNR == NR { if ($0 !~ /^#/) { want[$1] = $0; order[++files] = $1 } ; next }
{ got[$1] = $0 }
END {
    for (k = 1; k <= files; k++) {
        name = order[k]; why = ""
        split(want[name], e, "\t")
        if (!(name in got)) { print "not ok - " name ": no row"; continue }
        n = split(got[name], g, "\t")
        if (g[2] != e[2]) wrong("verdict " g[2] ", not " e[2])
        if (split(e[3], range, "-") == 2) { if (g[3] < range[1] + 0 || g[3] > range[2] + 0) wrong("frames " g[3] " outside " e[3]) }
        else if (g[3] != e[3]) wrong("frames " g[3] ", not " e[3])
        if (e[4] != "*" && !near(g[6], e[4], 0.041)) wrong("ends at " g[6] ", not " e[4])
        if (e[5] != "*" && !near(g[7], e[5], 0.09)) wrong("missing " g[7] " s, not " e[5])
        if (e[6] != "*" && g[8] != e[6]) wrong("breaks " g[8] ", not " e[6])
        if (g[10] != e[7]) wrong("rotation " g[10] ", not " e[7])
        if (!clock_ok(e[8], g[11])) wrong("clock off: " g[11] ", not " e[8])
        reason = e[9] == "-" ? "" : e[9]
        if (sub(/\*$/, "", reason) ? index(g[12], reason) != 1 : reason != g[12]) wrong("reason \"" g[12] "\", not \"" e[9] "\"")
        print (why ? "not ok - " : "ok - ") name (why ? ": " why : "")
    }
}
