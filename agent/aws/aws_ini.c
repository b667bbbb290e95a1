/* aws_ini.c: one walk over the lines for each question: the files are small and seldom asked. */
#include "aws_ini.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static sl_span next_line(sl_span text, size_t *at)
{
    const char *end = memchr(text.ptr + *at, '\n', text.len - *at);
    size_t to = end ? (size_t)(end - text.ptr) : text.len;
    sl_span line = {text.ptr + *at, to - *at};
    *at = to + 1;
    return line;
}

/* `#` and `;` begin a comment at the beginning of a line, and behind white space. */
static sl_span without_comment(sl_span line)
{
    for (size_t i = 0; i < line.len; i++) {
        bool mark = line.ptr[i] == '#' || line.ptr[i] == ';';
        if (mark && (i == 0 || is_space(line.ptr[i - 1]))) return (sl_span){line.ptr, i};
    }
    return line;
}

static sl_span unquoted(sl_span text)
{
    bool quoted =
        text.len >= 2 && (text.ptr[0] == '"' || text.ptr[0] == '\'') && text.ptr[text.len - 1] == text.ptr[0];
    return quoted ? (sl_span){text.ptr + 1, text.len - 2} : text;
}

/* [type name], [type "a name"], [name] */
static bool is_section(sl_span line, const sl_aws_section *section)
{
    size_t end = sl_span_find(line, SL_SPAN("]"), 0);
    sl_span inside = sl_span_trim((sl_span){line.ptr + 1, end - 1});
    size_t type = strlen(section->type);
    if (type) {
        bool typed = inside.len > type && sl_span_starts_with(inside, sl_span_of(section->type)) &&
                     is_space(inside.ptr[type]);
        if (!typed) return false;
        inside = sl_span_trim((sl_span){inside.ptr + type, inside.len - type});
    }
    return end < line.len && sl_span_is(unquoted(inside), section->name);
}

static void read_property(sl_span line, const char *key, sl_span *value)
{
    size_t equals = sl_span_find(line, SL_SPAN("="), 0);
    if (equals == line.len) return;
    sl_span name = sl_span_trim((sl_span){line.ptr, equals});
    if (sl_span_is_nocase(name, sl_span_of(key)))
        *value = sl_span_trim((sl_span){line.ptr + equals + 1, line.len - equals - 1});
}

/* key NULL: only whether the section is there. */
static bool look_up(sl_span text, const sl_aws_section *section, const char *key, sl_span *value)
{
    bool inside = false, any = false;
    if (sl_span_starts_with(text, SL_SPAN("\xEF\xBB\xBF"))) text = (sl_span){text.ptr + 3, text.len - 3};
    for (size_t at = 0; at < text.len;) {
        sl_span line = next_line(text, &at);
        bool indented = line.len && is_space(line.ptr[0]);
        line = sl_span_trim(without_comment(line));
        if (!line.len || indented) continue;
        if (line.ptr[0] == '[') {
            inside = is_section(line, section);
            any = any || inside;
        } else if (inside && key) {
            read_property(line, key, value);
        }
    }
    return any;
}

bool sl_aws_ini_has(sl_span text, const sl_aws_section *section)
{
    return look_up(text, section, NULL, NULL);
}

sl_span sl_aws_ini_get(sl_span text, const sl_aws_section *section, const char *key)
{
    sl_span value = SL_SPAN_NONE;
    look_up(text, section, key, &value);
    return value;
}
