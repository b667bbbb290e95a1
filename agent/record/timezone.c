/* timezone.c: a time zone is a table of transitions, made once; a time is looked up in it by halving. */
#include "time_int.h"

#include <errno.h>
#include <sluice/fs.h>
#include <stdlib.h>

#define ZONE_FOLDER   "/usr/share/zoneinfo/"
#define LOCAL_ZONE    "/etc/localtime"
#define MAX_ZONE_NAME 64u
#define MAX_ZONE_FILE (256u * 1024)

static sl_timezone *fixed_zone(int32_t offset)
{
    sl_timezone *zone = sl_alloc(sizeof(*zone) + sizeof(sl_transition));
    zone->count = 1;
    zone->transitions[0] = (sl_transition){INT64_MIN, offset};
    return zone;
}

static sl_timezone *read_zone(const char *path, const char *name, sl_err *err)
{
    sl_buf file = SL_BUF_NONE;
    sl_timezone *zone = NULL;
    int res = sl_fs_read_file(path, MAX_ZONE_FILE, &file);
    if (res == 0)
        zone = sl_tzif__parse(sl_buf_span(&file), name, err);
    else if (res == -ENOENT && strcmp(path, LOCAL_ZONE) == 0)
        zone = fixed_zone(0); /* as the C library has it */
    else if (res == -ENOENT || res == -EISDIR || res == -ENOTDIR)
        sl_err_set(
            err, SL_E_NOT_FOUND,
            "there is no time zone \"%s\" in " ZONE_FOLDER
            "; write a name like Europe/Berlin, an offset like +02:00, UTC or local, or install tzdata",
            name);
    else
        sl_err_sys(err, -res, "cannot read the time zone file %s", path);
    sl_buf_release(&file);
    return zone;
}

/* Names come from configuration, yet lead to a file: nothing that could leave the folder. */
static bool is_zone_name(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > MAX_ZONE_NAME || name[0] == '/') return false;
    for (const char *at = name; *at; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
        if (!letter && !(*at >= '0' && *at <= '9') && !strchr("_+-/", *at)) return false;
    }
    return true;
}

static sl_timezone *named_zone(const char *name, sl_err *err)
{
    char path[sizeof(ZONE_FOLDER) + MAX_ZONE_NAME];
    if (!is_zone_name(name)) {
        sl_err_set(
            err, SL_E_SYNTAX,
            "\"%.80s\" is no time zone; write a name like Europe/Berlin, an offset like +02:00, UTC or local",
            name);
        return NULL;
    }
    strcpy(path, ZONE_FOLDER);
    strcat(path, name);
    return read_zone(path, name, err);
}

/* What libc takes as local: $TZ when it names a zone, else the system's. */
static sl_timezone *local_zone(sl_err *err)
{
    const char *tz = getenv("TZ");
    if (tz && *tz == ':') tz++;
    if (tz && is_zone_name(tz)) {
        sl_timezone *zone = named_zone(tz, NULL);
        if (zone) return zone;
    }
    return read_zone(LOCAL_ZONE, "local", err);
}

sl_timezone *sl_timezone_parse(sl_span name, sl_err *err)
{
    char text[MAX_ZONE_NAME + 2];
    int32_t offset;
    if (sl_span_is_nocase(name, SL_SPAN("UTC"))) return fixed_zone(0);
    if (sl_span_is(name, SL_SPAN("local"))) return local_zone(err);
    size_t used = sl_time__parse_offset(name, &offset);
    if (used > 0 && used == name.len) return fixed_zone(offset);
    size_t len = name.len < sizeof(text) - 1 ? name.len : sizeof(text) - 1;
    memcpy(text, name.ptr, len);
    text[len] = '\0';
    return named_zone(memchr(text, '\0', len) ? "" : text, err);
}

void sl_timezone_free(sl_timezone *zone)
{
    sl_free(zone);
}

/* The last transition at or before `at`. */
static uint32_t find_period(const sl_timezone *zone, int64_t at)
{
    uint32_t low = 0, high = zone->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->transitions[middle].at <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int64_t sl_timezone__to_utc(const sl_timezone *zone, int64_t local)
{
    if (!zone) return local;
    const sl_transition *t = zone->transitions;
    /* Begin in a period that is surely not too late, and go on while the clock had already changed. */
    uint32_t i = find_period(zone, local - SL_MAX_UTC_OFFSET);
    for (; i + 1 < zone->count; i++) {
        int64_t utc = local - t[i].offset;
        if (utc < t[i + 1].at) return utc;
        if (local - t[i + 1].offset < t[i + 1].at) return utc; /* skipped by the clock */
    }
    return local - t[i].offset;
}
