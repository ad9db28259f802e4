/* watch_when.c - see watch_when.h. */
#include "cli/watch_when.h"

#include <assert.h>
#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <time.h>

int ks_hours_read(ks_hours *h, const char *text, ks_error *e)
{
    assert(h && text);
    int a, b, c, d, used = 0;
    if (sscanf(text, "%2d:%2d-%2d:%2d%n", &a, &b, &c, &d, &used) == 4 && !text[used] && a >= 0 &&
        a <= 24 && c >= 0 && c <= 24 && b >= 0 && b < 60 && d >= 0 && d < 60 &&
        a * 60 + b <= 1440 && c * 60 + d <= 1440) {
        *h = (ks_hours){(a * 60 + b) % 1440, (c * 60 + d) % 1440};
        return 0;
    }
    return ks_fail(e, KS_EUSAGE, "--between takes hours such as 22:00-07:00, not \"%s\"", text);
}

int ks_hours_hold(const ks_hours *h, int minute)
{
    assert(h && minute >= 0 && minute < 24 * 60);
    if (h->from == h->to) return 1;
    return h->from < h->to ? minute >= h->from && minute < h->to
                           : minute >= h->from || minute < h->to;
}

int ks_minute_now(void)
{
    time_t now = time(NULL);
    struct tm t;
    return localtime_r(&now, &t) ? t.tm_hour * 60 + t.tm_min : 0;
}

/* The first word of FOLDER/NAME/FILE; 0: there is none. */
static int word(char out[16], const char *folder, const char *name, const char *file)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s/%s", folder, name, file) >= (int)sizeof path) return 0;
    FILE *f = fopen(path, "re");
    int got = f && fscanf(f, "%15s", out) == 1;
    if (f) fclose(f);
    return got;
}

/* A plug that is in decides; else a battery that is being used does. */
int ks_on_mains(const char *folder)
{
    assert(folder);
    DIR *d = opendir(folder);
    int in = 0, drained = 0;
    for (struct dirent *f; d && (f = readdir(d));) {
        char type[16], value[16];
        if (f->d_name[0] == '.' || !word(type, folder, f->d_name, "type")) continue;
        if (strcmp(type, "Battery") == 0) {
            /* of a mouse or a keyboard it says nothing about this machine */
            int device = word(value, folder, f->d_name, "scope") && strcmp(value, "Device") == 0;
            drained |= !device && word(value, folder, f->d_name, "status") &&
                       strcmp(value, "Discharging") == 0;
        } else if (word(value, folder, f->d_name, "online")) {
            in |= value[0] != '0';
        }
    }
    if (d) closedir(d);
    return in || !drained;
}
