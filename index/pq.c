/* pq.c - the one file that knows libpq. */
#include "index/pq.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    PQconninfoOption *(*parse)(const char *, char **);
    void (*parse_free)(PQconninfoOption *);
    PGconn *(*start)(const char *const *, const char *const *, int);
    PostgresPollingStatusType (*poll)(PGconn *);
    PQconninfoOption *(*info)(PGconn *);
    ConnStatusType (*status)(const PGconn *);
    int (*socket)(const PGconn *);
    char *(*error)(const PGconn *);
    void (*finish)(PGconn *);
    int (*nonblocking)(PGconn *, int);
    int (*send)(PGconn *, const char *);
    int (*send_params)(PGconn *, const char *, int, const Oid *, const char *const *, const int *,
                       const int *, int);
    int (*single)(PGconn *);
    int (*flush)(PGconn *);
    int (*consume)(PGconn *);
    int (*busy)(PGconn *);
    PGresult *(*result)(PGconn *);
    ExecStatusType (*result_status)(const PGresult *);
    char *(*field)(const PGresult *, int);
    int (*rows)(const PGresult *);
    int (*columns)(const PGresult *);
    int (*is_null)(const PGresult *, int, int);
    int (*length)(const PGresult *, int, int);
    char *(*value)(const PGresult *, int, int);
    void (*clear)(PGresult *);
    void (*free)(void *);
    PQnoticeProcessor (*notices)(PGconn *, PQnoticeProcessor, void *);
} library;

struct ks_pq {
    library lib;
    PGconn *conn;
    double patience;
    int dead;
    char state[6];
    char name[200];
};

enum { INT8 = 20, TEXT = 25, BYTEA = 17, FLOAT8 = 701, INT8S = 1016, BYTEAS = 1001, MOST = 32 };

static int load(library *l, ks_error *e)
{
    static const char *const names[] = {"PQconninfoParse",
                                        "PQconninfoFree",
                                        "PQconnectStartParams",
                                        "PQconnectPoll",
                                        "PQconninfo",
                                        "PQstatus",
                                        "PQsocket",
                                        "PQerrorMessage",
                                        "PQfinish",
                                        "PQsetnonblocking",
                                        "PQsendQuery",
                                        "PQsendQueryParams",
                                        "PQsetSingleRowMode",
                                        "PQflush",
                                        "PQconsumeInput",
                                        "PQisBusy",
                                        "PQgetResult",
                                        "PQresultStatus",
                                        "PQresultErrorField",
                                        "PQntuples",
                                        "PQnfields",
                                        "PQgetisnull",
                                        "PQgetlength",
                                        "PQgetvalue",
                                        "PQclear",
                                        "PQfreemem",
                                        "PQsetNoticeProcessor"};
    void *const to[] = {
        &l->parse,  &l->parse_free, &l->start,   &l->poll,        &l->info,   &l->status,
        &l->socket, &l->error,      &l->finish,  &l->nonblocking, &l->send,   &l->send_params,
        &l->single, &l->flush,      &l->consume, &l->busy,        &l->result, &l->result_status,
        &l->field,  &l->rows,       &l->columns, &l->is_null,     &l->length, &l->value,
        &l->clear,  &l->free,       &l->notices};
    void *so = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!so)
        return ks_fail(
            e, KS_EUSAGE,
            "libpq.so.5 is not installed, which speaks to a hub: apt-get install libpq5");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *symbol = dlsym(so, names[i]);
        if (!symbol) return ks_fail(e, KS_EUSAGE, "libpq here has no %s", names[i]);
        /* ISO C has no cast from object to function pointer */
        memcpy(to[i], &symbol, sizeof symbol);
    }
    return 0; /* stays loaded */
}

/* One line of what libpq said, or of what the server did. */
static int refuse(ks_pq *c, ks_error *e, int code, const char *text)
{
    char line[300];
    snprintf(line, sizeof line, "%s", text && *text ? text : "no reason given");
    line[strcspn(line, "\n")] = 0;
    return ks_fail(e, code, "%s: %s", c->name, line);
}

static int lost(ks_pq *c, ks_error *e)
{
    c->dead = 1;
    snprintf(c->state, sizeof c->state, "08006");
    return refuse(c, e, KS_ENET, c->lib.error(c->conn));
}

/* 1: something may be read (or written), 0: neither within our patience. */
static int wait_for(ks_pq *c, short events, double until, ks_error *e)
{
    for (;;) {
        struct pollfd f = {c->lib.socket(c->conn), events, 0};
        double left = until - ks_monotonic();
        int n = left > 0 ? poll(&f, 1, (int)(left * 1000) + 1) : 0;
        if (n > 0) return 0;
        if (n < 0 && errno == EINTR) continue;
        c->dead = 1;
        snprintf(c->state, sizeof c->state, "08006");
        return ks_fail(e, KS_ENET, "%s: no answer within %.0f s", c->name, c->patience);
    }
}

/* --- connecting --- */
static const char *option(const PQconninfoOption *all, const char *key)
{
    for (const PQconninfoOption *o = all; o && o->keyword; o++)
        if (strcmp(o->keyword, key) == 0) return o->val && *o->val ? o->val : NULL;
    return NULL;
}

int ks_pq_is_server(const char *where)
{
    return where && (strncmp(where, "postgresql://", 13) == 0 ||
                     strncmp(where, "postgres://", 11) == 0 || strncmp(where, "service=", 8) == 0);
}

/* What stands on a command line is read by everybody who may list processes. */
static int check_words(ks_pq *c, const char *where, ks_error *e)
{
    char *ignored = NULL;
    PQconninfoOption *o = c->lib.parse(where, &ignored);
    int secret = o && (option(o, "password") || option(o, "sslpassword")), good = o != NULL;
    c->lib.parse_free(o);
    if (ignored) c->lib.free(ignored);
    if (!good)
        return ks_fail(e, KS_EUSAGE,
                       "-L: libpq cannot read where the hub is: "
                       "postgresql://HOST/DATABASE or service=NAME");
    if (secret)
        return ks_fail(e, KS_EUSAGE,
                       "-L: a password is not taken on the command line, where "
                       "others can read it: use ~/.pgpass or a service file");
    return 0;
}

static void quiet(void *arg, const char *message) { (void)arg, (void)message; }

static int start(ks_pq *c, const char *where, const char *sslmode, ks_error *e)
{
    const char *const keys[] = {"fallback_application_name", "dbname", sslmode ? "sslmode" : NULL,
                                NULL};
    const char *const values[] = {"kinoseek", where, sslmode, NULL};
    if (c->conn) c->lib.finish(c->conn);
    c->conn = c->lib.start(keys, values, 1);
    if (!c->conn) return ks_fail(e, KS_ENOMEM, "no memory for a connection");
    c->lib.notices(c->conn, quiet, NULL);
    return 0;
}

/* What it became with service file and environment: 1 = a host on a network whose name nobody
 * would check ("prefer" is libpq's own default). */
static int unchecked(ks_pq *c, ks_error *e)
{
    PQconninfoOption *o = c->lib.info(c->conn);
    const char *host = option(o, "host"), *address = option(o, "hostaddr"),
               *base = option(o, "dbname"), *mode = option(o, "sslmode");
    if (!o) return ks_fail(e, KS_ENOMEM, "no memory for a connection");
    int local = !address && (!host || host[0] == '/' || host[0] == '@');
    snprintf(c->name, sizeof c->name, "postgresql at %.120s/%.60s",
             host      ? host
             : address ? address
                       : "this machine",
             base ? base : "");
    int open = !local && (!mode || strcmp(mode, "prefer") == 0);
    c->lib.parse_free(o);
    return open;
}

static int connect_all(ks_pq *c, const char *where, ks_error *e)
{
    double until = ks_monotonic() + c->patience;
    int code = start(c, where, NULL, e);
    if (code >= 0) code = unchecked(c, e);
    if (code > 0) code = start(c, where, "verify-full", e);
    if (code < 0) return code;
    if (c->lib.status(c->conn) == CONNECTION_BAD) return lost(c, e);
    for (PostgresPollingStatusType s = PGRES_POLLING_WRITING; s != PGRES_POLLING_OK;) {
        if (s == PGRES_POLLING_FAILED) return lost(c, e);
        code = wait_for(c, s == PGRES_POLLING_READING ? POLLIN : POLLOUT, until, e);
        if (code < 0) return code;
        s = c->lib.poll(c->conn);
    }
    if (c->lib.nonblocking(c->conn, 1) != 0) return lost(c, e);
    return 0;
}

int ks_pq_open(ks_pq **out, const char *where, double patience, ks_error *e)
{
    assert(out && where && patience > 0);
    *out = NULL;
    ks_pq *c = calloc(1, sizeof *c);
    if (!c) return ks_fail(e, KS_ENOMEM, "no memory for a connection");
    c->patience = patience;
    snprintf(c->name, sizeof c->name, "the hub");
    int code = load(&c->lib, e);
    if (code >= 0) code = check_words(c, where, e);
    if (code >= 0) code = connect_all(c, where, e);
    /* nobody else's tables, functions or operators; nothing of ours waits there for ever */
    if (code >= 0)
        code = ks_pq_script(c,
                            "SET search_path = pg_catalog, kinoseek, pg_temp; "
                            "SET idle_in_transaction_session_timeout = '5min'; "
                            "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on",
                            e);
    if (code < 0) {
        ks_pq_close(c);
        return code;
    }
    *out = c;
    return 0;
}

void ks_pq_close(ks_pq *c)
{
    if (!c) return;
    if (c->conn) c->lib.finish(c->conn);
    free(c);
}

const char *ks_pq_name(const ks_pq *c) { return c->name; }
int ks_pq_dead(const ks_pq *c) { return c->dead; }
const char *ks_pq_state(const ks_pq *c) { return c->state; }

/* --- values --- */
static void put32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(v >> (24 - 8 * i));
}
static void put64(unsigned char *p, uint64_t v)
{
    for (int i = 0; i < 8; i++) p[i] = (unsigned char)(v >> (56 - 8 * i));
}

/* An array as it goes over the wire: dimensions 1, has nulls, type, length, first index. */
enum { HEAD = 20 };

static unsigned char *grow(ks_pq_column *c, size_t more)
{
    if (c->bytes == 0) c->bytes = HEAD;
    if (c->room < HEAD || c->room - c->bytes < more) {
        size_t room = 2 * (c->bytes + more) + 1024;
        if (more > INT32_MAX - 4096 || room > INT32_MAX) return NULL;
        unsigned char *at = realloc(c->at, room);
        if (!at) return NULL;
        c->at = at;
        c->room = room;
    }
    unsigned char *p = c->at + c->bytes;
    c->bytes += more;
    c->n++;
    put32(c->at, 1);
    put32(c->at + 4, 1);
    put32(c->at + 8, c->wide ? BYTEA : INT8);
    put32(c->at + 12, (uint32_t)c->n);
    put32(c->at + 16, 1);
    return p;
}

int ks_pq_put_int(ks_pq_column *c, int64_t value)
{
    unsigned char *p = grow(c, 12);
    if (!p) return -1;
    put32(p, 8);
    put64(p + 4, (uint64_t)value);
    return 0;
}

int ks_pq_put_bytes(ks_pq_column *c, const void *bytes, size_t n)
{
    c->wide = 1;
    unsigned char *p = grow(c, 4 + (bytes ? n : 0));
    if (!p) return -1;
    put32(p, bytes ? (uint32_t)n : UINT32_MAX);
    if (bytes && n) memcpy(p + 4, bytes, n);
    return 0;
}

void ks_pq_column_clear(ks_pq_column *c) { c->bytes = 0, c->n = 0; }

void ks_pq_column_free(ks_pq_column *c)
{
    free(c->at);
    *c = (ks_pq_column){0};
}

typedef struct {
    int n;
    Oid type[MOST];
    const char *value[MOST];
    int length[MOST];
    unsigned char number[MOST][HEAD];
} values;

static void take(values *v, const char *letters, va_list args)
{
    memset(v, 0, sizeof *v);
    for (; *letters; letters++, v->n++) {
        int i = v->n;
        assert(i < MOST);
        unsigned char *number = v->number[i];
        v->value[i] = (const char *)number;
        if (*letters == 'l') {
            put64(number, (uint64_t)va_arg(args, int64_t));
            v->type[i] = INT8;
            v->length[i] = 8;
        } else if (*letters == 'd') {
            double d = va_arg(args, double);
            uint64_t bits;
            memcpy(&bits, &d, sizeof bits);
            put64(number, bits);
            v->type[i] = FLOAT8;
            v->length[i] = 8;
        } else if (*letters == 't') {
            v->value[i] = va_arg(args, const char *);
            v->type[i] = TEXT;
            v->length[i] = v->value[i] ? (int)strlen(v->value[i]) : 0;
        } else if (*letters == 'b') {
            const char *bytes = va_arg(args, const char *);
            size_t n = va_arg(args, size_t);
            assert(n < INT32_MAX);
            v->value[i] = bytes ? bytes : NULL;
            v->type[i] = BYTEA;
            v->length[i] = (int)n;
        } else {
            assert(*letters == 'a');
            const ks_pq_column *c = va_arg(args, const ks_pq_column *);
            v->type[i] = c->wide ? BYTEAS : INT8S;
            if (c->n > 0) {
                v->value[i] = (const char *)c->at;
                v->length[i] = (int)c->bytes;
            } else { /* of no dimension */
                put32(number + 8, c->wide ? BYTEA : INT8);
                v->length[i] = 12;
            }
        }
    }
}

/* --- asking --- */
static int failed(ks_pq *c, PGresult *r, ks_error *e)
{
    const char *state = c->lib.field(r, PG_DIAG_SQLSTATE),
               *text = c->lib.field(r, PG_DIAG_MESSAGE_PRIMARY);
    if (!state) return lost(c, e);
    snprintf(c->state, sizeof c->state, "%s", state);
    if (strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0) {
        c->dead = 1;
        return refuse(c, e, KS_ENET, text);
    }
    if (strcmp(state, "3F000") == 0 || strcmp(state, "42P01") == 0)
        return ks_fail(e, KS_ENOLIBRARY, "%s: no hub there (kinoseek store init makes one)",
                       c->name);
    if (strcmp(state, "42501") == 0)
        return ks_fail(e, KS_EDENIED, "%s: %.200s: this login may not do that there", c->name,
                       text ? text : "permission denied");
    if (strcmp(state, "KS001") == 0) return refuse(c, e, KS_EBUSY, text); /* hub_roles.c */
    if (strcmp(state, "KS002") == 0) return refuse(c, e, KS_EUSAGE, text);
    if (strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0 || strcmp(state, "55P03") == 0)
        return refuse(c, e, KS_EBUSY, text);
    return refuse(c, e, KS_EIO, text);
}

/* All that was sent is on its way; what comes meanwhile is taken, or the server may wait too. */
static int flush(ks_pq *c, ks_error *e)
{
    int left;
    while ((left = c->lib.flush(c->conn)) > 0) {
        int code = wait_for(c, POLLIN | POLLOUT, ks_monotonic() + c->patience, e);
        if (code < 0) return code;
        if (!c->lib.consume(c->conn)) return lost(c, e);
    }
    return left < 0 ? lost(c, e) : 0;
}

/* *r NULL: the answer is over. */
static int next_result(PGresult **r, ks_pq *c, ks_error *e)
{
    while (c->lib.busy(c->conn)) {
        int code = wait_for(c, POLLIN, ks_monotonic() + c->patience, e);
        if (code < 0) return code;
        if (!c->lib.consume(c->conn)) return lost(c, e);
    }
    *r = c->lib.result(c->conn);
    return 0;
}

static int alive(ks_pq *c, ks_error *e)
{
    c->state[0] = 0;
    if (!c->dead) return 0;
    snprintf(c->state, sizeof c->state, "08006");
    return ks_fail(e, KS_ENET, "%s: the connection is gone", c->name);
}

/* each NULL: the last result goes to `rows`. */
static int receive(ks_pq_rows *rows, ks_pq *c, ks_pq_each *each, void *arg, ks_error *e)
{
    PGresult *r = NULL, *last = NULL;
    int code = flush(c, e), got;
    ks_error ignored;
    if (code < 0) return code;
    /* a failure is said once; what follows it is read to the end, so that the next may ask */
    while ((got = next_result(&r, c, code < 0 ? &ignored : e)) >= 0 && r) {
        ExecStatusType status = c->lib.result_status(r);
        if (status == PGRES_SINGLE_TUPLE && code >= 0 && each)
            code = each(arg, &(ks_pq_rows){1, r, c}, e);
        else if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK &&
                 status != PGRES_COMMAND_OK && code >= 0)
            code = failed(c, r, e);
        if (last) c->lib.clear(last);
        last = r;
    }
    if (got < 0 && code >= 0) code = got;
    if (code >= 0 && last && rows) {
        *rows = (ks_pq_rows){c->lib.rows(last), last, c};
        return rows->n;
    }
    if (code >= 0 && last) code = c->lib.rows(last);
    if (last) c->lib.clear(last);
    return code;
}

static int send_values(ks_pq *c, const char *sql, const values *v, ks_error *e)
{
    static const int binary[MOST] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    int code = alive(c, e);
    if (code < 0) return code;
    return c->lib.send_params(c->conn, sql, v->n, v->type, v->value, v->length, binary, 1)
               ? 0
               : lost(c, e);
}

int ks_pq_ask(ks_pq_rows *rows, ks_pq *c, ks_error *e, const char *sql, const char *letters, ...)
{
    values v;
    va_list args;
    if (rows) *rows = (ks_pq_rows){0};
    va_start(args, letters);
    take(&v, letters, args);
    va_end(args);
    int code = send_values(c, sql, &v, e);
    return code < 0 ? code : receive(rows, c, NULL, NULL, e);
}

int ks_pq_walk(ks_pq *c, ks_pq_each *each, void *arg, ks_error *e, const char *sql,
               const char *letters, ...)
{
    values v;
    va_list args;
    va_start(args, letters);
    take(&v, letters, args);
    va_end(args);
    int code = send_values(c, sql, &v, e);
    if (code < 0) return code;
    if (!c->lib.single(c->conn)) return lost(c, e);
    code = receive(NULL, c, each, arg, e);
    return code < 0 ? code : 0;
}

int ks_pq_script(ks_pq *c, const char *sql, ks_error *e)
{
    int code = alive(c, e);
    if (code < 0) return code;
    if (!c->lib.send(c->conn, sql)) return lost(c, e);
    code = receive(NULL, c, NULL, NULL, e);
    return code < 0 ? code : 0;
}

/* --- answers --- */
int64_t ks_pq_int(const ks_pq_rows *r, int row, int column)
{
    const library *l = &r->c->lib;
    if (column >= l->columns(r->result) || l->length(r->result, row, column) != 8) return 0;
    const unsigned char *p = (const unsigned char *)l->value(r->result, row, column);
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v = v << 8 | p[i];
    return (int64_t)v;
}

double ks_pq_double(const ks_pq_rows *r, int row, int column)
{
    int64_t bits = ks_pq_int(r, row, column);
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

const void *ks_pq_bytes(size_t *n, const ks_pq_rows *r, int row, int column)
{
    const library *l = &r->c->lib;
    *n = 0;
    if (column >= l->columns(r->result) || l->is_null(r->result, row, column)) return NULL;
    *n = (size_t)l->length(r->result, row, column);
    return l->value(r->result, row, column);
}

void ks_pq_free(ks_pq_rows *rows)
{
    if (rows->result) rows->c->lib.clear(rows->result);
    *rows = (ks_pq_rows){0};
}
