/* film_date.c - when a film was made: its maker's own tag says, else its container, else its
 * name, else the file's mtime. */
#include "ingest/jobs.h"

#include <time.h>

/* The camera's clock, as if it were UTC -> seconds since 1970, by this machine's zone. */
static int64_t from_local(int64_t wall)
{
    struct tm tm;
    time_t t = (time_t)wall;
    if (!gmtime_r(&t, &tm)) return wall;
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm);
}

/* 1 January 2000 is where many cameras begin to count: a name knows better, a file's mtime does
 * not. */
static int is_doubtful(int64_t when)
{
    return when >= 946684800 - 14 * 3600 && when < 946684800 + 86400 + 12 * 3600;
}

int64_t ks_film_date(int *source, const ks_media *m, const char *path, int64_t mtime_ns)
{
    int64_t created = m->created && m->created_local ? from_local(m->created) : m->created, when;
    *source = m->created_source == KS_CREATED_MAKER ? KS_DATE_MAKER : KS_DATE_CONTAINER;
    if (created && !is_doubtful(created)) return created;
    if (ks_date_in_name(&when, path)) {
        *source = KS_DATE_NAME;
        return when;
    }
    if (created) return created;
    *source = KS_DATE_MTIME;
    return mtime_ns / 1000000000;
}
