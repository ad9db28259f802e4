/* api_body.c - see api_body.h. */
#include "serve/api_body.h"

#include <assert.h>
#include <string.h>

json_t *ks_body(const ks_call *c, ks_error *e)
{
    assert(c && c->srv);
    json_error_t bad;
    json_t *o = json_loadb(c->body ? c->body : "", c->body_bytes, JSON_REJECT_DUPLICATES, &bad);

    if (json_is_object(o)) return o;
    ks_fail(e, KS_EUSAGE, "the body is no JSON object: %.100s", o ? "" : bad.text);
    json_decref(o);
    return NULL;
}

int ks_body_text(char *to, size_t room, const json_t *o, const char *name, int must, ks_error *e)
{
    assert(to && room > 0 && o && name);
    const json_t *v = json_object_get(o, name);

    to[0] = 0;
    if (!v && !must) return 0;
    if (!json_is_string(v)) return ks_fail(e, KS_EUSAGE, "%s is no text", name);
    if (json_string_length(v) >= room) return ks_fail(e, KS_EUSAGE, "%s is too long", name);
    memcpy(to, json_string_value(v), json_string_length(v) + 1);
    return 0;
}

int ks_body_span(ks_wish *w, const json_t *o, ks_error *e)
{
    assert(w && o);
    const json_t *yes = json_object_get(o, "yes");

    w->film = json_integer_value(json_object_get(o, "video"));
    w->start = json_number_value(json_object_get(o, "start"));
    w->end = json_number_value(json_object_get(o, "end"));
    w->yes = json_is_true(yes);
    return json_is_boolean(yes) ? 0 : ks_fail(e, KS_EUSAGE, "yes is true or false");
}
