/* tzif.c: compiled zone files, RFC 8536. The file is not trusted: every count is checked against the bytes
 * that are there. */
#include "time_int.h"

#define HEADER_LEN      44u
#define MAX_TRANSITIONS 4096u
#define MAX_TYPES       256u
#define TYPE_LEN        6u

typedef struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
} counts;

static uint32_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static int64_t be64(const char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* Reads a header; *len becomes the length of header and data for times of time_size bytes. False: none, or
 * too short. */
static bool read_header(sl_span file, size_t time_size, counts *c, size_t *len)
{
    if (file.len < HEADER_LEN || memcmp(file.ptr, "TZif", 4) != 0) return false;
    const char *p = file.ptr + 20;
    *c = (counts){be32(p), be32(p + 4), be32(p + 8), be32(p + 12), be32(p + 16), be32(p + 20)};
    if (c->time > MAX_TRANSITIONS || c->type < 1 || c->type > MAX_TYPES || c->chars > 4096 ||
        c->leap > 4096 || c->isut > c->type || c->isstd > c->type)
        return false;
    *len = HEADER_LEN + c->time * (time_size + 1) + c->type * TYPE_LEN + c->chars +
           c->leap * (time_size + 4) + c->isstd + c->isut;
    return *len <= file.len;
}

static bool read_offset(const char *types, uint32_t type, int32_t *offset)
{
    *offset = (int32_t)be32(types + type * TYPE_LEN);
    return *offset > -SL_MAX_UTC_OFFSET && *offset < SL_MAX_UTC_OFFSET;
}

static bool read_transitions(const char *data, const counts *c, sl_timezone *zone)
{
    const char *type_of = data + c->time * 8, *types = type_of + c->time;
    zone->transitions[0].at = INT64_MIN;
    if (!read_offset(types, 0, &zone->transitions[0].offset)) return false;
    zone->count = 1;
    for (uint32_t i = 0; i < c->time; i++) {
        sl_transition *t = &zone->transitions[zone->count];
        t->at = be64(data + i * 8);
        uint8_t type = (uint8_t)type_of[i];
        if (type >= c->type || !read_offset(types, type, &t->offset)) return false;
        if (t->at <= t[-1].at) return false;
        zone->count++;
    }
    return true;
}

/* The rule between the two newlines behind the data. */
static bool add_rule(sl_span footer, sl_timezone *zone)
{
    if (footer.len < 2 || footer.ptr[0] != '\n') return false;
    const char *end = memchr(footer.ptr + 1, '\n', footer.len - 1);
    if (!end) return false;
    sl_span rule = {footer.ptr + 1, (size_t)(end - footer.ptr - 1)};
    if (rule.len == 0) return true;
    int added =
        sl_tz_rule__expand(rule, zone->transitions[zone->count - 1].at, &zone->transitions[zone->count]);
    if (added < 0) return false;
    zone->count += (uint32_t)added;
    return true;
}

sl_timezone *sl_tzif__parse(sl_span file, const char *name, sl_err *err)
{
    counts c;
    size_t first, second;
    const char *wrong = "is damaged";
    sl_timezone *zone = NULL;
    if (!read_header(file, 4, &c, &first)) goto failed;
    sl_span v2 = {file.ptr + first, file.len - first};
    if (file.ptr[4] < '2') {
        wrong = "has the old version 1; install a newer tzdata";
        goto failed;
    }
    if (!read_header(v2, 8, &c, &second)) goto failed;
    if (c.leap > 0) {
        wrong =
            "counts leap seconds, which log times do not; take the zone of the same name without `right/`";
        goto failed;
    }
    zone = sl_alloc(sizeof(*zone) + (1 + c.time + SL_MAX_RULE_TRANSITIONS) * sizeof(sl_transition));
    if (read_transitions(v2.ptr + HEADER_LEN, &c, zone) &&
        add_rule((sl_span){v2.ptr + second, v2.len - second}, zone))
        return zone;
failed:
    sl_timezone_free(zone);
    sl_err_set(err, SL_E_CORRUPT, "the file of time zone \"%s\" %s", name, wrong);
    return NULL;
}
