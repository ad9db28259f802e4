/* out_xmp.c - XMP sidecars: digiKam, Lightroom, Bridge, Premiere. The labels as keywords
 * (dc:subject), the moments as markers of a track called kinoseek (xmpDM:Tracks). A sidecar that
 * is there keeps all that others wrote: of the keywords those that we added before are replaced
 * (kinoseek:keywords names them), of the markers our own track. */
#include "formats/out.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#define RDF     "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define DC      "http://purl.org/dc/elements/1.1/"
#define DM      "http://ns.adobe.com/xmp/1.0/DynamicMedia/"
#define OURS    "ns:kinoseek/1.0/"
#define X(text) ((const xmlChar *)(text))

static int is(const xmlNode *n, const char *ns, const char *name)
{
    return n->type == XML_ELEMENT_NODE && n->ns && xmlStrEqual(n->ns->href, X(ns)) &&
           xmlStrEqual(n->name, X(name));
}

static xmlNode *child(xmlNode *n, const char *ns, const char *name)
{
    for (xmlNode *c = n ? n->children : NULL; c; c = c->next)
        if (is(c, ns, name)) return c;
    return NULL;
}

/* A new child in that namespace, declared where nothing above declares it. */
static xmlNode *add(xmlNode *to, const char *ns, const char *prefix, const char *name)
{
    xmlNs *space = to ? xmlSearchNsByHref(to->doc, to, X(ns)) : NULL;
    /* NULL all along where memory ends */
    xmlNode *n = to ? xmlNewChild(to, NULL, X(name), NULL) : NULL;

    if (n && !space) space = xmlNewNs(n, X(ns), X(prefix));
    if (n) xmlSetNs(n, space);
    return n;
}

/* Text that XML cannot hold becomes U+FFFD, as everywhere (ks_put_xml): it is escaped, then read
 * by libxml2. */
static xmlNode *add_text(xmlNode *to, const char *ns, const char *prefix, const char *name,
                         const char *text)
{
    size_t size;
    char *escaped = NULL;
    FILE *f = open_memstream(&escaped, &size);
    xmlNode *n = add(to, ns, prefix, name);

    if (f) {
        ks_put_xml(f, text);
        fclose(f);
        if (n) xmlNodeSetContent(n, X(escaped));
    }
    free(escaped);
    return n;
}

static xmlNode *resource(xmlNode *list)
{
    xmlNode *n = add(list, RDF, "rdf", "li");
    xmlNs *rdf = n ? xmlSearchNsByHref(n->doc, n, X(RDF)) : NULL;

    if (n) xmlSetNsProp(n, rdf, X("parseType"), X("Resource"));
    return n;
}

/* --- the document --- */
static const char nothing[] =
    "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta "
    "xmlns:x=\"adobe:ns:meta/\">"
    "<rdf:RDF xmlns:rdf=\"" RDF "\"><rdf:Description rdf:about=\"\" xmlns:dc=\"" DC
    "\" xmlns:xmpDM=\"" DM "\"/></rdf:RDF></x:xmpmeta>\n"
    "<?xpacket end=\"w\"?>";

static int open_document(xmlDoc **doc, xmlNode **rdf, const char *path, ks_error *e)
{
    int how = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    xmlNode *root;

    *doc = path ? xmlReadFile(path, NULL, how)
                : xmlReadMemory(nothing, sizeof nothing - 1, NULL, NULL, how);
    root = *doc ? xmlDocGetRootElement(*doc) : NULL;
    *rdf = root && !(*doc)->intSubset ? (is(root, RDF, "RDF") ? root : child(root, RDF, "RDF"))
                                      : NULL;
    return *rdf ? 0
                : ks_fail(e, path ? KS_EFORMAT : KS_ENOMEM,
                          "%s: no XMP that could be added to, left as it is", path ? path : "XMP");
}

/* The property's list, wherever a description has it; else a new one in the first description. */
static xmlNode *list_of(xmlNode *rdf, const char *ns, const char *prefix, const char *name)
{
    xmlNode *property = NULL, *first = child(rdf, RDF, "Description"), *list;

    for (xmlNode *d = rdf->children; d && !property; d = d->next)
        if (is(d, RDF, "Description")) property = child(d, ns, name);
    if (!first && (first = add(rdf, RDF, "rdf", "Description")))
        xmlSetNsProp(first, xmlSearchNsByHref(first->doc, first, X(RDF)), X("about"), X(""));
    if (!property) property = first ? add(first, ns, prefix, name) : NULL;
    list = property ? child(property, RDF, "Bag") : NULL;
    if (!list && property) list = child(property, RDF, "Seq");
    return list || !property ? list : add(property, RDF, "rdf", "Bag");
}

static int text_is(const xmlNode *n, const char *text)
{
    xmlChar *content = n ? xmlNodeGetContent(n) : NULL;
    int same = content && strcmp((char *)content, text) == 0;

    xmlFree(content);
    return same;
}

static xmlNode *item(xmlNode *bag, const xmlNode *but, const char *text)
{
    for (xmlNode *c = bag ? bag->children : NULL; text && c; c = c->next)
        if (c != but && is(c, RDF, "li") && text_is(c, text)) return c;
    return NULL;
}

static void drop(xmlNode *n)
{
    if (!n) return;
    xmlUnlinkNode(n);
    xmlFreeNode(n);
}

/* ours: what is ours now; before: what was. A keyword that others wrote never becomes ours. */
static void add_keyword(xmlNode *bag, xmlNode *ours, xmlNode *before, const char *word)
{
    xmlNode *n = add_text(bag, RDF, "rdf", "li", word);
    xmlChar *content = n ? xmlNodeGetContent(n) : NULL;
    const char *text = (char *)content;
    int theirs = item(bag, n, text) && !item(before, NULL, text);

    if (item(bag, n, text)) drop(n);
    if (text && !theirs && !item(ours, NULL, text)) add_text(ours, RDF, "rdf", "li", word);
    xmlFree(content);
}

/* Keywords that were ours and are no more. */
static void drop_keywords(xmlNode *bag, xmlNode *ours, xmlNode *before)
{
    for (xmlNode *c = before ? before->children : NULL; c; c = c->next) {
        xmlChar *text = is(c, RDF, "li") ? xmlNodeGetContent(c) : NULL;
        if (text && !item(ours, NULL, (char *)text)) drop(item(bag, NULL, (char *)text));
        xmlFree(text);
    }
}

/* 0, or -1: no memory. */
static int set_keywords(xmlNode *rdf, const ks_writer *w)
{
    xmlNode *bag = list_of(rdf, DC, "dc", "subject"),
            *before = list_of(rdf, OURS, "kinoseek", "keywords"), *property, *ours;

    if (!bag || !before) return -1;
    property = before->parent;
    xmlUnlinkNode(before);
    if ((ours = add(property, RDF, "rdf", "Bag"))) {
        for (int i = 0; i < w->n; i++) add_keyword(bag, ours, before, w->at[i].title);
        drop_keywords(bag, ours, before);
        if (!child(ours, RDF, "li")) drop(property);
    }
    xmlFreeNode(before);
    return ours ? 0 : -1;
}

static void add_track(xmlNode *tracks, const ks_writer *w)
{
    xmlNode *track, *markers, *next;
    char text[48];

    for (xmlNode *c = tracks->children; c; c = next) {
        next = c->next;
        if (text_is(child(c, DM, "trackName"), "kinoseek")) drop(c);
    }
    track = resource(tracks);
    add_text(track, DM, "xmpDM", "trackName", "kinoseek");
    add_text(track, DM, "xmpDM", "trackType", "Comment");
    if (w->rate.den == 1) snprintf(text, sizeof text, "f%d", w->rate.num);
    else snprintf(text, sizeof text, "f%ds%d", w->rate.num, w->rate.den);
    add_text(track, DM, "xmpDM", "frameRate", text);
    markers = add(add(track, DM, "xmpDM", "markers"), RDF, "rdf", "Seq");
    for (int i = 0; i < w->n; i++) {
        xmlNode *m = resource(markers);
        int64_t in, out;
        ks_entry_frames(&in, &out, &w->at[i], w->rate);
        snprintf(text, sizeof text, "%lld", (long long)in);
        add_text(m, DM, "xmpDM", "startTime", text);
        snprintf(text, sizeof text, "%lld", (long long)(out - in));
        add_text(m, DM, "xmpDM", "duration", text);
        add_text(m, DM, "xmpDM", "name", w->at[i].title);
    }
}

static int xmp_begin(ks_writer *w)
{
    xmlDoc *doc = NULL;
    xmlNode *rdf = NULL, *tracks;
    xmlChar *out = NULL;
    int size = 0, err = open_document(&doc, &rdf, w->path, w->e);

    if (err < 0) goto out;
    tracks = list_of(rdf, DM, "xmpDM", "Tracks");
    if (tracks && set_keywords(rdf, w) == 0) {
        add_track(tracks, w);
        xmlDocDumpMemoryEnc(doc, &out, &size, "UTF-8");
    }
    if (out) fwrite(out, 1, (size_t)size, w->f);
    else err = ks_fail(w->e, KS_ENOMEM, "no memory for XMP");
out:
    xmlFree(out);
    xmlFreeDoc(doc);
    return err;
}

const ks_format ks_format_xmp = {
    .name = "xmp",
    .ending = ".xmp",
    .brief = "XMP beside the films: keywords and markers",
    .flags = KS_KEEPS | KS_ONE_FILM | KS_BESIDE | KS_NEEDS_RATE,
    .begin = xmp_begin,
};
