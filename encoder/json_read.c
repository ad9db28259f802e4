/* json_read.c - JSON of a model's files, and the one number that config.json is asked for. */
#include "encoder/json_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "encoder/weights.h"

int ks_json_read(json_t **root, const ks_bytes *bytes, const char *path, uint64_t at, size_t n,
                 ks_error *e)
{
    json_error_t why;
    char *text = malloc(n + 1);
    if (!text) return ks_fail(e, KS_ENOMEM, "%s: no memory to read its header", path);
    int err = ks_bytes_read(bytes, path, at, text, n, e);
    if (!err) {
        *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
        if (!*root && json_error_code(&why) == json_error_out_of_memory)
            err = ks_fail(e, KS_ENOMEM, "%s: no memory to read its header", path);
        else if (!*root && json_error_code(&why) == json_error_duplicate_key)
            err = ks_fail(e, KS_EFORMAT, "%s: a tensor is there twice: %s", path, why.text);
        else if (!*root)
            err = ks_fail(e, KS_EFORMAT, "%s: its JSON is damaged: %s", path, why.text);
    }
    free(text);
    return err;
}

static int heads_in(const json_t *config)
{
    const json_t *n = json_object_get(config, "num_attention_heads");
    if (!n) n = json_object_get(json_object_get(config, "vision_config"), "num_attention_heads");
    return json_is_integer(n) && json_integer_value(n) > 0 && json_integer_value(n) <= 65536
               ? (int)json_integer_value(n)
               : 0;
}

int ks_config_heads(int *heads, const ks_checkpoint *cp, int width, ks_error *e)
{
    json_t *root = NULL;
    const char *slash = strrchr(cp->path, '/');
    size_t folder = slash ? (size_t)(slash - cp->path) + 1 : 0;
    char *path = malloc(folder + sizeof "config.json");
    int err = 0;
    *heads = width == 768 ? 12 : width == 1024 || width == 1408 ? 16 : 0; /* base, large, giant */
    if (!path) return ks_fail(e, KS_ENOMEM, "%s: no memory to look for config.json", cp->path);
    memcpy(path, cp->path, folder);
    memcpy(path + folder, "config.json", sizeof "config.json");
    errno = ENOENT;
    int fd = cp->bytes.fd < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
        err = ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
    if (fd >= 0) {
        off_t size = lseek(fd, 0, SEEK_END);
        ks_bytes bytes = {.fd = fd, .size = size > 0 ? (uint64_t)size : 0};
        if (size <= 0 || size > 1 << 20)
            err = ks_fail(e, KS_EFORMAT, "%s: no configuration of a model", path);
        if (!err) err = ks_json_read(&root, &bytes, path, 0, (size_t)size, e);
        if (!err && heads_in(root) > 0) *heads = heads_in(root);
        json_decref(root);
        close(fd);
    }
    free(path);
    if (!err && *heads == 0)
        err = ks_fail(e, KS_ESHAPE,
                      "%s: the head count of a model of width %d is not known: config.json beside "
                      "it would say it",
                      cp->path, width);
    return err;
}
