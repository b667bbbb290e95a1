/* The first byte chooses: `t` a text to recognise, `f` <format> NUL <text>, `z` a zone file, `r` a zone's
 * rule. A time that is read can be written and read again as the same. */
#include "record/time_int.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_time(int64_t ns)
{
    sl_buf text = SL_BUF_NONE;
    int64_t again;
    sl_json_write_time(&text, ns);
    if (!sl_time_parse(sl_buf_span(&text), NULL, &again) || again != ns) abort();
    sl_buf_release(&text);
}

static void try_text(sl_span text)
{
    int64_t ns;
    if (sl_time_parse(text, NULL, &ns)) check_time(ns);
}

static void try_format(sl_span both)
{
    const char *end = memchr(both.ptr, 0, both.len);
    if (!end) return;
    sl_span format_text = {both.ptr, (size_t)(end - both.ptr)};
    sl_span text = {end + 1, both.len - format_text.len - 1};
    sl_err err = SL_ERR_NONE;
    sl_time_format *format = sl_time_format_parse(format_text, &err);
    if (!format && strncmp(err.text, "column ", 7) != 0) abort();
    int64_t ns;
    if (format && sl_time_parse_format(format, text, NULL, 1714566896789000000, &ns)) check_time(ns);
    sl_time_format_free(format);
}

static void try_zone(sl_span file)
{
    sl_err err = SL_ERR_NONE;
    sl_timezone *zone = sl_tzif__parse(file, "fuzz", &err);
    if (!zone) return;
    for (int64_t local = INT64_C(-60000000000); local < INT64_C(250000000000); local += INT64_C(997000000)) {
        int64_t away = sl_timezone__to_utc(zone, local) - local;
        if (away < -SL_MAX_UTC_OFFSET || away > SL_MAX_UTC_OFFSET) abort();
    }
    sl_timezone_free(zone);
}

static void try_rule(sl_span rule)
{
    static sl_transition out[SL_MAX_RULE_TRANSITIONS];
    int count = sl_tz_rule__expand(rule, INT64_MIN, out);
    if (count > SL_MAX_RULE_TRANSITIONS) abort();
    for (int i = 1; i < count; i++)
        if (out[i].at <= out[i - 1].at) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    sl_span rest = {(const char *)data + 1, size - 1};
    switch (data[0]) {
    case 't': try_text(rest); break;
    case 'f': try_format(rest); break;
    case 'z': try_zone(rest); break;
    case 'r': try_rule(rest); break;
    default: break;
    }
    return 0;
}
