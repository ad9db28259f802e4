# layers.awk - fails when a file includes what its folder may not see (README, "How it fits together").
#
# Of ours: from outside a folder only its public header. From outside: each folder has its list of
# libraries; whatever is on nobody's list (libc) is free to all. One offending file a rule: tests/layers/.
BEGIN {
    may["encoder"] = " encoder "
    may["index"] = " index "
    may["decoder"] = " decoder "
    may["ingest"] = " ingest encoder index decoder "
    may["query"] = " query encoder index "
    may["session"] = " session ingest encoder index decoder query "
    may["formats"] = " formats session "
    may["eval"] = " eval session encoder decoder query "
    may["sql"] = " sql session "
    may["cli"] = " cli formats eval session ingest encoder index decoder query "
    may["serve"] = " serve formats eval session ingest encoder index decoder query "
    may["tests"] = " tests cli serve sql formats eval session ingest encoder index decoder query "

    # pattern of an outside header -> folders that may include it ("program" = decoder/decoder_*, linked into kinoseek-decode alone)
    n = 0
    lib[++n] = "^(cblas|openblas_config)\\.h$";                      who[n] = " encoder eval "
    lib[++n] = "^(dnnl|oneapi/dnnl/).*";                             who[n] = " encoder "
    lib[++n] = "^vulkan/";                                           who[n] = " encoder "
    lib[++n] = "^sentencepiece";                                     who[n] = " encoder "
    lib[++n] = "^(unistr|unicase|unictype|uninorm|uniconv|unitypes|uniname|unistring/version)\\.h$"; who[n] = " encoder "
    lib[++n] = "^zlib\\.h$";                                         who[n] = " encoder formats "
    lib[++n] = "^(sha2|sha256|sha512)\\.h$";                         who[n] = " encoder cli "
    lib[++n] = "^jansson\\.h$";                                      who[n] = " encoder query formats eval cli serve "
    lib[++n] = "^libxml/";                                           who[n] = " formats "
    lib[++n] = "^sqlite3\\.h$";                                      who[n] = " index sql "
    lib[++n] = "^sqlite3ext\\.h$";                                   who[n] = " sql "
    lib[++n] = "^faiss/";                                            who[n] = " index "
    lib[++n] = "^xxhash\\.h$";                                       who[n] = " index decoder ingest "
    lib[++n] = "^libav|^libsw|^libheif/|^webp/|^seccomp\\.h$|^turbojpeg\\.h$|^linux/landlock\\.h$"; who[n] = " program "
    lib[++n] = "^curl/";                                             who[n] = " cli "
    lib[++n] = "^microhttpd\\.h$";                                   who[n] = " serve "
    lib[++n] = "^libpq";                                             who[n] = " index "
    lib[++n] = "^check\\.h$";                                        who[n] = " "
}
FNR == 1 {
    from = FILENAME; sub(/^\.\//, "", from)
    if (root != "") sub("^" root "/", "", from)
    folder = from
    if (!sub(/\/.*/, "", folder)) folder = ""
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, q, "\""); inc = q[2]
    target = inc
    if (!sub(/\/.*/, "", target)) target = ""
    if (inc == "ks.h") next
    if (folder == "") { print from ": ks.h includes nothing of ours, not " inc; bad = 1; next }
    if (target == "") { print from ": " inc " is named without its folder"; bad = 1; next }
    if (from == "cli/cmd_serve.c" && inc == "serve/serve.h") next # the one door between the two: the command that starts it
    if (index(may[folder], " " target " ") == 0) { print from ": must not include " inc; bad = 1; next }
    if (from ~ /^index\/(search|all_scores|spans|mapped_segments|segment|segment_write|sweep|top|score|ann|ann_build|coarse|coarse_judge|publish|publish_file)\.[ch]$/ &&
        inc ~ /^index\/(catalog|filter|salvage)\.h$/) { print from ": sees store.h alone, not " inc; bad = 1; next }
    if (target != folder && folder != "tests" && inc != target "/" target ".h") { print from ": " inc " is private to " target "/"; bad = 1 }
}
/^[ \t]*#[ \t]*include[ \t]*</ {
    inc = $0; sub(/^[^<]*</, "", inc); sub(/>.*/, "", inc)
    if (folder == "tests") next
    room = folder
    for (i = 1; i <= n; i++) {
        if (inc !~ lib[i]) continue
        if (who[i] == " program ") ok = (from ~ /^decoder\/decoder_/) || folder == "serve" && inc ~ /^seccomp|^linux\/landlock/
        else ok = index(who[i], " " room " ") > 0
        if (!ok) { print from ": " room "/ may not include <" inc ">"; bad = 1 }
    }
}
END { exit bad }
