/* cmd_doctor.c - `doctor` and --version: what this build and this machine are made of. */
#include "cli/commands.h"
#include "cli/http.h"
#include "cli/terminal.h"
#include "formats/formats.h"
#include "ingest/ingest.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MOST = 64, PARTS = 6 };

typedef struct {
    int json;
} doctor_fields;

static const ks_option options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(doctor_fields, json), NULL, "one JSON object"},
    {0},
};

typedef struct {
    const char *part;
    ks_fact at[MOST];
    int n;
} section;

static void say(section *s, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(section *s, const char *name, const char *format, ...)
{
    va_list args;

    if (s->n == MOST)
        return;
    s->at[s->n].name = name;
    va_start(args, format);
    vsnprintf(s->at[s->n++].value, sizeof s->at[0].value, format, args);
    va_end(args);
}

static void machine(section *s)
{
    cpu_set_t cpus;
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

    s->part = "machine";
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
        say(s, "cores", "%d for this process", CPU_COUNT(&cpus));
    if (pages > 0)
        say(s, "memory", "%.1f GB", (double)pages * (double)page / 1e9);
}

static void disk(section *s, const char *name, const char *path)
{
    struct statvfs v;
    char folder[PATH_MAX], *slash;

    snprintf(folder, sizeof folder, "%s", path);
    while (statvfs(folder, &v) != 0) { /* the folder may not be there yet: its disk is */
        slash = strrchr(folder, '/');
        if (!strcmp(folder, "/") || !strcmp(folder, ".")) {
            say(s, name, "%.120s (no such place)", path);
            return;
        }
        if (!slash || slash == folder) /* what is left of the path: the folder we stand in, or the root */
            snprintf(folder, sizeof folder, "%s", slash ? "/" : ".");
        else
            *slash = 0;
    }
    say(s, name, "%.100s, %.1f GB free", path, (double)v.f_bavail * (double)v.f_frsize / 1e9);
}

static void places(section *s, const ks_globals *g)
{
    char *path = NULL, *tokenizer = NULL, cache[PATH_MAX];
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *name = g->setup.model ? g->setup.model : ks_default_model(&g->setup);
    ks_error e;
    ks_info info;

    s->part = "places";
    if (g->library)
        disk(s, "library", g->library);
    else
        say(s, "library", "%s", "none: neither HOME nor XDG_DATA_HOME is set");
    snprintf(cache, sizeof cache, "%s%s/kinoseek", xdg && *xdg == '/' ? xdg : home ? home : "", xdg && *xdg == '/' ? "" : "/.cache");
    if ((xdg && *xdg == '/') || (home && *home == '/'))
        disk(s, "cache", cache);
    else
        say(s, "cache", "%s", "none: neither HOME nor XDG_CACHE_HOME is an absolute path");
    if (ks_locate_decoder(&path, &g->setup, &e) == 0)
        say(s, "decoder", "%.150s", path);
    else
        say(s, "decoder", "missing: %.140s", e.msg);
    free(path);
    path = NULL;
    if (ks_locate_model(&path, &tokenizer, &g->setup, name, &e) == 0 && ks_model_info(&info, path, &e) == 0)
        say(s, "model", "%.30s: %.100s, D %d, T %d, %s", name, path, info.dim, info.frames, info.dtype);
    else
        say(s, "model", "%.30s: %.120s", name, e.msg);
    free(path);
    free(tokenizer);
}

static void gather(section s[PARTS], const ks_globals *g)
{
    char *decoder = NULL;
    ks_error e;

    memset(s, 0, PARTS * sizeof *s);
    machine(&s[0]);
    places(&s[1], g);
    s[2].part = "encoder";
    s[2].n = ks_encoder_about(s[2].at, MOST);
    s[3].part = "index";
    s[3].n = ks_index_about(s[3].at, MOST);
    s[4].part = "decoder";
    if (ks_locate_decoder(&decoder, &g->setup, &e) == 0)
        s[4].n = ks_decoder_about(decoder, s[4].at, MOST);
    if (s[4].n < 0)
        s[4].n = 0;
    s[5].part = "network";
    s[5].at[0].name = "libcurl";
    ks_http_about(s[5].at[0].value, sizeof s[5].at[0].value);
    s[5].n = 1;
    free(decoder);
}

static void print_sections(FILE *out, const section *s, int n)
{
    for (int i = 0; i < n; i++) {
        fprintf(out, "%s\n", s[i].part);
        for (int j = 0; j < s[i].n; j++)
            fprintf(out, "  %-18s %s\n", s[i].at[j].name, s[i].at[j].value);
    }
}

int ks_print_version(FILE *out, const ks_globals *g)
{
    section *s = calloc(PARTS, sizeof *s);
    ks_globals with = *g;

    fprintf(out, "kinoseek %s\n", KS_VERSION);
    if (!s)
        return 0;
    if (!with.library) /* only doctor says where it is */
        with.library = "/";
    gather(s, &with);
    print_sections(out, s + 2, PARTS - 2);
    free(s);
    return 0;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const doctor_fields *f = fields;
    section *s = calloc(PARTS, sizeof *s);
    ks_json j;

    (void)args;
    if (n > 0 || !s) {
        free(s);
        return n > 0 ? ks_fail(e, KS_EUSAGE, "takes no arguments") : ks_fail(e, KS_ENOMEM, "no memory");
    }
    gather(s, g);
    if (f->json) {
        ks_json_start(&j, stdout);
        ks_json_open(&j, NULL, '{');
        ks_json_text(&j, "version", KS_VERSION);
        for (int i = 0; i < PARTS; i++) {
            ks_json_open(&j, s[i].part, '{');
            for (int k = 0; k < s[i].n; k++)
                ks_json_text(&j, s[i].at[k].name, s[i].at[k].value);
            ks_json_close(&j);
        }
        ks_json_close(&j);
    } else {
        printf("kinoseek %s\n", KS_VERSION);
        print_sections(stdout, s, PARTS);
    }
    free(s);
    return 0;
}

extern const ks_command ks_cmd_doctor;
const ks_command ks_cmd_doctor = {
    .name = "doctor",
    .brief = "Say what this build and this machine are made of",
    .options = options,
    .fields = sizeof(doctor_fields),
    .alone = 1,
    .run = run,
};
