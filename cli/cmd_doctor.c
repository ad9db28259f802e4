/* cmd_doctor.c - `doctor` and --version: what this build and this machine are made of. */
#include "cli/cache_room.h"
#include "cli/commands.h"
#include "cli/hub_library.h"
#include "cli/http.h"
#include "cli/player.h"
#include "cli/terminal.h"
#include "formats/formats.h"
#include "ingest/ingest.h"

#include <ctype.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MOST = 64 };

typedef struct {
    int json, clear;
} doctor_fields;

static const ks_option options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(doctor_fields, json), NULL, "one JSON object"},
    {0, "clear-cache", KS_OPT_FLAG, offsetof(doctor_fields, clear), NULL,
     "take away what is kept between runs"},
    {0},
};

typedef struct {
    const char *part;
    ks_fact at[MOST];
    int n;
} section;

typedef struct {
    char path[PATH_MAX]; /* "" none */
    int64_t free_bytes;  /* of its disk; -1: no such place */
} place;

/* What was found out, before it is said in words or as JSON. */
typedef struct {
    int cores;      /* for this process; 0: not known */
    int64_t memory; /* bytes; 0: not known */
    place library, cache;
    int hub;               /* 1: library is the mirror of one */
    int64_t kept, most;    /* bytes of its pictures that are kept here */
    ks_cache_room room;    /* of the cache */
    char *decoder, *model; /* paths; NULL: missing, and why */
    const char *model_name;
    char no_decoder[200], no_model[200];
    ks_info info; /* of the model, where it is */
    section encoder, gpu, index, decoding, network;
    const ks_settings *settings; /* NULL: --version, which looks at none */
} found;

static void machine(found *f)
{
    cpu_set_t cpus;
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) f->cores = CPU_COUNT(&cpus);
    if (pages > 0) f->memory = (int64_t)pages * (int64_t)page;
}

static void disk(place *p, const char *path)
{
    struct statvfs v;
    char folder[PATH_MAX], *slash;

    snprintf(p->path, sizeof p->path, "%s", path);
    snprintf(folder, sizeof folder, "%s", path);
    p->free_bytes = -1;
    while (statvfs(folder, &v) != 0) { /* the folder may not be there yet: its disk is */
        slash = strrchr(folder, '/');
        if (!strcmp(folder, "/") || !strcmp(folder, ".")) return;
        /* what is left of the path: the folder we stand in, or the root */
        if (!slash || slash == folder) snprintf(folder, sizeof folder, "%s", slash ? "/" : ".");
        else *slash = 0;
    }
    p->free_bytes = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}

/* "" where there is none. */
static void cache_folder(char cache[PATH_MAX])
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int own = xdg && *xdg == '/', known = own || (home && *home == '/');

    snprintf(cache, PATH_MAX, "%s%s%s",
             own     ? xdg
             : known ? home
                     : "",
             known && !own ? "/.cache" : "", known ? "/kinoseek" : "");
}

static void mirror(found *f, const ks_globals *g)
{
    char path[PATH_MAX], *folder = NULL;
    ks_hub_roots roots;
    ks_error ignored;

    f->hub = 1;
    if (ks_hub_here(&folder, &roots, g, &ignored) < 0) return;
    snprintf(path, sizeof path, "%s/mirror", folder);
    disk(&f->library, path);
    ks_hub_cached(&f->kept, &f->most, path);
    ks_hub_roots_free(&roots);
    free(folder);
}

static void places(found *f, const ks_globals *g)
{
    char *tokenizer = NULL, cache[PATH_MAX];
    ks_error e;

    if (g->library && ks_hub_is(g->library)) mirror(f, g);
    else if (g->library) disk(&f->library, g->library);
    cache_folder(cache);
    if (cache[0]) {
        disk(&f->cache, cache);
        ks_cache_look(&f->room, cache, 0, &e); /* what cannot be looked at is not counted */
    }
    if (ks_locate_decoder(&f->decoder, &g->setup, &e) < 0)
        snprintf(f->no_decoder, sizeof f->no_decoder, "%.199s", e.msg);
    f->model_name = g->setup.model ? g->setup.model : ks_default_model(&g->setup);
    if (ks_locate_model(&f->model, &tokenizer, &g->setup, f->model_name, &e) < 0 ||
        ks_model_info(&f->info, f->model, &e) < 0) {
        snprintf(f->no_model, sizeof f->no_model, "%.199s", e.msg);
        free(f->model);
        f->model = NULL;
    }
    free(tokenizer);
}

static void gather(found *f, const ks_globals *g)
{
    machine(f);
    f->settings = g->settings;
    places(f, g);
    f->encoder.part = "encoder";
    f->encoder.n = ks_encoder_about(f->encoder.at, MOST);
    f->gpu.part = "gpu";
    f->gpu.n = ks_gpu_about(f->gpu.at, MOST, f->model ? f->info.hash : NULL);
    f->index.part = "index";
    f->index.n = ks_index_about(f->index.at, MOST);
    f->decoding.part = "decoder";
    if (f->decoder) f->decoding.n = ks_decoder_about(f->decoder, f->decoding.at, MOST);
    if (f->decoding.n < 0) f->decoding.n = 0;
    f->network.part = "network";
    f->network.at[0].name = "libcurl";
    ks_http_about(f->network.at[0].value, sizeof f->network.at[0].value);
    f->network.n = 1 + ks_server_about(f->network.at + 1, MOST - 1);
}

static void drop(found *f)
{
    free(f->decoder);
    free(f->model);
    free(f);
}

/* --- in words --- */
static void line(FILE *out, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void line(FILE *out, const char *name, const char *format, ...)
{
    va_list args;

    fprintf(out, "  %-18s ", name);
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
    fputc('\n', out);
}

static void print_place(const char *name, const place *p, const char *none)
{
    if (!p->path[0]) line(stdout, name, "none: %s", none);
    else if (p->free_bytes < 0) line(stdout, name, "%s (no such place)", p->path);
    else line(stdout, name, "%s, %.1f GB free", p->path, (double)p->free_bytes / 1e9);
}

static void print_machine(const found *f)
{
    char bytes[32];

    puts("machine");
    if (f->cores) line(stdout, "cores", "%d for this process", f->cores);
    if (f->memory) line(stdout, "memory", "%.1f GB", (double)f->memory / 1e9);
    puts("places");
    print_place(f->hub ? "mirror" : "library", &f->library,
                "neither HOME nor XDG_DATA_HOME is set");
    if (f->hub)
        line(stdout, "", "%s of the hub's pictures and frame vectors kept there, %lld MiB at most",
             ks_bytes(bytes, f->kept), (long long)(f->most >> 20));
    print_place("cache", &f->cache, "neither HOME nor XDG_CACHE_HOME is an absolute path");
    if (f->cache.path[0])
        line(stdout, "", "%s in %lld files; --clear-cache takes them away",
             ks_bytes(bytes, f->room.bytes), (long long)f->room.files);
    line(stdout, "decoder", "%s%s",
         f->decoder ? "" : "missing: ", f->decoder ? f->decoder : f->no_decoder);
    if (f->model)
        line(stdout, "model", "%s: %s, D %d, T %d, %s", f->model_name, f->model, f->info.dim,
             f->info.frames, f->info.dtype);
    else line(stdout, "model", "%s: %s", f->model_name, f->no_model);
}

/* What doctor prints is shown to others. A password is refused wherever an address is used. */
static const char *address(const char *hub)
{
    const char *host = strstr(hub, "://");
    size_t n = host ? strcspn(host + 3, "/?") : 0;
    const char *at = host ? memrchr(host + 3, '@', n) : NULL;
    int secret = strstr(hub, "password") || (at && memchr(host + 3, ':', (size_t)(at - host - 3)));
    return secret ? "a hub, with a password that is refused and not shown" : hub;
}

/* What holds, whoever said it; NULL: nothing does. */
static const char *setting(const found *f, int key)
{
    switch ((ks_setting_key)key) {
    case KS_SET_LIBRARY:
        if (f->hub) return address(f->settings->at[key].value);
        return f->library.path[0] ? f->library.path : NULL;
    case KS_SET_MODEL: return f->model_name;
    case KS_SET_PLAYER: return f->settings->at[key].value ? f->settings->at[key].value : KS_PLAYER;
    default: return f->settings->at[key].value;
    }
}

static void print_settings(const found *f)
{
    static const char *const said_by[KS_SETTINGS] = {"-L", "-m", NULL, NULL};

    puts("settings");
    if (f->settings->path)
        line(stdout, "file", "%s%s", f->settings->path,
             f->settings->is_there ? "" : " (not there)");
    for (int i = 0; i < KS_SETTINGS; i++) {
        const ks_setting *s = &f->settings->at[i];
        const char *value = setting(f, i), *said = s->from == KS_FROM_OPTION ? said_by[i]
                                                   : s->from == KS_FROM_ENVIRONMENT
                                                       ? ks_setting_variables[i]
                                                       : "default";
        if (s->from == KS_FROM_FILE)
            line(stdout, ks_setting_keys[i], "%s (line %d of the file)", value, s->line);
        else line(stdout, ks_setting_keys[i], "%s (%s)", value ? value : "none", said);
    }
}

static void print_parts(FILE *out, const found *f)
{
    const section *all[] = {&f->encoder, &f->gpu, &f->index, &f->decoding, &f->network};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        fprintf(out, "%s\n", all[i]->part);
        for (int j = 0; j < all[i]->n; j++)
            line(out, all[i]->at[j].name, "%s", all[i]->at[j].value);
    }
}

int ks_print_version(FILE *out, const ks_globals *g)
{
    found *f = calloc(1, sizeof *f);

    fprintf(out, "kinoseek %s\n", KS_VERSION);
    if (!f) return 0;
    gather(f, g);
    print_parts(out, f);
    drop(f);
    return 0;
}

/* --- as JSON --- */
/* "OpenBLAS core" -> "openblas_core". */
static void key_of(char key[64], const char *name)
{
    size_t i = 0;

    for (; name[i] && i < 63; i++)
        key[i] = name[i] == ' ' ? '_' : (char)tolower((unsigned char)name[i]);
    key[i] = 0;
}

static void words(ks_json *j, const char *key, const char *list, const char *between)
{
    char copy[160], *save = NULL;

    snprintf(copy, sizeof copy, "%s", list);
    ks_json_open(j, key, '[');
    for (char *word = strtok_r(copy, between, &save); word; word = strtok_r(NULL, between, &save))
        ks_json_text(j, NULL, word);
    ks_json_close(j);
}

/* One fact: a list, null for what is "not here (...)", else the value without the remark behind
 * a semicolon. */
static void fact_json(ks_json *j, const ks_fact *fact)
{
    char key[64], value[160];

    key_of(key, fact->name);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(fact->value, ";"), fact->value);
    if (strcmp(key, "hwaccels") == 0 || strcmp(key, "cpu_path") == 0) words(j, key, value, " ");
    else if (strcmp(key, "sandbox") == 0) words(j, key, value, ", ");
    else ks_json_text(j, key, strncmp(value, "not here", 8) == 0 ? NULL : value);
}

static void section_json(ks_json *j, const section *s)
{
    ks_json_open(j, s->part, '{');
    for (int i = 0; i < s->n; i++) fact_json(j, &s->at[i]);
    ks_json_open(j, "notes", '[');
    for (int i = 0; i < s->n; i++) {
        const char *remark = strstr(s->at[i].value, "; ");
        if (remark) ks_json_text(j, NULL, remark + 2);
    }
    ks_json_close(j);
    ks_json_close(j);
}

static void place_json(ks_json *j, const char *key, const place *p, const ks_cache_room *room)
{
    if (!p->path[0]) {
        ks_json_text(j, key, NULL);
        return;
    }
    ks_json_open(j, key, '{');
    ks_json_path(j, "path", p->path);
    if (p->free_bytes >= 0) ks_json_int(j, "free_bytes", p->free_bytes);
    else ks_json_text(j, "free_bytes", NULL);
    if (room) {
        ks_json_int(j, "bytes", room->bytes);
        ks_json_int(j, "files", room->files);
    }
    ks_json_close(j);
}

static void settings_json(ks_json *j, const found *f)
{
    static const char *const from[] = {"default", "file", "environment", "option"};

    ks_json_open(j, "settings", '{');
    if (f->settings->path) {
        ks_json_open(j, "file", '{');
        ks_json_path(j, "path", f->settings->path);
        ks_json_bool(j, "exists", f->settings->is_there);
        ks_json_close(j);
    } else {
        ks_json_text(j, "file", NULL);
    }
    for (int i = 0; i < KS_SETTINGS; i++) {
        const char *value = setting(f, i);
        ks_json_open(j, ks_setting_keys[i], '{');
        if (value) ks_json_path(j, "value", value);
        else ks_json_text(j, "value", NULL);
        ks_json_text(j, "from", from[f->settings->at[i].from]);
        if (f->settings->at[i].line) ks_json_int(j, "line", f->settings->at[i].line);
        ks_json_close(j);
    }
    ks_json_close(j);
}

static void model_json(ks_json *j, const found *f)
{
    ks_json_open(j, "model", '{');
    ks_json_text(j, "name", f->model_name);
    if (f->model) {
        ks_json_path(j, "path", f->model);
        ks_json_int(j, "dim", f->info.dim);
        ks_json_int(j, "frames", f->info.frames);
        ks_json_text(j, "dtype", f->info.dtype);
    } else {
        ks_json_text(j, "path", NULL);
        ks_json_text(j, "error", f->no_model);
    }
    ks_json_close(j);
}

static void print_json(const found *f)
{
    ks_json j;

    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "version", KS_VERSION);
    ks_json_open(&j, "machine", '{');
    ks_json_int(&j, "cores", f->cores);
    ks_json_int(&j, "memory_bytes", f->memory);
    ks_json_close(&j);
    ks_json_open(&j, "places", '{');
    place_json(&j, "library", &f->library, NULL);
    if (f->hub) {
        ks_json_open(&j, "hub_cache", '{');
        ks_json_int(&j, "bytes", f->kept);
        ks_json_int(&j, "most", f->most);
        ks_json_close(&j);
    }
    place_json(&j, "cache", &f->cache, &f->room);
    if (f->decoder) ks_json_path(&j, "decoder", f->decoder);
    else ks_json_text(&j, "decoder", NULL);
    model_json(&j, f);
    ks_json_close(&j);
    settings_json(&j, f);
    section_json(&j, &f->encoder);
    section_json(&j, &f->gpu);
    section_json(&j, &f->index);
    section_json(&j, &f->decoding);
    section_json(&j, &f->network);
    ks_json_close(&j);
}

static int clear(const doctor_fields *o, ks_error *e)
{
    char cache[PATH_MAX], bytes[32], files[64];
    ks_cache_room room;
    ks_json j;

    cache_folder(cache);
    if (!cache[0])
        return ks_fail(e, KS_EUSAGE,
                       "there is no cache: neither HOME nor XDG_CACHE_HOME is an absolute path");
    int err = ks_cache_look(&room, cache, 1, e);
    if (err < 0) return err;
    if (!o->json) {
        printf("%s: %s taken away, %s", cache, ks_counted(files, room.files, "file"),
               ks_bytes(bytes, room.bytes));
        if (room.others > 0) printf("; left: %lld that are not kinoseek's", (long long)room.others);
        putchar('\n');
        return 0;
    }
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_path(&j, "cleared", cache);
    ks_json_int(&j, "files", room.files);
    ks_json_int(&j, "bytes", room.bytes);
    ks_json_int(&j, "others", room.others);
    ks_json_close(&j);
    return 0;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const doctor_fields *o = fields;
    found *f;

    (void)args;
    if (n > 0) return ks_fail(e, KS_EUSAGE, "takes no arguments");
    if (o->clear) return clear(o, e);
    if (!(f = calloc(1, sizeof *f))) return ks_fail(e, KS_ENOMEM, "no memory");
    gather(f, g);
    if (o->json) {
        print_json(f);
    } else {
        printf("kinoseek %s\n", KS_VERSION);
        print_machine(f);
        print_settings(f);
        print_parts(stdout, f);
        puts("measure");
        line(stdout, "your own films",
             "how well this library answers you: kinoseek eval mine FILE");
    }
    drop(f);
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
