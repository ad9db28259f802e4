/* settings.h - what the command line leaves open: the environment says it, else the configuration
 * file $XDG_CONFIG_HOME/kinoseek/config, lines of `key = value`. */
#ifndef KS_SETTINGS_H
#define KS_SETTINGS_H

#include "ks.h"

/* model is that of a new library, and of what has no library: an old one keeps its own. */
typedef enum {
    KS_SET_LIBRARY,
    KS_SET_MODEL,
    KS_SET_TRANSLATE,
    KS_SET_PLAYER,
    KS_SETTINGS
} ks_setting_key;

typedef enum { KS_FROM_DEFAULT, KS_FROM_FILE, KS_FROM_ENVIRONMENT, KS_FROM_OPTION } ks_origin;

typedef struct {
    const char *value; /* NULL: nobody said */
    ks_origin from;
    int line; /* of the file */
} ks_setting;

typedef struct {
    ks_setting at[KS_SETTINGS]; /* by ks_setting_key */
    char *path;                 /* of the file; NULL: no home to look in */
    int is_there;
    char *text, *own[KS_SETTINGS]; /* what the values point into */
} ks_settings;

extern const char *const ks_setting_keys[KS_SETTINGS];
/* Variables of the environment; NULL: there is none. */
extern const char *const ks_setting_variables[KS_SETTINGS];

/* A file that is not there is no error. KS_EUSAGE names file and line; KS_EIO: it cannot be read.
 * Free in any case. */
int ks_settings_read(ks_settings *s, ks_error *e);
void ks_settings_free(ks_settings *s);

#endif
