/* man_notes.c - the man pages' tables: JSON members, and what a person asks once and then knows. */
#include "cli/man_page.h"

#include <stddef.h>

#define ROWS  "search,similar,label,labels,clips,sample,outliers"
#define EVALS "eval retrieval,eval classify,eval multilabel,eval choice"
const ks_man_field ks_man_fields[] = {
    {"search,similar", "rank", "from 1, best first"},
    {"label", "rank", "1: the best label of its clip; of intervals always 1"},
    {"clips,sample,outliers", "id", "number of the clip; search --like takes it"},
    {ROWS, "path",
     "of the film, absolute; where it is not UTF-8 its bytes are path_bytes, in base64"},
    {ROWS, "start", "seconds from the start of the film as players show it, with milliseconds"},
    {ROWS, "end", "seconds; the first that is no more of it"},
    {"search,similar", "best", "seconds: the frame where the question fits best"},
    {"labels", "rank", "1: the best label of its clip; of intervals always 1"},
    {"labels", "label", "as it was asked for, or taught"},
    {"labels", "score", "as label gave it; 1 where a person said it"},
    {"labels", "cosine", "of the question and clip; 0 where a person said it"},
    {"labels", "said", "true: a person's word; else left out"},
    {"labels", "set", "without SET: its name"},
    {"labels", "how", "without SET: which, each, intervals, whole; said: begun by --read"},
    {"labels", "labels", "without SET: in it"},
    {"labels", "films", "without SET: labelled so far; of how said: that people said something of"},
    {"labels", "spans", "without SET: stored"},
    {"labels", "said", "without SET: moments that people said something of"},
    {"label", "label", "as it stands in the file of labels; where nothing fits the name of --none"},
    {"search,similar", "score", "0 to 1: how far above chance in this library (SCORES)"},
    {"label", "score",
     "share of this label among all that were given (softmax at temperature 0.01); of a span the "
     "mean over its clips, which all have the label at that rank; with --per-video the largest of "
     "any clip, so that the scores of all labels need not sum to 1. With --each and --intervals: "
     "whether it is there (SCORES)"},
    {"search,similar,label", "cosine", "raw, between the vectors of question and clip"},
    {ROWS, "video", "number of the film; --in takes it"},
    {"search,similar", "clips", "numbers of the clips that were joined, best first"},
    {"search,similar,clips,sample,outliers", "date", "of the film, seconds since 1970 UTC"},
    {"search,similar,clips,sample,outliers", "date_source",
     "where that is from: maker, container, name (of the file), mtime"},
    {"search,similar", "query", "the words, or the file, that was asked about"},
    {"search,similar", "explain", "--explain: where the score comes from"},
    {"search,similar", "explain.terms",
     "of each term: cosine, level (cosine of score 0), unit (of a deviation), cut (deviations at "
     "score 0.5; 0: none), score"},
    {"search,similar", "explain.frames",
     "of each kept frame of the moment: t (seconds), cosine, score"},
    {"search,similar", "parts",
     "of a question of several terms, the clips it was found by; left out where there is one term"},
    {"search,similar", "parts.term", "number of the term as typed, from 1"},
    {"search,similar", "parts.start", "seconds"},
    {"search,similar", "parts.end", "seconds"},
    {"search,similar", "parts.best", "seconds: the frame where the term fits best"},
    {"search,similar", "parts.score",
     "0 to 1, of the term with its weight; the moment's score is the least of them"},
    {"search,similar", "copies",
     "other paths of the same film, and of near copies that are not shown; left out where there "
     "are none"},
    {"search,similar", "more_copies", "how many of them are not named"},
    {"search", "by",
     "name: nothing of the film was seen to fit, but it, or a folder it lies in, has all the words "
     "of the question in its name (the whole film; score and cosine 0; below what is seen, while "
     "there is room up to -k); said: a line of subtitles; else left out"},
    {"search,similar", "said",
     "lines of subtitles near it that --said asked for (of --said alone: the line): start, end "
     "(seconds), text; left out where there are none"},
    {"search,similar", "surveyed", "true where its best clip is of a survey; else left out"},
    {"search,similar", "sharpened",
     "true where its best clip was encoded by this very --closer; else left out"},
    {"search,similar", "missing", "true where the file is not where it was; else left out"},
    {"curve", "t", "seconds from the start of the film: where the frame begins to be shown"},
    {"curve", "score", "0 to 1, as in search: 0.5 is the cut-off"},
    {"curve", "cosine",
     "raw, between the words and the frame; of a frame that several clips hold, their mean"},
    {"dupes", "group", "from 1; its rows follow one another, the one to keep first"},
    {"dupes", "kind",
     "equal (bytes), near (films), takes (of one scene), shared (a moment of films that have "
     "more)"},
    {"dupes", "path", "of the file, absolute; path_bytes where it is not UTF-8"},
    {"dupes", "video", "number of the film; --in takes it"},
    {"dupes", "start", "seconds: of the whole film 0, else where what is shared begins"},
    {"dupes", "end", "seconds"},
    {"dupes", "cosine",
     "mean over the clips, each with its like in the one to keep; takes: of the films' means; "
     "equal: 1"},
    {"dupes", "keep",
     "false where all of it is in the one to keep (takes: where another one is better)"},
    {"dupes", "why", "it is kept, or may go: one clause, for people"},
    {"saved", "name", "of the kept query"},
    {"saved", "words", "as typed"},
    {"saved", "options", "of the search, as words of a command line"},
    {"saved", "told", "hits that were told"},
    {"saved", "waiting", "hits that the next ingest tells"},
    {"clips,sample,outliers", "frames", "how many were encoded"},
    {"clips,sample,outliers", "reason",
     "why it ends there: window, shot, tail, still; survey: what one picture of a film stands for "
     "that is not wholly "
     "in yet"},

    {"ingest", "event",
     "file; subtitles, where some were read; saved, where a kept query has found something; or at "
     "the end done"},
    {"ingest", "name", "saved: of the kept query"},
    {"ingest", "hit", "saved: an object as kinoseek-search gives it"},
    {"ingest", "path", "file: absolute; path_bytes where it is not UTF-8"},
    {"ingest", "verdict", "file: indexed, partly, unchanged, moved, copied, skipped, failed, gone"},
    {"ingest", "was",
     "file, unchanged: the verdict of the run that looked at it (indexed, partly, skipped)"},
    {"ingest", "reason",
     "file: why it is not wholly in; \"\" where it is; subtitles: what is to be said of them, or "
     "why "
     "they cannot be read"},
    {"ingest", "lines", "subtitles: of that film or file"},
    {"ingest", "clips", "of the file; done: of the run"},
    {"ingest", "seconds", "file: of its picture"},
    {"ingest", "seconds_missing", "file: that could not be decoded"},
    {"ingest", "files", "done: that were looked at"},
    {"ingest", "left",
     "done: not begun or not finished (--budget, Ctrl-C, a file that keeps changing); the same "
     "command goes on"},
    {"ingest", "video_seconds", "done: that were indexed"},
    {"ingest", "wall_seconds", "done: that it took"},
    {"ingest", "x_realtime", "done: video_seconds a wall second"},

    {"status", "library", "its folder"},
    {"status", "id", "random, of this library alone"},
    {"status", "videos", "films that searches see"},
    {"status", "files", "paths of them, and of files that are not wholly in"},
    {"status", "clips", "that searches see"},
    {"status", "video_seconds", "that searches see"},
    {"status", "unfinished", "films that are begun"},
    {"status", "surveyed", "films that are searched by their survey alone"},
    {"status", "bad", "files that are partly in, skipped or failed"},
    {"status", "generation", "grows with every change that a search sees"},
    {"status", "model_hash", "of weights and tokenizer; model info says the same"},
    {"status", "model", "last path of the checkpoint"},
    {"status", "tokenizer", "last path of the tokenizer"},
    {"status", "dim", "numbers a vector"},
    {"status", "frames", "a clip"},
    {"status", "precision",
     "of the vectors: fp32, bf16, fp32+bf16, int8; fp32/bf16 where an older kinoseek made them"},
    {"status", "bytes_catalog", "of catalog.db and its log"},
    {"status", "bytes_copies", "of the search copies"},
    {"status", "bytes_clips", "of the catalog: vectors"},
    {"status", "bytes_frames", "of the catalog: frame vectors"},
    {"status", "bytes_thumbnails", "of the catalog: pictures"},
    {"status", "copy",
     "how a search without a filter goes: exact, IVF1024 ...; \"\" from the catalog alone"},
    {"status", "recall",
     "share of the true ten nearest that the FAISS copy finds, measured here; null without one"},
    {"status", "writer_pid", "process that writes now; 0: none"},
    {"status", "ingest", "the ingest at work, as below; null where none is"},
    {"status", "ingest.pid", "its process"},
    {"status", "ingest.files", "files done"},
    {"status", "ingest.files_total", "files to do"},
    {"status", "ingest.clips", "clips done"},
    {"status", "ingest.video_seconds", "done"},
    {"status", "ingest.video_seconds_total", "in all, guessed from the bytes; null at first"},
    {"status", "ingest.wall_seconds", "since it began"},
    {"status", "ingest.x_realtime", "video_seconds a wall second"},
    {"status", "ingest.seconds_left", "guessed; null at first"},
    {"status", "ingest.path", "the newest file at work"},
    {"status", "scale.sentences", "of the background that says what chance is"},
    {"status", "scale.held_out", "more of them, which the cut-off was measured with"},
    {"status", "scale.clips", "that it was measured over"},
    {"status", "scale.cut", "where the cut-off lies, in deviations of chance"},
    {"status", "scale.false_positives", "share of the held-out sentences that find something here"},
    {"status", "scale.pair_mean", "mean cosine of two clips of this library"},
    {"status", "scale.pair_deviation", "its deviation"},
    {"status", "path", "--bad: of a file that is not wholly in"},
    {"status", "verdict", "--bad: partly, skipped, failed"},
    {"status", "reason", "--bad: one sentence"},
    {"status", "seconds_missing", "--bad: that could not be decoded"},
    {"status", "attempts", "--bad: that failed"},

    {"check,repair", "event", "a line a finding (repair: what it did), and at the end done"},
    {"check,repair", "invariant", "its number in kinoseek-catalog(5)"},
    {"check,repair", "clip", "where it is one clip's"},
    {"check,repair", "what", "one sentence"},
    {"check,repair,backup,compact,forget,relocate", "library", "its folder"},
    {"check", "findings", "done: how many"},
    {"repair", "clips", "done: that are whole"},
    {"repair", "files_to_encode_again", "done: films that lost clips; ingest encodes those alone"},
    {"backup", "backup", "folder of the copy"},
    {"backup", "videos", "in the copy"},
    {"backup", "clips", "in the copy"},
    {"backup", "generation", "of the copy"},
    {"worker", "event", "file: one is done; done: the end"},
    {"worker", "path", "of the film here"},
    {"worker", "verdict", "indexed, partly, skipped, failed"},
    {"worker", "reason", "why not wholly"},
    {"worker", "clips", "of the film; done: of all"},
    {"worker", "seconds", "of the film"},
    {"worker", "seconds_missing", "that could not be read"},
    {"worker", "files", "done: films"},
    {"queue", "root", "its name"},
    {"queue", "path", "below the root"},
    {"queue", "state", "queued, working, failed"},
    {"queue", "pass", "survey (of its pictures) or whole"},
    {"queue", "worker", "the machine that has it or had it last"},
    {"queue", "tries", "how often it was claimed"},
    {"queue", "lost", "of those, ended without a word"},
    {"queue", "reason", "why it failed"},
    {"import", "films", "that the hub did not have, or not wholly"},
    {"import", "clips", "of them"},
    {"import", "unchanged", "films that it had"},
    {"sync", "mirror", "its folder"},
    {"sync", "films", "that came or changed"},
    {"sync", "clips", "that came"},
    {"sync", "gone", "films that went"},
    {"sync", "refused", "rows of the hub that do not hold what they should; exit code 3"},
    {"compact", "bytes_before", "of catalog and search copies"},
    {"compact", "bytes_after", "the same, afterwards"},
    {"forget", "forgot", "files"},
    {"relocate", "relocated", "files"},

    {"cut", "file", "the piece"},
    {"cut", "path", "the film"},
    {"cut", "start",
     "seconds of the film where the piece begins: without --reencode at a key frame"},
    {"cut", "end",
     "seconds where it ends: without --reencode a few pictures later, where they need it"},
    {"cut", "asked_start", "as it was asked for"},
    {"cut", "asked_end", "as it was asked for"},
    {"cut", "label", "of the piece, where the list says one"},

    {"export vectors", "file", "that was written"},
    {"export vectors", "rows", "vectors in it"},
    {"export vectors", "dim", "numbers a vector"},
    {"export vectors", "model", "hash of the model"},

    {"embed", "kind", "text, ids, image, video, npy"},
    {"embed", "input", "as it was given"},
    {"embed", "tokens", "of a sentence: the ids that the tower sees, cut at 64"},
    {"embed", "dim", "numbers a vector"},
    {"embed", "vector", "of unit length, with enough digits to read back the same floats"},

    {"eval probe", "task", "probe"},
    {"eval probe", "head", "linear, attentive"},
    {"eval probe", "classes", "in the order of their bytes, as FILE.classes.txt has them"},
    {"eval probe", "train", "films to learn from"},
    {"eval probe", "train_missing", "of them, that could not be read"},
    {"eval probe", "of_one", "classes that learn from one film"},
    {"eval probe", "n", "films to test"},
    {"eval probe", "missing", "of them, that could not be read: they count as wrong"},
    {"eval probe", "shared", "films to test that were learnt from"},
    {"eval probe", "loss", "cross entropy, the mean over the last epoch"},
    {"eval probe", "top1", "share of the films whose class is first; a tie counts against"},
    {"eval probe", "top5", "share of those whose class is among the first five"},
    {"eval probe", "mean_class_top1", "the mean of top1 over the classes"},
    {"eval probe", "top1_low", "of Wilson's interval at 95 %"},
    {"eval probe", "top1_high", "of the same"},

    {"model list", "name", "that -m takes"},
    {"model list", "bytes", "of the checkpoint"},
    {"model list,model info", "path", "where it lies; null: not here yet"},
    {"model info", "kind", "encoder, lvt (video and text vectors), classifier"},
    {"model info", "dim", "D, numbers a vector"},
    {"model info", "heads", "of the attention"},
    {"model info", "mlp", "width of the feed-forward layers"},
    {"model info", "layers.spatial", "of that stack; 0 without it"},
    {"model info", "layers.temporal", "likewise"},
    {"model info", "layers.auxiliary", "likewise"},
    {"model info", "layers.text", "likewise"},
    {"model info", "frames", "T, that it was trained with"},
    {"model info", "grid", "G: a frame is G x G patches"},
    {"model info", "patch", "pixels along a patch"},
    {"model info", "vocabulary", "pieces of the tokenizer; 0 without text"},
    {"model info", "classes", "of a classifier; else 0"},
    {"model info", "text_norm", "pre or primer_hybrid; null without text"},
    {"model info", "parameters", "counted from the tensors"},
    {"model info", "bytes", "of the file"},
    {"model info", "dtype", "f4, f2, bf16"},
    {"model info", "hash", "of weights and tokenizer: who the model is to a library"},
    {"model info", "weights_hash", "of the weights alone"},
    {"model info", "tokenizer", "that goes with it; null without one"},

    {"eval mine", "task", "mine"},
    {"eval mine", "library", "its folder; of a comparison the one that stood before"},
    {"eval mine", "n", "sentences that have a moment"},
    {"eval mine", "missing", "of them whose films are not in the library; they count as wrong"},
    {"eval mine", "r1",
     "share of n whose first moment is a right one (temporal IoU of 0.5 at least); r1_low, "
     "r1_high: Wilson, 95 %; likewise r5, r10"},
    {"eval mine", "r5", "see r1"},
    {"eval mine", "r10", "see r1"},
    {"eval mine", "shown", "of n: their right moment lies above the cut-off"},
    {"eval mine", "withheld", "of n: it is among the first ten, below the cut-off"},
    {"eval mine", "absent", "sentences that nothing here answers"},
    {"eval mine", "absent_answered", "of them: something lies above the cut-off"},
    {"eval mine", "approximate",
     "the same shares by the FAISS copy, and differing: sentences with another rank; left out "
     "where there is none"},
    {"eval mine", "beside", "a comparison: the library that is compared"},
    {"eval mine", "figure", "r1, r5"},
    {"eval mine", "difference",
     "mean of beside less library, with low and high: bootstrap of the sentences, 95 %, 10,000 "
     "resamplings"},
    {"eval mine", "low", "see difference"},
    {"eval mine", "high", "see difference"},
    {"eval mine", "better", "sentences that are right there and not here; worse: the other way"},
    {"eval mine", "worse", "see better"},
    {"eval mine", "seed", "of the resamplings"},
    {EVALS, "task", "retrieval, classify, multilabel, choice"},
    {"eval retrieval", "videos", "in the gallery"},
    {"eval retrieval", "texts", "in the gallery"},
    {"eval classify,eval multilabel", "n", "films that were judged"},
    {"eval choice", "n", "questions"},
    {"eval classify,eval multilabel", "classes", "that there are"},
    {"eval multilabel", "classes_with_none", "of them without a right film: not in the mean"},
    {EVALS, "missing",
     "films and texts without a vector: a question about one counts as wrong, and as an answer to "
     "other questions it is left out (of choice: the question counts as wrong)"},
    {"eval classify", "without_class", "films of the list that the map has no class for: not of n"},
    {"eval retrieval,eval classify,eval choice", "ties",
     "queries whose best right answer scores exactly as a wrong one; they count as wrong"},
    {"eval retrieval", "t2v",
     "text to video: n, r1, r5, r10 (shares from 0 to 1), median_rank, mean_rank, r1_low, r1_high "
     "(Wilson, 95 %)"},
    {"eval retrieval", "v2t", "video to text, likewise"},
    {"eval classify", "top1",
     "share of films whose class comes first; top1_low, top1_high: Wilson, 95 %"},
    {"eval classify", "top5", "among the first five"},
    {"eval classify", "mean_class_top1", "mean over classes"},
    {"eval classify", "top1_low", "see top1"},
    {"eval classify", "top1_high", "see top1"},
    {"eval multilabel", "map",
     "mean over classes with a right film of the average precision, as scikit-learn's"},
    {"eval choice", "accuracy", "share of questions whose right option scores above all others"},
    {"eval choice", "low", "Wilson, 95 %"},
    {"eval choice", "high", "Wilson, 95 %"},
    {EVALS, "protocol", "its name"},
    {EVALS, "variant", "which reading of the data set, where there are several"},
    {EVALS, "open", "what the source leaves open, a list"},
    {EVALS, "chosen", "what was done here, a list"},
    {EVALS, "films_published",
     "of the published set; likewise texts_published, questions_published: compare with videos, "
     "texts, n"},
    {EVALS, "texts_published", "see films_published"},
    {EVALS, "questions_published", "see films_published"},
    {EVALS, "published", "a list: model, figure (t2v.r1 ...), theirs, here, here_low, here_high"},
    {EVALS, "model_hash", "of the model that made the vectors"},
    {EVALS, "templates", "of the texts"},
    {EVALS, "texts_cut", "sentences that lost tokens at 64"},
    {EVALS, "frames", "of a film"},
    {EVALS, "fit", "squash, crop, pad"},
    {EVALS, "films", "kept (from before), made, and missing: a list of id and why"},

    {"doctor", "version", "of kinoseek"},
    {"doctor", "machine.cores", "for this process"},
    {"doctor", "machine.memory_bytes", "of this machine"},
    {"doctor", "places.library", "path and free_bytes of its disk; null without a home"},
    {"doctor", "places.hub_cache",
     "of a hub's mirror: bytes of its thumbnails and frame vectors that are kept here, and how "
     "many "
     "at most; the longest unused go first"},
    {"doctor", "places.cache", "likewise; bytes and files of what is kept in it"},
    {"doctor", "cleared", "--clear-cache: the cache's folder"},
    {"doctor", "files", "--clear-cache: that were taken away"},
    {"doctor", "bytes", "--clear-cache: of them"},
    {"doctor", "others", "--clear-cache: that are not kinoseek's, and stay"},
    {"doctor", "places.decoder", "path of kinoseek-decode; null: missing"},
    {"doctor", "places.model",
     "name, path, dim, frames, dtype; path null and error where it is not there"},
    {"doctor", "settings",
     "file (path, exists); library, model, translate, player: value, from (option, environment, "
     "file, default), and in which line of the file"},
    {"doctor", "encoder",
     "cpu_path (a list), auto_precision, versions of libraries (null: not here); notes for people"},
    {"doctor", "gpu",
     "gpu_0 ...: their names (gpu: null where none is); notes: what each was proven to be worth "
     "with "
     "this model"},
    {"doctor", "index", "versions, vector_scan; notes"},
    {"doctor", "decoder", "sandbox and hwaccels (lists), versions of libav; notes"},
    {"doctor", "network", "versions of libcurl and libmicrohttpd; notes"},
    {NULL, NULL, NULL},
};

#define SEARCHES "search,similar"
#define GLOBS    "search,similar,label,dupes,clips,export vectors"
const ks_man_note ks_man_notes[] = {
    {SEARCHES, "SCORES", NULL,
     "Moments are ranked by cosine. The score says how far that is above chance in this library: "
     "unrelated "
     "sentences are asked of every clip, and the score is 0.5 where held-out ones of them end. "
     "That is the cut-off: of sentences "
     "about what no film shows a few in a hundred are answered (kinoseek status says how many "
     "here), and --all shows what lies "
     "below. A score of 0.5 is not half as good as 1; it is as good as chance hardly ever gets."},
    {SEARCHES, "SCORES", NULL,
     "Where the question is a picture, a film or a clip, the score is scaled by the cosines "
     "between clips of this "
     "library: 0 as any two clips, 1 the same clip. There is no cut-off then, and always as many "
     "moments as -k says."},
    {SEARCHES, "SCORES", NULL,
     "The bar is the score in eight cells, green from 0.5 on. The model's own cosine is behind "
     "--raw; cosines of two "
     "questions, libraries or models cannot be compared."},
    {"save,saved,forget-saved", "KEPT QUERIES", NULL,
     "kinoseek ingest asks every kept query about the films that it finished since "
     "the query was kept or asked last, and tells each hit once: a line, with --json an event, "
     "with --notify CMD a program that gets the "
     "hit as JSON on its standard input (the command is cut at blanks, no shell). Told means "
     "handed over: a run that is killed tells "
     "the rest next time, and nothing twice but for the instant between handing over and noting "
     "it. Seconds of a film that were told are "
     "no news when the film is encoded anew, copied or renamed. What hits wait for a program that "
     "cannot be started, kinoseek saved says."},
    {SEARCHES, "BORDERS", NULL,
     "A moment starts and ends where the clips that were joined do. With --refine it ends where "
     "its frames "
     "turn from what was asked to something else, and where the picture changes: on two drawn "
     "films with known moments the mean overlap "
     "rises from 0.94 and 0.89 to 0.95 and 0.97, and both borders are within a second for 87 and "
     "88 of 100 (84 and 62 without)."},
    {SEARCHES ",curve", "OTHER LANGUAGES", NULL,
     "The model knows English only. --translate CMD, or KINOSEEK_TRANSLATE in the environment, "
     "names a "
     "program that gets the words on its standard input, a line, and writes English ones within 20 "
     "s; they are shown. The command is cut "
     "at blanks; no shell takes part."},
    {"label", "SCORES", NULL,
     "Without --each, --none and --intervals the score says which of these, not whether any: "
     "exp(100 c) of the label, c its cosine with the clip, over the sum of the same over all "
     "labels that were given (a softmax at temperature 0.01). A label's vector is the unit mean of "
     "its sentences': the 28 templates of Kinetics, --template's, the set's, or its own prompts. A "
     "span is a run of clips that touch and bear the label at one rank, its score their mean. Of a "
     "whole video (--per-video) a label's score is the largest that any clip gives it, so that the "
     "scores of all labels need not sum to 1."},
    {"label", "SCORES", NULL,
     "With --each, --none and --intervals labels are asked as they stand, as search asks, but for "
     "templates and prompts that are given. A label "
     "is held against 588 everyday things that the clip might show as well "
     "(those that mean nearly the same left out): the score is 1 / (1 + exp(-(e + 0.6) / 0.3)), "
     "where e is how far the label's cosine lies above "
     "its level here, in deviations of chance, less the soft maximum of the same over those "
     "things. It is 0.5 where, on drawn films whose truth is "
     "known, nine in ten of the moments that show something asked are labelled, and one in seven "
     "of the others. A label's threshold, or --least, takes the place of 0.5. Of a span of clips "
     "it is their mean; of a whole video its best clip's; of nothing (--none) 1 less the best "
     "label's of that clip."},
    {"label", "SCORES", NULL,
     "Of an interval the score is that of its better half: time is cut into half seconds, e of one "
     "is the mean over the clips that cover it, three quarters the clip's and one that of its "
     "frame "
     "there, and the mean over the better half of the interval's takes the place of e; the soft "
     "maximum is sharper there (a temperature of 0.1, else 0.2), and three tenths of what is taken "
     "away are its mean over the film's clips. Of an interval of "
     "nothing it is 1 less the best label's over that time."},
    {"teach", "WORTH", NULL,
     "A label is a logistic regression on clip vectors, both classes of equal weight. Its penalty "
     "is chosen, and its average "
     "precision measured, on films that it was not taught on: neighbouring clips share frames, so "
     "a random split would measure memory. Average precision is the mean, over the yes examples, "
     "of "
     "the share of yes among all that score no less (a tie counts against), each scored by the fit "
     "of the four fifths of the films that are not its own; the interval holds it in 95 of 100 "
     "draws of as many films. It depends on the share of yes among the examples. The label's score "
     "is 1 / (1 + exp(-m)), m its margin on the clip, and 0.5 where 95 of 100 "
     "no's (but no more than half of the yes's) fall "
     "below it. Where the figure says too few, add examples from more films."},
    {"teach", "EXAMPLES", "",
     "kinoseek teach rex --yes a.mov@0:31-0:38 b.mp4@4:12 --no a.mov@1:10\nkinoseek teach rex "
     "--from corrected.eaf\n"
     "kinoseek teach --list\nkinoseek teach rex --export rex.json && kinoseek -L other teach "
     "--import rex.json"},
    {"labels", "READ BACK", NULL,
     "--read takes what ELAN, VIA-3, FiftyOne, Label Studio, ActivityNet, CSV and --json hold (of "
     "FiftyOne and Label Studio also the exported folder) as a person's word; a SET that is not "
     "there begins with it. Spans of one label that overlap are one, from the first start to the "
     "last end. With --whole all that SET had of a film of FILE goes, also where FILE names the "
     "film and holds nothing of it; in CSV that is a row of path, start, end and label with the "
     "last three empty."},
    {"labels,teach,cut,eval mine", "FILMS OF A LIST", NULL,
     "A film is the path as it stands, then that path from the list's own folder, then what films "
     "of the library are called: the name behind the last /, wherever the film lies now (of "
     "several the one whose folders agree), the name without its ending, the name without the 8 "
     "digits that Label Studio puts before an upload, ActivityNet's id without v_. A name that two "
     "films may have is an error that names both."},
    {"label", "LABELS", NULL,
     "A text file has a label a line. A CSV's first line names its columns: name (or label, "
     "class), and where wanted "
     "prompts and not, several between |, parent and threshold. JSON is {\"name\":..., "
     "\"templates\":[\"a {}\"], \"labels\":[\"dog\", {\"name\":..., "
     "\"prompts\":[...], \"not\":[...], \"parent\":..., \"threshold\":x}]}. Prompts are sentences "
     "in place of the templates (\"{}\" in one is the "
     "name); half of what not says is taken away. k400, k600, k700, activitynet, ucf101, hmdb51, "
     "ssv2 and mit are sets that ship (./k400 is a file)."},
    {"dupes", "WHAT IS TWICE", NULL,
     "Likeness of two clips is (cosine - m) / (1 - m), where m is the mean cosine of clips of "
     "different films here (0.5 at most). A film is in another one if there is an offset at which "
     "each of its clips, moved by it, shares half its time with a clip of that film, with a "
     "likeness of 0.5 at least, 0.8 in the mean, 0.95 at best: re-encodes, crops and parts are, "
     "measured on drawn films. A shared moment is two clips or more in a row of which the same is "
     "true."},
    {"dupes", "WHAT IS TWICE", NULL,
     "Takes of one scene: the films' mean vectors, less the library's, have a cosine of 0.6, and "
     "each clip of either has a likeness of 0.5 to one of the other. Of 36 pairs of drawn takes 35 "
     "are found, and no other pair; a take that hardly differs counts as near-equal."},
    {"dupes", "WHICH IS KEPT", NULL,
     "Of equal files one that is there, the oldest, the shortest path. Of near-equal films one "
     "that is in no other comes before one that is; then the whole before the partly indexed, the "
     "largest picture, the longest, the oldest, the shortest path. keep is false only where all of "
     "the film is in the one to keep itself, so that a film of which a part is elsewhere stays. "
     "Mirrored films may pass as near-equal: look before you delete."},
    {"dupes", "LIMITS", NULL,
     "--near and --takes hold all clips' vectors in memory (1.1 kB a clip at 192 numbers, 3.4 at "
     "768) and compare every film's mean with every other for --takes. Films that are surveyed "
     "alone are compared by their bytes."},
    {GLOBS, "GLOBS", NULL,
     "* and ? match any characters, / too; [a-z] one of these; \\ takes the next as it is. Without "
     "a / the file's name "
     "is matched, else the whole path or its end: 'demo/films/*' is the same as '*/demo/films/*'. "
     "Quote them, or the shell does it."},
    {"ingest", "GLOBS", NULL,
     "In --exclude, --include and .kinoseekignore a pattern is what it is in a .gitignore: * stops "
     "at a /, ** does not, "
     "a leading / means the folder that was named (or that the file lies in), a trailing / folders "
     "alone, and ! takes back."},
    {"ingest", "HOW A LIBRARY WAS MADE", NULL,
     "A library remembers --frames, --short-shots, --fit, --window, --hop, --shots, --decode, "
     "--stills, --hidden "
     "and --follow: "
     "what a later ingest does not say is as it was said last. --no-stills, --no-hidden and "
     "--no-follow take back. Without PATH all "
     "folders named before are looked at again, with their --exclude and --include; films that "
     "were named one by one are named again "
     "(--files-from), or their folder is."},
    {"ingest", "SHORT SHOTS", NULL,
     "A shot no longer than the window is one clip of --frames frames, however short it is. Films "
     "that are cut every few seconds take less work with --short-shots of half as many. In drawn "
     "films of such shots 4 frames of 8 took 14.9 s where 8 took 18.5, and found the right moment "
     "first for 92.0 of 100 sentences (8: 93.0, 2: 86.6). It belongs to what makes vectors "
     "comparable, as "
     "--frames does: --switch changes it."},
    {"ingest", "SURVEY", NULL,
     "A survey takes twelve pictures a minute of each new film, from its key frames, newest films "
     "first, where those show shots one of each at least; a picture is a clip of one frame that "
     "stands until the next, so what moves is not seen. The film is "
     "searched after a fraction of the time, hits marked surveyed. Before that comes a glance at "
     "each film of ten minutes or more, one picture every five minutes, so that all that is new is "
     "searched soon; the survey takes its place film by film. The "
     "whole pass then takes its place, "
     "film by film: those of which search --closer encoded most first, then the newest. Without "
     "--survey there is one where more than 8 GiB are new; --survey only "
     "leaves the whole pass to a later run. "
     "Films no longer than a clip have none, nor do those that were begun."},
    {"ingest", "LIMITS", NULL,
     "A clip lasts from 0.1 s to 24 h (--window), times that are typed end at 1e10 s, a film's "
     "clock at 2^32 s. "
     "A film is decoded until 30 s pass without a frame, or 256 MiB of it were never written (a "
     "hole in the file)."},
    {"ingest", "LIMITS", NULL,
     "Should kinoseek itself fail at a film (a fault of ours), that film is 'failed' and the run "
     "goes on."},
    {EVALS, "PROTOCOLS", NULL,
     "msrvtt-1k, vatex, activitynet, didemo, msvd (retrieval); k400, ssv2-temporal, ssv2-events "
     "(classify); charades "
     "(multilabel); nextqa-hard, charades-sta (choice). --annotations takes the data set's own "
     "files, one or several; an unknown file is "
     "answered with what the protocol reads."},
    {"store init,root,sync", "FILES", "~/.local/share/kinoseek/hubs/HASH",
     "what this machine keeps of a hub: roots (where they are mounted here) and mirror, a library; "
     "both may be deleted, the mirror is pulled again"},
    {"root", "FILES", ".kinoseek-root",
     "in a root's folder: the root's id, by which every machine knows it"},
    {"forget,relocate", "A HUB", NULL,
     "With -L postgresql://... all machines forget the path, or have it at the new place, from "
     "their next sync on; the hub's owner may. The new place must lie in a root that is mounted "
     "here. A film of the queue is made at its new place, at another of its paths, or not at all."},
    {"watch", "A HUB", NULL,
     "With -L postgresql://... the paths, or without any all roots that are mounted here, are "
     "watched, and ingest queues what comes and works until the queue is empty. While the hub is "
     "away that is said once, and asked for every few seconds."},
    {"ingest", "A HUB", NULL,
     "With -L postgresql://... what is new below PATH (without one: below every root that is "
     "mounted here) is queued, moves and deletions are told to the hub, and then this machine "
     "works until the queue is empty; with --queue it does not. A film that this machine never "
     "saw in its place is not taken for deleted. Patterns are not remembered there. How clips are "
     "made is said by the hub's first films: the defaults, or the library that was imported. "
     "Surveys (--survey, or where more than 8 GiB are new) are handed out before any whole pass. "
     "--switch, with -m, --precision, --frames, --short-shots or --fit, queues all films for "
     "another model; each worker needs that model. Until they are through, mirrors answer from the "
     "old one, and a film that is new meanwhile is not seen; queue says how far it is. The old "
     "model with --switch calls it off. A film that has failed holds it up until queue retry or "
     "forget."},
    {"worker", "LEASES", NULL,
     "A film is done by one worker at a time. What it makes is sent as it comes, each batch in one "
     "transaction that holds the film's row under the token of the claim; a worker that was frozen "
     "or cut off beyond its lease finds another token there, writes nothing more and goes on with "
     "the next film. The server's clock alone counts. Who takes over begins with the clips that "
     "are there: at most what the last seconds made is made again, with the same bits. While the "
     "hub is away a worker goes on with its film and waits."},
    {"backup", "FROM A HUB", NULL,
     "With -L postgresql://... the copy holds all of the hub, thumbnails and frame vectors too, "
     "and the paths as they are on this machine. One that was stopped goes on where it was."},
    {"sync", "MIRRORS", NULL,
     "search, similar, curve, label, clips, cut, dupes, sample, outliers, export vectors, eval "
     "mine, "
     "serve, status and check take a hub's address after -L and answer from the mirror, after a "
     "sync "
     "(serve: every second). label --store, labels, teach, save and the page write into the mirror "
     "and from there to the hub; where the hub does not let them, nothing is kept. "
     "A library of up to 200,000 clips measures its scale at every sync, so that mirrors of one "
     "state give the same scores; a larger one when it has grown by a tenth."},
    {"store init", "SECURITY", NULL,
     "A password after -L is refused: other users see command lines. ~/.pgpass, or a service in "
     "~/.pg_service.conf (-L service=NAME), holds it. Over TCP without an sslmode the server's "
     "certificate and name are checked (sslmode=verify-full, with sslrootcert as libpq has it). "
     "What a mirror pulls is believed by nobody: rows that do not match their checksums, vectors "
     "that are none and paths that lead out of their root are left out and counted."},
    {"store init", "EXAMPLES", "",
     "kinoseek -L postgresql://db.lan/films store init\n"
     "kinoseek -L service=films root films=/mnt/films\n"
     "kinoseek -L service=films import ~/.local/share/kinoseek/default\n"
     "kinoseek -L service=films search a dog jumping into water"},
    {EVALS, "FILES", "~/.cache/kinoseek/HASH.eval",
     "vectors of films and texts, each as it is made; may be deleted at any time"},
    {"model pull", "FILES", "NAME/FILE.part, FILE.part.from",
     "what came so far, and from where: the same command goes on there. It is never made shorter; "
     "a "
     "transfer that starts over grows in FILE.part.new, a copy in FILE.copy, and FILE is only ever "
     "the file that was checked"},
    {"ingest", "FILES", ".kinoseekignore",
     "in a folder of films: patterns of what to leave out below it"},
    {"ingest", "FILES", "catalog.db, vectors.*",
     "in the library's folder: everything that is known, and search copies that are made anew from "
     "it"},
    {"", "FILES", "~/.local/share/kinoseek/default",
     "the library where none is named (XDG_DATA_HOME): catalog.db, see kinoseek-catalog(5), and "
     "vectors.*, which can be made anew from it"},
    {"", "FILES", "~/.config/kinoseek/config",
     "what holds where neither an option nor the environment says more (XDG_CONFIG_HOME): lines of "
     "key = value, # begins a comment line. library = FOLDER; model = NAME or FILE, of a new "
     "library and of embed and features (an old one keeps its own); translate = CMD; player = "
     "CMD. A path begins with / or ~/. An unknown key is refused. kinoseek doctor shows what holds "
     "and who said it"},
    {"", "FILES", "~/.local/share/kinoseek/models", "models that were pulled"},
    {"", "FILES", "~/.cache/kinoseek",
     "weights prepared for this CPU, vectors of labels, tokens of probes (XDG_CACHE_HOME); may be "
     "deleted at any time (doctor --clear-cache)"},
    {"", "FILES", "DIR/.kinoseekignore", "what ingest leaves out below DIR"},
    {"", "EXAMPLES", "",
     "kinoseek model pull lvt-base\nkinoseek ingest ~/Videos\nkinoseek search a dog jumping into "
     "water\nkinoseek status"},
    {"search,similar", "TERMS", NULL,
     "The words stay as typed. A TERM after an option is words, @FILE[@T] (a picture, a film, a "
     "moment of it) or #CLIP, with a "
     "weight in front where wanted (0.5:fog); after = it is words as typed (=2:1 victory). Without "
     "words --image, --like or the "
     "first --plus begins the question."},
    {"search,similar", "TERMS", "--plus TERM, --minus TERM",
     "added to, or taken away from, the vector of what stands before: a red star --minus red "
     "--plus blue."},
    {"search,similar", "TERMS", "--and TERM, --or TERM, --not TERM",
     "of the same clip, from left to right: the least score, the greatest, no clip where this term "
     "passes its own cut-off. A weight "
     "w makes 1 - w + w * score of a score in --and and --then, w * score in --or, --not and "
     "--unless."},
    {"search,similar", "TERMS", "--then TERM, --within TIME",
     "later in the same film: it begins after the part before began and at most TIME (30 s) after "
     "that ended. --and, --or, --not "
     "behind it belong to it. Several parts pass by chance more seldom than one, so that a "
     "sequence is shown from a lower score on."},
    {"search,similar", "TERMS", "--unless TERM, --within TIME",
     "no answer that this follows within TIME (that of the last --then, or 30 s); it ends the "
     "question."},
    {"search,similar", "TERMS", NULL,
     "A moment's score is the least of its parts' (JSON: parts). Order, number and filters are "
     "exact."},
    {"search", "CLOSER", NULL,
     "search --closer 30s looks again at what a survey found, before it answers: at the 30 best "
     "places, those under the cut-off too. The clips of a picture and four seconds to both sides "
     "are encoded first, then of half a minute, as the whole pass would; it takes them as they "
     "are. They stay, whatever ends the command. While another process writes, the answer is as "
     "surveyed."},
    {"search,similar", "SUBTITLES", "--said WORDS",
     "only moments of which a line of subtitles lies within 3 s that has all the WORDS: whatever "
     "their case and accents, in any order; a \"phrase in quotes\" as it stands; -word (or "
     "-\"a phrase\") not in it. Without anything else to look for, the lines themselves, film by "
     "film in order of time."},
    {"ingest", "SUBTITLES", NULL,
     "Subtitles that are text are read too: streams of a film (SubRip, ASS, WebVTT, mov_text), and "
     "files beside it: FILM.srt, .vtt, .ass, .ssa, with up to two marks as in FILM.en.srt. UTF-8 "
     "and UTF-16 (with its mark) are known, all else is taken for Latin-1, which is said; so is "
     "what "
     "lies beyond 1 MiB of text a file. A film that is in gets its lines without being encoded "
     "again; a "
     "file that changes is read again, one that goes takes its lines along."},
    {"search", "EXAMPLES", "",
     "kinoseek search a dog jumping into water --json | jq -r '.path + \" \" + (.start | "
     "tostring)'\n"
     "kinoseek search sunset --all --print '{date:%Y} {start:tc} {path:name}'\n"
     "kinoseek search --image cover.jpg --per-video 1 --html page.html\n"
     "kinoseek search a cat on a sofa --then 'a dog' --within 10\n"
     "kinoseek search a beach --not people --plus @sunset.jpg\n"
     "kinoseek search --queries words.txt --csv > hits.csv\n"
     "kinoseek search goal --format mpv-edl > goals.edl && mpv goals.edl"},
    {"similar", "EXAMPLES", "",
     "kinoseek similar lake.mp4@4:12 --not-self -k 20\nkinoseek similar lake.mp4 --per-video 1"},
    {"label", "EXAMPLES", "",
     "kinoseek label --labels birds.csv --each --intervals --store birds\nkinoseek search at dawn "
     "--label heron"},
    {"labels", "EXAMPLES", "",
     "kinoseek labels birds --json | jq -r .label | sort | uniq -c\nkinoseek labels birds --format "
     "csv --label heron > herons.csv\n"
     "kinoseek labels birds --read herons.csv"},
    {"label", "EXAMPLES", "",
     "kinoseek label --labels sports.txt --in match.mp4 --format ffmetadata > chapters.txt"},
    {"clips", "EXAMPLES", "",
     "kinoseek clips --json | jq -s 'group_by(.reason) | map({(.[0].reason): length}) | add'"},
    {"status", "EXAMPLES", "",
     "watch -n 5 kinoseek status\nkinoseek status --bad --json | jq -r .path"},
    {"doctor", "EXAMPLES", "", "kinoseek doctor --json | jq .encoder.auto_precision"},
    {NULL, NULL, NULL, NULL},
};
