/* pq.h - questions to a PostgreSQL server: libpq by dlopen, never a call that blocks.
 *
 * A server that is frozen, or a wire that swallows everything, still acknowledges bytes: only a
 * clock of our own ends such a wait (a blocking libpq stood for 12 s there in spite of
 * tcp_user_timeout and keepalives). So every wait is a poll, and a connection on which nothing
 * came for so many seconds is dead: whatever is asked of it afterwards fails at once. SQL is
 * literals with $1 ..; values go in binary and come back so. */
#ifndef KS_PQ_H
#define KS_PQ_H

#include "ks.h"

typedef struct ks_pq ks_pq;

/* where: a URI or "key=value ..." as libpq reads it (a service or a passfile names the password;
 * one in `where` is KS_EUSAGE). patience: seconds without a byte. TCP without an sslmode means
 * verify-full. KS_ENET: nobody there, or not us; KS_EUSAGE: no libpq here. */
int ks_pq_open(ks_pq **c, const char *where, double patience, ks_error *e);
void ks_pq_close(ks_pq *c); /* NULL is fine */
/* "postgresql at HOST/DATABASE", for sentences; never a password */
const char *ks_pq_name(const ks_pq *c);
int ks_pq_dead(const ks_pq *c);          /* 1: open another */
const char *ks_pq_state(const ks_pq *c); /* SQLSTATE of the last failure, "" none */
/* 1: `where` names a server and no folder; no library is loaded for that */
int ks_pq_is_server(const char *where);

/* A column of many values: $n::int8[] or $n::bytea[], which unnest makes rows of. */
typedef struct {
    unsigned char *at; /* owned; ks_pq_column_free */
    size_t bytes, room;
    int n, wide; /* wide 1: bytea */
} ks_pq_column;
int ks_pq_put_int(ks_pq_column *c, int64_t value);                 /* 0, -1: no memory */
int ks_pq_put_bytes(ks_pq_column *c, const void *bytes, size_t n); /* bytes NULL: NULL */
void ks_pq_column_clear(ks_pq_column *c);                          /* keeps its memory */
void ks_pq_column_free(ks_pq_column *c);

/* Rows of an answer: every number is asked for as int8 or float8, text as text, bytes as bytea. */
typedef struct {
    int n;
    void *result; /* PGresult; owned */
    const ks_pq *c;
} ks_pq_rows;
/* letters, $1 ..: l int64_t, d double, t text, b bytes (pointer, size_t), a const ks_pq_column *.
 * Returns the number of rows, or < 0. rows NULL: none are wanted. */
int ks_pq_ask(ks_pq_rows *rows, ks_pq *c, ks_error *e, const char *sql, const char *letters, ...);
/* each row as it comes, memory for one; each() < 0 leaves the rest unread */
typedef int ks_pq_each(void *arg, const ks_pq_rows *row, ks_error *e);
int ks_pq_walk(ks_pq *c, ks_pq_each *each, void *arg, ks_error *e, const char *sql,
               const char *letters, ...);
int ks_pq_script(ks_pq *c, const char *sql, ks_error *e);    /* several statements, no values */
int64_t ks_pq_int(const ks_pq_rows *r, int row, int column); /* 0 where NULL or of another size */
double ks_pq_double(const ks_pq_rows *r, int row, int column);
/* until the rows are freed; NUL behind it; NULL where NULL */
const void *ks_pq_bytes(size_t *n, const ks_pq_rows *r, int row, int column);
void ks_pq_free(ks_pq_rows *rows); /* zeros are fine */

#endif
