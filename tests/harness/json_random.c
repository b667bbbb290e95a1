#include "json_random.h"

uint64_t sl_random_next(sl_random *random)
{
    random->state ^= random->state << 13; /* xorshift64 (Marsaglia, 2003) */
    random->state ^= random->state >> 7;
    random->state ^= random->state << 17;
    return random->state;
}

uint32_t sl_random_below(sl_random *random, uint32_t limit)
{
    return (uint32_t)((sl_random_next(random) >> 32) % limit);
}

static const char *pick(sl_random *random, const char *const *choices, size_t count)
{
    return choices[sl_random_below(random, (uint32_t)count)];
}

static void space(sl_random *random, sl_buf *out)
{
    static const char *const spaces[] = {"", "", "", "", " ", "\t", "\n", "\r\n", "   "};

    sl_buf_append_cstr(out, pick(random, spaces, SL_LEN(spaces)));
}

static void string(sl_random *random, sl_buf *out)
{
    static const char *const parts[] = {
        "a",
        "key",
        "x-api-key",
        " ",
        "{",
        "}",
        "[1,2]",
        ",",
        ":",
        "\\\"",
        "\\",
        "\\\\",
        "\\\\\\\\",
        "\\/",
        "\\n",
        "\\u0041",
        "\\ud83d\\ude00",
        "\\t",
        "\\b",
        "\xc3\xa9",
        "/",
        "true",
        "123",
        "\\ud800",
        "\\udfff",
        "\\uD834",
        "\xf0\x9f\x98\x80",
        "\x7f",
        "a longer run of text that fills more than one block of the scanner, as log messages will do"};

    sl_buf_append_char(out, '"');
    for (uint32_t n = sl_random_below(random, 6); n > 0; n--) {
        const char *part = pick(random, parts, SL_LEN(parts));
        if (strcmp(part, "\\") == 0) part = "\\\\";
        sl_buf_append_cstr(out, part);
    }
    sl_buf_append_char(out, '"');
}

static void number(sl_random *random, sl_buf *out)
{
    static const char *const whole[] = {
        "0", "-0", "7", "-12", "1700000000123", "98765432109876543210987654321"};
    static const char *const fraction[] = {"", "", "", ".0", ".125", ".00000000000000000001"};
    static const char *const exponent[] = {"", "", "", "e1", "E+10", "e-5", "E00"};

    sl_buf_append_cstr(out, pick(random, whole, SL_LEN(whole)));
    sl_buf_append_cstr(out, pick(random, fraction, SL_LEN(fraction)));
    sl_buf_append_cstr(out, pick(random, exponent, SL_LEN(exponent)));
}

static void container(sl_random *random, unsigned depth, bool object, sl_buf *out)
{
    uint32_t count = sl_random_below(random, 6);

    sl_buf_append_char(out, object ? '{' : '[');
    space(random, out);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            sl_buf_append_char(out, ',');
            space(random, out);
        }
        if (object) {
            string(random, out);
            space(random, out);
            sl_buf_append_char(out, ':');
            space(random, out);
        }
        sl_json_random(random, depth - 1, out);
        space(random, out);
    }
    sl_buf_append_char(out, object ? '}' : ']');
}

void sl_json_random(sl_random *random, unsigned depth, sl_buf *out)
{
    static const char *const literals[] = {"true", "false", "null"};

    switch (sl_random_below(random, depth > 0 ? 7 : 3)) {
    case 0: string(random, out); break;
    case 1: number(random, out); break;
    case 2: sl_buf_append_cstr(out, pick(random, literals, SL_LEN(literals))); break;
    case 3:
    case 4: container(random, depth, false, out); break;
    default: container(random, depth, true, out); break;
    }
}

void sl_json_random_object(sl_random *random, unsigned depth, sl_buf *out)
{
    container(random, depth > 0 ? depth : 1, true, out);
}

/* The code point at the front of valid UTF-8; *len its bytes. */
static uint32_t decode(const char *text, size_t *len)
{
    unsigned char first = (unsigned char)text[0];
    uint32_t code_point = first;

    *len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (*len > 1) code_point = first & (0x7fu >> *len);
    for (size_t i = 1; i < *len; i++)
        code_point = code_point << 6 | ((unsigned char)text[i] & 0x3fu);
    return code_point;
}

static void spell_unit(sl_random *random, uint32_t unit, sl_buf *out)
{
    sl_buf_printf(out, sl_random_below(random, 2) ? "\\u%04x" : "\\u%04X", (unsigned)unit);
}

void sl_json_random_spelling(sl_random *random, sl_span text, sl_buf *out)
{
    static const char shorts[] = "\"\"\\\\//\bb\ff\nn\rr\tt"; /* character, letter */
    size_t len;

    sl_buf_append_char(out, '"');
    for (size_t at = 0; at < text.len; at += len) {
        uint32_t c = decode(text.ptr + at, &len);
        const char *letter = NULL;
        for (size_t i = 0; i + 1 < sizeof shorts; i += 2) {
            if (c == (unsigned char)shorts[i]) letter = &shorts[i + 1];
        }
        if (letter && (*letter != '/' || sl_random_below(random, 2)) && sl_random_below(random, 3)) {
            sl_buf_append_char(out, '\\');
            sl_buf_append_char(out, *letter);
        } else if (c < 0x20 || c == '"' || c == '\\' || sl_random_below(random, 4) == 0) {
            if (c >= 0x10000) spell_unit(random, 0xd800 + ((c - 0x10000) >> 10), out);
            spell_unit(random, c >= 0x10000 ? 0xdc00 + (c & 0x3ff) : c, out);
        } else {
            sl_buf_append(out, text.ptr + at, len);
        }
    }
    sl_buf_append_char(out, '"');
}

void sl_json_random_mutation(sl_random *random, sl_span text, sl_buf *out)
{
    static const char telling[] = "\"\"\"\\\\\\{}[]:,0123456789.eE+-tfnu \n\t\r\f\x01\x1f\x0c\x1a\x80\xff";
    size_t at = 0;

    for (uint32_t n = 1 + sl_random_below(random, 3); n > 0 && at < text.len; n--) {
        size_t stop = at + sl_random_below(random, (uint32_t)(text.len - at) + 1);
        sl_buf_append(out, text.ptr + at, stop - at);
        at = stop;
        char c = telling[sl_random_below(random, sizeof telling - 1)];
        switch (sl_random_below(random, 4)) {
        case 0: at += sl_random_below(random, 3); break; /* cut out */
        case 1: at = at > 9 ? at - 9 : 0; break;         /* double */
        case 2:
            at++;
            sl_buf_append_char(out, c);
            break;                                  /* change */
        default: sl_buf_append_char(out, c); break; /* insert */
        }
    }
    if (at < text.len) sl_buf_append(out, text.ptr + at, text.len - at);
}
