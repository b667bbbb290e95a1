/* convert.c: a value as one of another type. Digits are kept as they are spelled wherever JSON lets them. */
#include <sluice/record.h>

bool sl_convert_find(sl_span name, sl_convert *type)
{
    static const char *const names[] = {[SL_CONVERT_STRING] = "string",
                                        [SL_CONVERT_INT] = "int",
                                        [SL_CONVERT_FLOAT] = "float",
                                        [SL_CONVERT_BOOL] = "bool"};
    for (size_t i = 0; i < SL_LEN(names); i++) {
        *type = (sl_convert)i;
        if (sl_span_is_cstr(name, names[i])) return true;
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(sl_span text, size_t at)
{
    while (at < text.len && is_digit(text.ptr[at]))
        at++;
    return at;
}

/* [-+]digits at text; *used bytes of it. Returns the digits without sign and leading zeros. */
static sl_span integer_part(sl_span text, bool *negative, size_t *used)
{
    size_t i = 0;
    *negative = text.len > 0 && *text.ptr == '-';
    if (text.len > 0 && (*text.ptr == '-' || *text.ptr == '+')) i = 1;
    size_t start = i;
    i = skip_digits(text, start);
    *used = i;
    if (i == start) return SL_SPAN_NONE;
    while (start + 1 < i && text.ptr[start] == '0')
        start++;
    return (sl_span){text.ptr + start, i - start};
}

/* Whether all of it is a number as RFC 8259 spells it. */
static bool is_number(sl_span text)
{
    size_t start = text.len > 0 && *text.ptr == '-', at = skip_digits(text, start);
    if (at == start || (text.ptr[start] == '0' && at > start + 1)) return false;
    if (at < text.len && text.ptr[at] == '.') {
        start = at + 1;
        at = skip_digits(text, start);
        if (at == start) return false;
    }
    if (at < text.len && (text.ptr[at] | 0x20) == 'e') {
        start = at + 1;
        if (start < text.len && (text.ptr[start] == '+' || text.ptr[start] == '-')) start++;
        at = skip_digits(text, start);
        if (at == start) return false;
    }
    return at == text.len;
}

/* Towards zero; exponents are no integers to be had digit by digit. */
static bool write_int(sl_span text, sl_buf *json)
{
    bool negative;
    size_t used;
    text = sl_span_trim(text);
    sl_span digits = integer_part(text, &negative, &used);
    if (!digits.ptr) return false;
    if (used < text.len) {
        if (text.ptr[used] != '.') return false;
        if (used + 1 == text.len || skip_digits(text, used + 1) < text.len) return false;
    }
    bool zero = digits.len == 1 && *digits.ptr == '0';
    if (negative && !zero) sl_buf_append_char(json, '-');
    sl_buf_append_span(json, digits);
    return true;
}

static bool write_float(sl_span text, sl_buf *json)
{
    bool negative;
    size_t used;
    text = sl_span_trim(text);
    if (is_number(text)) {
        sl_buf_append_span(json, text);
        return true;
    }
    /* What JSON does not spell so, but people do: +1.5, 007.5 */
    sl_span digits = integer_part(text, &negative, &used);
    if (!digits.ptr) return false;
    size_t start = json->len;
    if (negative) sl_buf_append_char(json, '-');
    sl_buf_append_span(json, digits);
    sl_buf_append(json, text.ptr + used, text.len - used);
    if (is_number((sl_span){json->ptr + start, json->len - start})) return true;
    json->len = start;
    return false;
}

static bool write_bool(sl_span text, sl_buf *json)
{
    static const char *const yes[] = {"true", "yes", "on", "1", "y", "t"}, *const no[] = {"false", "no",
                                                                                          "off",   "0",
                                                                                          "n",     "f"};
    text = sl_span_trim(text);
    for (size_t i = 0; i < SL_LEN(yes); i++) {
        bool is_yes = sl_span_is_nocase(text, sl_span_of(yes[i])),
             is_no = sl_span_is_nocase(text, sl_span_of(no[i]));
        if (!is_yes && !is_no) continue;
        sl_buf_append_cstr(json, is_yes ? "true" : "false");
        return true;
    }
    return false;
}

static bool is_zero(sl_span number)
{
    for (size_t i = 0; i < number.len && (number.ptr[i] | 0x20) != 'e'; i++)
        if (number.ptr[i] >= '1' && number.ptr[i] <= '9') return false;
    return true;
}

static bool from_bool(bool value, sl_convert type, sl_buf *json)
{
    if (type == SL_CONVERT_BOOL)
        sl_buf_append_cstr(json, value ? "true" : "false");
    else
        sl_buf_append_char(json, value ? '1' : '0');
    return true;
}

bool sl_value_convert(const sl_value *value, sl_convert type, sl_buf *json)
{
    if (value->type == SL_JSON_NULL) return false;
    if (type == SL_CONVERT_STRING) {
        sl_json_write_string(json, value->text);
        return true;
    }
    if (value->type == SL_JSON_OBJECT || value->type == SL_JSON_ARRAY) return false;
    if (value->type == SL_JSON_TRUE || value->type == SL_JSON_FALSE)
        return from_bool(value->type == SL_JSON_TRUE, type, json);
    if (type == SL_CONVERT_INT) return write_int(value->text, json);
    if (type == SL_CONVERT_FLOAT) return write_float(value->text, json);
    if (value->type == SL_JSON_NUMBER) return from_bool(!is_zero(value->text), type, json);
    return write_bool(value->text, json);
}
