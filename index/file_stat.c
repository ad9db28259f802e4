/* file_stat.c - what stat says of a file, in our own words: for every room above (films.h). */
#include <sys/stat.h>

#include "index/index.h"

ks_stat ks_stat_of(const struct stat *st)
{
    return (ks_stat){.size = st->st_size,
                     .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
                     .device = st->st_dev,
                     .inode = st->st_ino};
}
